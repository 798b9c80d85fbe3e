"""Keeps the Lease: takes it, renews it, and says at once when it is lost.

A Lease alone stops nobody who was paused; each guarded write tests the epoch besides. Expiry is judged by how long the
Lease has been seen unchanged on this machine's CLOCK_BOOTTIME, never by comparing clocks of two machines.
Source: Kubernetes client-go `leaderelection`, whose documentation says that it gives no fencing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cockpit.engine.ports import Leases
from cockpit.errors import Conflict, Denied, NotFound, OutsideError
from cockpit.model.lease import DURATION_S, FENCE_S, RENEW_S, Command, LeaseState

REQUEST_S = 3.0


def boot_time() -> float:
    """Seconds since the machine started, those of a suspended machine included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where this engine stands. `other` holds the Lease instead, silent for `silent_s` seconds."""

    command: Command = Command.UNKNOWN
    epoch: int = 0
    other: str = ""
    silent_s: float = 0.0
    problem: str = ""


@dataclass(slots=True)
class LeaseKeeper:
    """One engine's hold on the Lease, judged by `clock` alone.

    `take_silent` allows to take one whose holder has been silent for long enough, `take_now` one whose holder may be
    alive. Once it was held, what became of it otherwise than by us is for a person to decide (`reclaim`).
    """

    leases: Leases
    holder: str
    clock: Callable[[], float] = boot_time
    take_silent: bool = False
    take_now: bool = False
    standing: Standing = field(default_factory=Standing)
    _had: bool = False
    _renewed_at: float = 0.0
    _seen: LeaseState | None = None
    _seen_at: float | None = None

    async def keep(
        self, changed: Callable[[Standing, Standing], Awaitable[None]], parked: Callable[[], bool] = lambda: False
    ) -> None:
        """Tick for ever; `changed` hears the old and the new standing whenever they differ in more than the silence.

        While `parked`, nothing is renewed, so that others may have it.
        """
        while True:
            before = self.standing
            if not parked():
                await self.tick()
            now = self.standing
            if (before.command, before.other, before.epoch) != (now.command, now.other, now.epoch):
                await changed(before, now)
            await asyncio.sleep(RENEW_S if now.command is not Command.LAPSED else RENEW_S / 5)

    async def tick(self) -> Standing:
        """Read the Lease and renew or take it if that is right."""
        try:
            async with asyncio.timeout(REQUEST_S):
                self.standing = await self._look()
        except (Denied, NotFound) as error:
            self.standing = self._without_answer(str(error)) if self._had else self._local(str(error))
        except (OutsideError, TimeoutError) as error:
            self.standing = self._without_answer(str(error) or f"no answer within {REQUEST_S:g} s")
        return self.standing

    def lapsed(self) -> bool:
        """Whether it was held and has not been renewed in time, as of this very moment."""
        return self._had and self.clock() - self._renewed_at >= FENCE_S

    def reclaim(self) -> None:
        """A person decided: take a lost Lease as if it never had been held."""
        self._had, self.standing = False, Standing(epoch=self.standing.epoch)

    async def release(self) -> None:
        """Let others have it at once; a Lease that is not ours is left alone."""
        if self.standing.command is not Command.HELD or self._seen is None:
            return
        free = LeaseState("", self._seen.epoch)
        await self.leases.write(self._seen, free)

    async def _look(self) -> Standing:
        seen = await self.leases.read()
        self._observe(seen)
        holder, epoch = (seen.holder, seen.epoch) if seen is not None else ("", 0)
        if holder not in ("", self.holder) and not self._may_take():
            return Standing(Command.OTHER, epoch, holder, self._silence())
        if self._had and (seen is None or holder != self.holder or epoch != self.standing.epoch):
            what = "it was deleted" if seen is None else f"it names {holder or 'nobody'} with epoch {epoch}"
            return Standing(Command.LOST, self.standing.epoch, problem=f"somebody changed it by hand: {what}")
        wanted = epoch if self._had else max(epoch, self.standing.epoch) + 1
        try:
            self._seen = await self.leases.write(seen, LeaseState(self.holder, wanted))
        except Conflict:
            # Somebody was quicker; the next look tells who.
            return self._without_answer("somebody else wrote the Lease at the same time")
        self._renewed_at = self._seen_at = self.clock()
        self._had = True
        return Standing(Command.HELD, wanted)

    def _observe(self, seen: LeaseState | None) -> None:
        if seen != self._seen or self._seen_at is None:
            self._seen, self._seen_at = seen, self.clock()

    def _silence(self) -> float:
        return self.clock() - (self._seen_at or 0.0)

    def _may_take(self) -> bool:
        return not self._had and (self.take_now or (self.take_silent and self._silence() >= DURATION_S))

    def _local(self, problem: str) -> Standing:
        return Standing(Command.LOCAL, self.standing.epoch, problem=problem)

    def _without_answer(self, problem: str) -> Standing:
        known = self.standing
        if known.command in (Command.HELD, Command.LAPSED):
            command = Command.LAPSED if self.lapsed() else Command.HELD
            return Standing(command, known.epoch, problem=problem)
        return Standing(known.command, known.epoch, known.other, known.silent_s, problem)
