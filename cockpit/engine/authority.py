"""Who commands: this engine's epoch, stamped on every guarded object before the first effect."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress

from cockpit.engine import drift
from cockpit.engine.core import Core
from cockpit.engine.lease import REQUEST_S, LeaseKeeper, Standing
from cockpit.errors import Conflict, DeadlineExceeded, Fenced, OutsideError
from cockpit.model.events import EpochClaimed, LeaseChanged
from cockpit.model.lease import FENCE_S, RENEW_S, Command
from cockpit.model.status import RunStatus, Worker

AGAIN_S = 2.0
RENEWS_WITHIN_S = RENEW_S + 5 * REQUEST_S
"""Real seconds after which a keeper that has not looked at its Lease again hangs."""
LOOK_AGAIN_S = 0.5
HURRY_S = 1.0
"""Real seconds that a rollback gives the Lease before an effect that tests nothing itself."""
_log = logging.getLogger(__name__)
SHORTEST_S = 10.0
"""Real seconds that a claim may take: a few reads and writes, each with a deadline of its own."""


class Authority:
    """Claims the guarded objects once for each life of the engine, and notices when it has lost them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = asyncio.Lock()
        self._claimed = False
        setting = core.setting
        self.holder = signature(setting.run, setting.commander, setting.instance)
        self._keeper = LeaseKeeper(setting.outside.leases, self.holder, setting.boot_time)
        setting.outside.guardian.obey(self.refusal)

    async def keep_lease(self) -> None:
        """Renew the Lease for ever; a parked engine leaves it to others."""
        core = self._core
        await self._keeper.keep(
            self._stands, lambda: core.state.fenced is not None, lambda: core.turned(Worker.LEASE, RENEWS_WITHIN_S)
        )

    def refusal(self) -> str:
        """Why no change but a rollback's may be sent at this very moment, empty when it may.

        Asked by the client before each change, so that an engine that was asleep stops at its first one. A rollback is
        not held up: its writes test the stamp.
        """
        if self._core.state.status is RunStatus.ROLLING_BACK:
            return ""
        standing = self._keeper.standing
        if standing.command is Command.OTHER:
            return f"{standing.other} holds the Lease"
        if standing.command is Command.LOST:
            return f"the Lease is lost: {standing.problem}"
        if self._keeper.lapsed():
            return f"the Lease could not be renewed for {FENCE_S:.0f} s"
        return ""

    def reclaim(self) -> None:
        """A person wants the lost Lease back."""
        self._keeper.reclaim()

    async def take_over(self) -> None:
        """Stamp the objects of the bastion that this run was taken over from, as soon as that can be done."""
        core = self._core
        while core.state.taken_from and not core.state.fenced and not core.state.closed:
            try:
                await self.ensure(tested=True, rollback=True)
            except OutsideError as error:
                _log.warning("the takeover could not be stamped yet: %s", error)
                await asyncio.sleep(AGAIN_S)

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
                if not self._claimed or self._core.state.taken_from:
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

    async def confirm(self, *, rollback: bool = False) -> None:
        """Hold the Lease at this moment: whoever takes it later finds in the mirror what was written there before.

        For an effect that can be neither fenced nor read back. Raises Conflict when somebody else has the Lease, or, on
        the way forward, when it cannot be renewed.
        """
        before = now = self._keeper.standing
        if before.command is not Command.LOCAL:
            with suppress(TimeoutError):
                async with asyncio.timeout(HURRY_S if rollback else SHORTEST_S):
                    now = await self._keeper.tick()
        if (before.command, before.other, before.epoch) != (now.command, now.other, now.epoch):
            await self._stands(before, now)
        await self._command(rollback)

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
            standing = await self._first_look(rollback)
        if standing.command is Command.OTHER:
            raise Conflict(
                f"{standing.other} commands this deployment (last heard of {standing.silent_s:.0f} s ago)",
                "Watch that run, or take it over with a reason: cockpit takeover.",
            )
        if rollback:
            return
        if standing.command is Command.LAPSED:
            raise Conflict(
                f"The Lease could not be renewed for {FENCE_S:.0f} s: {standing.problem}",
                "It is tried again and again; a rollback works all the same.",
            )
        if standing.command is Command.LOST:
            raise Conflict(
                f"The Lease is lost: {standing.problem}",
                "Find out who did it, then take command again: cockpit takeover --reason TEXT. A rollback works.",
            )

    async def _first_look(self, rollback: bool) -> Standing:
        """Read the Lease; the way forward waits for an answer, because somebody else may be at work."""
        while True:
            standing = await self._keeper.tick()
            await self._stands(Standing(), standing)
            if rollback or standing.command is not Command.UNKNOWN:
                return standing
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _stands(self, before: Standing, now: Standing) -> None:
        core = self._core
        if now.command is Command.OTHER and (self._claimed or before.command in (Command.HELD, Command.LAPSED)):
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
                if drift.foreign(core.state, seen, self.holder):
                    raise fenced_by(seen.key, seen.holder, seen.epoch or 0)
        known = max([core.state.epoch, *(seen.epoch or 0 for seen in stamped)])
        epoch = max(self._keeper.standing.epoch, known + 1)
        await guardian.stamp(epoch, self.holder)
        objects = {seen.key: dict(seen.facts) for seen in found}
        await core.record(EpochClaimed(at=core.now(), actor="engine", claimed=epoch, objects=objects))
        self._claimed = True


def signature(run: str, commander: str, instance: str) -> str:
    """How an engine signs its Lease and its stamps; `instance` tells two bastions with one run apart."""
    return f"{run} {commander}@{socket.gethostname()}" + (f"/{instance}" if instance else "")


def fenced_by(key: str, by: str, epoch: int) -> Fenced:
    """The error for an object that somebody else commands."""
    return Fenced(
        f"{key} is commanded by {by or 'somebody else'} (epoch {epoch})",
        "This engine writes nothing more. Attach to that run; close this one with a reason.",
        by=by,
        epoch=epoch,
        key=key,
    )
