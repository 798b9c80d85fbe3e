"""What every kind of action offers: a plan before the effect, the effect, and the way to read it back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar, cast

from pydantic import SecretStr

from cockpit.engine.ports import Clock, Outside
from cockpit.errors import SecretMissing
from cockpit.model.cluster import CanaryState, Pod, ServiceState
from cockpit.model.masking import Mask
from cockpit.model.outside import Emit
from cockpit.model.run import RunState
from cockpit.model.verdict import Measurement
from cockpit.runbook.actions import ActionBase
from cockpit.runbook.schema import Runbook

ACTION_contra = TypeVar("ACTION_contra", bound=ActionBase, contravariant=True)
POLL_S = 2.0
SHORTEST_POLL_S = 0.1
LOOK_S = 2.0
"""Real seconds that a look at the cluster may take, by which an action that waits ends before its deadline."""
SHORTEST_DEADLINE_S = 15.0
"""Real seconds that an action has at least, however fast the run's clock is."""

WAIT_PART = 0.8
"""The part of a deadline that waiting may take, so that it ends in words and not in a timeout."""


Seen = TypeVar("Seen", CanaryState, ServiceState)


@dataclass(frozen=True, slots=True)
class Planned:
    """The INTENT: what will be asked, what is seen before, what will be seen after, how to undo it by hand.

    `seen` is the target as the plan has read it, for a write that tests in its own request what it replaces: it goes
    out without another look, and is refused if the target has changed since. It is not recorded.
    """

    request: str
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    inverse: str = ""
    seen: CanaryState | ServiceState | None = None

    async def look(self, attempt: int, read: Callable[[], Awaitable[Seen]], is_there: Callable[[Seen], bool]) -> Seen:
        """The target to write on: as the plan has read it at first, and read afresh for a proof and after a refusal."""
        if attempt == 0 and self.seen is not None:
            known = cast(Seen, self.seen)
            if not is_there(known):
                return known
        return await read()


@dataclass(frozen=True, slots=True)
class TrafficChange:
    """What an action left the traffic at; None leaves a part as it was."""

    weight: int | None = None
    active: str | None = None
    canary: bool | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The OUTCOME of a success."""

    message: str
    facts: Mapping[str, str] = field(default_factory=dict)
    traffic: TrafficChange | None = None


class Found(StrEnum):
    """What a target says about an effect whose outcome is not recorded."""

    SAFE = "safe"
    """The before- or the after-state is seen: carrying out the action again writes at most what is missing."""
    UNKNOWN = "unknown"
    """The target cannot tell, or shows something else."""


class ActionFailure(Exception):
    """The action did what it could, and the world is not as it should be."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Refusal(ActionFailure):
    """What was read before the action speaks against it: it is not offered to anybody."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What an action would do, in words and as facts."""

    message: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """What an action works with. `deadline` is the action's, in real seconds from its start."""

    run: str
    book: Runbook
    state: RunState
    outside: Outside
    clock: Clock
    lookup: Callable[[str], SecretStr]
    pods: Callable[[], tuple[Pod, ...]]
    say: Callable[[str], Awaitable[None]]
    emit: Emit
    deadline: float
    context: str
    real_seconds: Callable[[float], float]
    rollback: bool = False
    ends: float = math.inf
    """When the action's deadline passes, in the time of the event loop."""

    @property
    def last_look(self) -> bool:
        """Whether the deadline passes before the cluster could be looked at once more."""
        return asyncio.get_running_loop().time() + self._pause_s() + LOOK_S > self.ends

    measured: Callable[[str], Measurement | None] = lambda metric: None
    """The latest measurement of a metric or signal, None without one."""

    def wait_until(self, deadline: timedelta) -> datetime:
        """The run time until which an action with this deadline may wait for something."""
        longest = max(deadline.total_seconds(), SHORTEST_DEADLINE_S / self.real_seconds(1.0))
        return self.clock.now() + timedelta(seconds=WAIT_PART * longest)

    async def pause(self) -> None:
        """Wait between two looks at the cluster."""
        await asyncio.sleep(self._pause_s())

    def _pause_s(self) -> float:
        return max(SHORTEST_POLL_S, self.real_seconds(POLL_S))

    def mask(self) -> Mask:
        """Hides every secret of the runbook that has a value, whoever printed it."""
        return Mask(filter(None, map(self._secret, self.book.secrets)))

    def _secret(self, name: str) -> str:
        try:
            return self.lookup(name).get_secret_value()
        except SecretMissing:
            return ""


class Handler(Protocol[ACTION_contra]):
    """One kind of action."""

    async def plan(self, world: World, action: ACTION_contra) -> Planned:
        """Look, without changing anything; raises OutsideError or ActionFailure."""

    async def execute(self, world: World, action: ACTION_contra, planned: Planned) -> Done:
        """Change the world and read it back; writes nothing that is there already."""

    async def recover(self, world: World, action: ACTION_contra, planned: Planned) -> Found | Done:
        """Read the target of an INTENT without OUTCOME; a Done is what proves that it happened."""


class Looker(Protocol[ACTION_contra]):
    """A kind of action whose target is read before the commander is asked for the word."""

    async def look(self, world: World, action: ACTION_contra) -> Looked:
        """What it would do; raises Refusal, OutsideError or ActionFailure."""
