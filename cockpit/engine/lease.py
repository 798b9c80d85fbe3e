"""Keeps the Lease: takes it, renews it, and says at once when it is lost.

A Lease alone stops nobody who was paused; each guarded write tests the epoch besides. Expiry is judged by how long the
Lease has been seen unchanged on this machine's CLOCK_BOOTTIME, never by comparing clocks of two machines.
A write without an answer is read back: the Lease is then renewed as of the moment before it was sent.
Source: Kubernetes client-go `leaderelection`, whose documentation says that it gives no fencing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cockpit.engine.ports import Leases
from cockpit.errors import Conflict, DeadlineExceeded, Denied, NotFound, OutsideError
from cockpit.model.lease import DURATION_S, FENCE_S, RENEW_S, Command, LeaseState

REQUEST_S = 3.0
"""Seconds for one request; a renewal is a read and a write, and another read when the write has no answer."""
AGAIN_S = RENEW_S / 5
"""Seconds between two tries of a renewal that failed."""


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


@dataclass(frozen=True, slots=True)
class _Sent:
    """A write whose answer has not been read yet, sent at `at` by one's own clock."""

    wanted: LeaseState
    at: float

    def is_in(self, lease: LeaseState | None) -> bool:
        """Whether the Lease is as this write made it: nobody else writes our name with this very time."""
        return lease is not None and (lease.holder, lease.epoch, lease.renewed) == (
            self.wanted.holder,
            self.wanted.epoch,
            self.wanted.renewed,
        )


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
    _sent: _Sent | None = None
    _seen: LeaseState | None = None
    _seen_at: float | None = None
    _ticking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def keep(
        self,
        changed: Callable[[Standing, Standing], Awaitable[None]],
        parked: Callable[[], bool] = lambda: False,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        """Tick for ever; `changed` hears the old and the new standing whenever they differ in more than the silence.

        While `parked`, nothing is renewed, so that others may have it. `turned` is called every time.
        """
        time_of = asyncio.get_running_loop().time
        while True:
            started, before = time_of(), self.standing
            turned()
            if not parked():
                await self.tick()
            now = self.standing
            if (before.command, before.other, before.epoch) != (now.command, now.other, now.epoch):
                await changed(before, now)
            await asyncio.sleep(max(AGAIN_S, self._period() - (time_of() - started)))

    async def tick(self) -> Standing:
        """Read the Lease and renew or take it if that is right."""
        async with self._ticking:
            return await self._tick()

    async def _tick(self) -> Standing:
        try:
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
        free = LeaseState("", self._seen.epoch, renewed=_now())
        await self.leases.write(self._seen, free)

    async def _look(self) -> Standing:
        seen = await self._read()
        holder, epoch = (seen.holder, seen.epoch) if seen is not None else ("", 0)
        if holder not in ("", self.holder) and not self._may_take():
            return Standing(Command.OTHER, epoch, holder, self._silence())
        if self._had and (seen is None or holder != self.holder or epoch != self.standing.epoch):
            what = "it was deleted" if seen is None else f"it names {holder or 'nobody'} with epoch {epoch}"
            return Standing(Command.LOST, self.standing.epoch, problem=f"somebody changed it by hand: {what}")
        wanted = epoch if self._had else max(epoch, self.standing.epoch) + 1
        try:
            await self._write(seen, LeaseState(self.holder, wanted, renewed=_now()))
        except Conflict:
            # Somebody was quicker; the next look tells who.
            return self._without_answer("somebody else wrote the Lease at the same time")
        return self.standing

    async def _read(self) -> LeaseState | None:
        async with asyncio.timeout(REQUEST_S):
            seen = await self.leases.read()
        if seen != self._seen or self._seen_at is None:
            self._seen, self._seen_at = seen, self.clock()
        if seen is not None and self._sent is not None and self._sent.is_in(seen):
            self._hold(seen, self._sent)
        return seen

    async def _write(self, seen: LeaseState | None, wanted: LeaseState) -> None:
        """Renew or take it; a write that has no answer counts when it is found in the Lease, now or at a later look."""
        sent = self._sent = _Sent(wanted, self.clock())
        try:
            async with asyncio.timeout(REQUEST_S):
                self._hold(await self.leases.write(seen, wanted), sent)
        except (DeadlineExceeded, TimeoutError):
            await self._read()
            if self._sent is not None:
                raise

    def _hold(self, lease: LeaseState, sent: _Sent) -> None:
        """It is ours, for others as well, from before the request on: they judge by when they see it change."""
        self._seen, self._seen_at, self._renewed_at = lease, self.clock(), sent.at
        self._sent, self._had = None, True
        self.standing = Standing(Command.HELD, sent.wanted.epoch)

    def _period(self) -> float:
        """A renewal that failed is tried again soon: between two in time there is room for one failure only."""
        now = self.standing
        failed = now.command is Command.LAPSED or (now.command is Command.HELD and bool(now.problem))
        return AGAIN_S if failed else RENEW_S

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


def _now() -> str:
    """The time of a renewal, for people and to know one's own write; as MicroTime of the Kubernetes API."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
