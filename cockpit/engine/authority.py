"""Who commands: this engine's epoch, stamped on every guarded object before the first effect."""

from __future__ import annotations

import asyncio
import socket

from cockpit.engine import drift
from cockpit.engine.core import Core
from cockpit.errors import DeadlineExceeded, Fenced
from cockpit.model.events import EpochClaimed

SHORTEST_S = 10.0
"""Real seconds that a claim may take: a few reads and writes, each with a deadline of its own."""


class Authority:
    """Claims the guarded objects once for each life of the engine, and notices when it has lost them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = asyncio.Lock()
        self._claimed = False
        self.holder = f"{core.setting.run} {core.setting.commander}@{socket.gethostname()}"

    async def ensure(self, *, tested: bool) -> None:
        """Be the one who commands, or raise Fenced; the run is then parked.

        `tested` says that the write to come tests the stamp itself; before any other effect the stamp is read.
        Raises OutsideError when the objects cannot be read or stamped.
        """
        try:
            async with self._lock, asyncio.timeout(SHORTEST_S):
                if not self._claimed:
                    await self._claim()
                elif not tested:
                    await self._core.setting.outside.guardian.confirm()
        except TimeoutError as error:
            raise DeadlineExceeded(
                "The guarded objects could not be stamped in time", "Nothing was changed; try again."
            ) from error
        except Fenced as error:
            await self.lost(error)
            raise

    async def renew(self) -> None:
        """Stamp the objects again, for one that was replaced and lost its stamp; raises like `ensure`."""
        self._claimed = False
        await self.ensure(tested=True)

    async def lost(self, error: Fenced) -> None:
        """Record, once, that somebody else commands."""
        core = self._core
        event = drift.fenced(error.by, error.epoch, error.key, core.now())
        await core.record_if(lambda state: () if state.fenced or state.closed else (event,))

    async def _claim(self) -> None:
        core, guardian = self._core, self._core.setting.outside.guardian
        found = await guardian.look()
        stamped = [seen for seen in found if seen.stamped]
        if core.state.guarded:
            for seen in stamped:
                if drift.foreign(core.state.epoch, seen, self.holder):
                    raise fenced_by(seen.key, seen.holder, seen.epoch or 0)
        epoch = max([core.state.epoch, *(seen.epoch or 0 for seen in stamped)]) + 1
        await guardian.stamp(epoch, self.holder)
        objects = {seen.key: dict(seen.facts) for seen in found}
        await core.record(EpochClaimed(at=core.now(), actor="engine", claimed=epoch, objects=objects))
        self._claimed = True


def fenced_by(key: str, by: str, epoch: int) -> Fenced:
    """The error for an object that somebody else commands."""
    return Fenced(
        f"{key} is commanded by {by or 'somebody else'} (epoch {epoch})",
        "This engine writes nothing more. Attach to that run; close this one with a reason.",
        by=by,
        epoch=epoch,
        key=key,
    )
