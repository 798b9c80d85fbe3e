"""Keeps the Lease: takes it, renews it, and says at once when it is lost.

A Lease alone stops nobody who was paused; each guarded write tests the epoch besides. Expiry is judged by how long the
Lease has been seen unchanged on this machine's CLOCK_BOOTTIME, never by comparing clocks of two machines.
Source: Kubernetes client-go `leaderelection`, whose documentation says that it gives no fencing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
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
    """One engine's hold on the Lease. `take_silent` allows to take one whose holder has been silent for long enough."""

    leases: Leases
    holder: str
    clock: Callable[[], float] = boot_time
    take_silent: bool = False
    standing: Standing = field(default_factory=Standing)
    _renewed_at: float = 0.0
    _seen: LeaseState | None = None
    _seen_at: float = 0.0

    async def keep(self, changed: Callable[[Standing, Standing], object]) -> None:
        """Tick for ever; `changed` hears the old and the new standing whenever they differ in more than the silence."""
        while True:
            before = self.standing
            await self.tick()
            if (before.command, before.other, before.epoch) != (
                self.standing.command,
                self.standing.other,
                self.standing.epoch,
            ):
                outcome = changed(before, self.standing)
                if asyncio.iscoroutine(outcome):
                    await outcome
            await asyncio.sleep(RENEW_S if self.standing.command is not Command.LAPSED else RENEW_S / 5)

    async def tick(self) -> Standing:
        """Read the Lease and renew or take it if that is right."""
        try:
            async with asyncio.timeout(REQUEST_S):
                self.standing = await self._look()
        except (Denied, NotFound) as error:
            self.standing = Standing(Command.LOCAL, problem=str(error))
        except (OutsideError, TimeoutError) as error:
            self.standing = self._without_answer(str(error) or "no answer in time")
        return self.standing

    async def release(self) -> None:
        """Let others have it at once; a Lease that is not ours is left alone."""
        if self.standing.command is not Command.HELD or self._seen is None:
            return
        free = LeaseState("", self._seen.epoch)
        await self.leases.write(self._seen, free)

    async def _look(self) -> Standing:
        seen = await self.leases.read()
        self._observe(seen)
        if seen is not None and seen.holder not in ("", self.holder) and not self._may_take():
            return Standing(Command.OTHER, seen.epoch, seen.holder, self._silence())
        held = seen is not None and seen.holder == self.holder and self.standing.epoch == seen.epoch
        epoch = seen.epoch if seen is not None and held else (seen.epoch if seen else 0) + 1
        try:
            self._seen = await self.leases.write(seen, LeaseState(self.holder, epoch))
        except Conflict:
            # Somebody was quicker; the next look tells who.
            return self._without_answer("somebody else wrote the Lease at the same time")
        self._renewed_at = self._seen_at = self.clock()
        return Standing(Command.HELD, epoch)

    def _observe(self, seen: LeaseState | None) -> None:
        if seen != self._seen or self._seen_at == 0.0:
            self._seen, self._seen_at = seen, self.clock()

    def _silence(self) -> float:
        return self.clock() - self._seen_at

    def _may_take(self) -> bool:
        return self.take_silent and self._silence() >= DURATION_S

    def _without_answer(self, problem: str) -> Standing:
        known = self.standing
        if known.command in (Command.HELD, Command.LAPSED):
            lapsed = self.clock() - self._renewed_at >= FENCE_S
            command = Command.LAPSED if lapsed else Command.HELD
            return Standing(command, known.epoch, problem=problem)
        return Standing(known.command, known.epoch, known.other, known.silent_s, problem)
