"""Whether the workers that a run depends on still turn. An engine that answers may have one that hangs, on a disk or a
query, and then guards nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cockpit.model.snapshot import SilentWorker
from cockpit.model.status import Worker


@dataclass(frozen=True, slots=True)
class Turn:
    """The last time a worker came round: in run time, and by the machine's clock, on which it is due again in time.

    `within_s` is several of its periods, in real seconds.
    """

    at: datetime
    clock: float
    within_s: float


def silent(turns: Mapping[Worker, Turn], clock: float) -> tuple[SilentWorker, ...]:
    """The workers that are overdue, the worst first."""
    late = [worker for worker in Worker if worker in turns and clock - turns[worker].clock > turns[worker].within_s]
    return tuple(SilentWorker(worker=worker, since=turns[worker].at) for worker in late)
