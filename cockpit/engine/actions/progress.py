"""How an action that waits for the cluster tells how far it has come, and why it gives up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cockpit.engine.actions.base import ActionFailure, World
from cockpit.engine.ports import Clock
from cockpit.model.cluster import RolloutProblem
from cockpit.runbook.actions import ActionBase


class Progress:
    """Says each thing once, and the last of them as the reason when time is up."""

    def __init__(self, world: World, action: ActionBase) -> None:
        self._world = world
        self._action = action
        self._said = ""

    async def wait(self, seen: str, hint: str = "") -> None:
        """Say what is seen if that is new, then wait for the next look; raises ActionFailure when there is none."""
        if seen != self._said:
            self._said = seen
            await self._world.say(seen)
        if self._world.last_look:
            raise ActionFailure(f"not done within {self._action.deadline}: {seen}", hint)
        await self._world.pause()


class Patience:
    """Knows since when each problem has been seen without a break."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, datetime] = {}

    def lost_with(self, problems: Sequence[RolloutProblem]) -> RolloutProblem | None:
        """The first problem that has lasted as long as it may."""
        now = self._clock.now()
        self._since = {each.reason: self._since.get(each.reason, now) for each in problems}
        return next((each for each in problems if self._lasted(each, now)), None)

    def _lasted(self, problem: RolloutProblem, now: datetime) -> bool:
        since = (now - self._since[problem.reason]).total_seconds()
        return problem.patience is not None and since >= problem.patience
