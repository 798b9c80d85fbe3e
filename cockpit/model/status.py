"""The states of a run and of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class RunStatus(StrEnum):
    """Where the run stands."""

    PREPARING = "preparing"
    RUNNING = "running"
    VALIDATING = "validating"
    COMPLETED = "completed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    ABORTED = "aborted"

    @property
    def forward(self) -> bool:
        """Whether forward steps may be taken."""
        return self in (RunStatus.RUNNING, RunStatus.VALIDATING)

    @property
    def final(self) -> bool:
        """Whether the run has nothing more to do by itself."""
        return self in (RunStatus.COMPLETED, RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_FAILED, RunStatus.ABORTED)


STATUS_EVENTS: Mapping[str, RunStatus | None] = MappingProxyType(
    {
        "run.started": RunStatus.RUNNING,
        "rollback.started": RunStatus.ROLLING_BACK,
        "run.status": None,
        "run.closed": None,
    }
)
"""The events that set a run's status, whatever it was before; None: to what their field `status` says."""


def status_after(kind: str, facts: Mapping[str, Any]) -> RunStatus:
    """The status after an event of `STATUS_EVENTS`, given its JSON; raises KeyError, ValueError when it has none."""
    return STATUS_EVENTS[kind] or RunStatus(facts["status"])


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    ACTING = "acting"
    GATING = "gating"
    DECIDING = "deciding"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    AMBIGUOUS = "ambiguous"
    STOPPED = "stopped"
    """Left as it was, because the run went back or was closed."""

    @property
    def finished(self) -> bool:
        """Whether the run may go past the step."""
        return self in (StepStatus.DONE, StepStatus.SKIPPED)


class ActionStatus(StrEnum):
    """Where an action stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    AMBIGUOUS = "ambiguous"

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of the action."""
        return self in (ActionStatus.DONE, ActionStatus.SKIPPED)


class GateStatus(StrEnum):
    """What a gate does."""

    WAITING = "waiting"
    HOLDING = "holding"
    PASSED = "passed"
    OVERRIDDEN = "overridden"


class Severity(StrEnum):
    """How much a note matters."""

    INFO = "info"
    """Good to know."""
    WARNING = "warning"
    """The weight is not the whole truth."""
    FAULT = "fault"
    """The route does not do what its weight says: the candidate gets no more traffic until it is repaired."""


class Worker(StrEnum):
    """What an engine does without an end, the one first whose silence is worst."""

    DECISIONS = "decisions"
    GUARD = "guard"
    LEASE = "lease"
