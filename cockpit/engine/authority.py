"""Who commands: this engine's epoch, stamped on every guarded object before the first effect."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from cockpit.engine import drift
from cockpit.engine.core import Core
from cockpit.engine.lease import REQUEST_S, LeaseKeeper, Standing
from cockpit.errors import Conflict, DeadlineExceeded, Fenced, OutsideError
from cockpit.model.events import EpochClaimed, LeaseChanged
from cockpit.model.lease import FENCE_S, Command

SHORTEST_S = 10.0
"""Real seconds that a claim may take: a few reads and writes, each with a deadline of its own."""


class Authority:
    """Claims the guarded objects once for each life of the engine, and notices when it has lost them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = asyncio.Lock()
        self._claimed = False
        self.holder = f"{core.setting.run} {core.setting.commander}@{socket.gethostname()}"
        self._keeper = LeaseKeeper(core.setting.outside.leases, self.holder, core.setting.boot_time)

    async def keep_lease(self) -> None:
        """Renew the Lease for ever."""
        await self._keeper.keep(self._stands)

    async def release(self) -> None:
        """The run is closed: let another one have the Lease at once."""
        with suppress(OutsideError, TimeoutError):
            async with asyncio.timeout(REQUEST_S):
                await self._keeper.release()

    async def ensure(self, *, tested: bool, rollback: bool = False) -> None:
        """Be the one who commands, or raise Conflict (Fenced when somebody else does; the run is then parked).

        `tested` says that the write to come tests the stamp itself; before any other effect the stamp is read. A
        rollback goes on without a Lease that cannot be renewed: its writes test the stamp too.
        Raises OutsideError when the objects cannot be read or stamped.
        """
        try:
            async with self._lock, asyncio.timeout(SHORTEST_S):
                await self._command(rollback)
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

    async def _command(self, rollback: bool) -> None:
        standing = self._keeper.standing
        if standing.command is Command.UNKNOWN:
            standing = await self._keeper.tick()
            await self._stands(Standing(), standing)
        if standing.command is Command.OTHER:
            raise Conflict(
                f"{standing.other} commands this deployment (last heard of {standing.silent_s:.0f} s ago)",
                "Watch that run, or take it over with a reason: cockpit takeover.",
            )
        if standing.command is Command.LAPSED and not rollback:
            raise Conflict(
                f"The Lease could not be renewed for {FENCE_S:.0f} s: {standing.problem}",
                "It is tried again and again; a rollback works all the same.",
            )

    async def _stands(self, before: Standing, now: Standing) -> None:
        core = self._core
        if now.command is Command.OTHER and self._claimed:
            await self.lost(fenced_by("the Lease", now.other, now.epoch))
            return
        if now.command is Command.UNKNOWN:
            return
        event = LeaseChanged(
            at=core.now(),
            actor="engine",
            command=now.command.value,
            lease_epoch=now.epoch,
            other=now.other,
            problem=now.problem,
        )
        await core.record_if(lambda state: () if state.closed or state.lease == event.command else (event,))

    async def _claim(self) -> None:
        core, guardian = self._core, self._core.setting.outside.guardian
        found = await guardian.look()
        stamped = [seen for seen in found if seen.stamped]
        if core.state.guarded:
            for seen in stamped:
                if drift.foreign(core.state.epoch, seen, self.holder):
                    raise fenced_by(seen.key, seen.holder, seen.epoch or 0)
        known = max([core.state.epoch, *(seen.epoch or 0 for seen in stamped)])
        epoch = max(self._keeper.standing.epoch, known + 1)
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
