"""The clock of a run: real time, or a rehearsal's faster time, the same in every process of a run.

An engine measures holds, countdowns and deadlines by it, which an hour that somebody sets the machine's clock back must
not make an hour longer: it keeps a `SteadyClock`, and tells front ends how to read the same from their wall clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class RunClock:
    """Maps the machine's wall clock to run time.

    `real_origin` is seconds since the Unix epoch at which run time was `run_origin`; `speed` is run seconds
    per real second. Two processes with equal values read the same run time.
    """

    real_origin: float = 0.0
    run_origin: float = 0.0
    speed: float = 1.0

    @classmethod
    def starting(cls, at: datetime, speed: float) -> RunClock:
        """A clock that reads `at` now and runs `speed` times as fast as the wall clock."""
        return cls(real_origin=time.time(), run_origin=at.timestamp(), speed=speed)

    def now(self) -> datetime:
        """The run time, in UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        """The run time in seconds since the Unix epoch."""
        return self.run_origin + (time.time() - self.real_origin) * self.speed

    def real_seconds(self, run: float | timedelta) -> float:
        """How long `run` (seconds of run time, or a timedelta) takes on the wall, in seconds."""
        seconds = run.total_seconds() if isinstance(run, timedelta) else run
        return seconds / self.speed

    def on_the_wall(self) -> RunClock:
        """The clock by which other processes of this machine read the same run time from the wall clock."""
        return self

    def ahead(self) -> timedelta:
        """How far run time is ahead of what the machine's clock says, in whole seconds of run time."""
        return timedelta()

    def not_before(self, at: datetime) -> RunClock:
        """The clock that reads at least `at` now; a run's own time, once journaled, does not come again."""
        return self


@dataclass(frozen=True, slots=True)
class SteadyClock(RunClock):
    """A clock that goes on evenly while the machine's clock is set, and while the machine sleeps.

    `booted` is when the machine started, in seconds since the Unix epoch by the wall clock of this clock's making.
    Source: clock_gettime(2), CLOCK_BOOTTIME.
    """

    booted: float = 0.0

    @classmethod
    def of(cls, clock: RunClock) -> SteadyClock:
        """A clock that reads what `clock` reads now."""
        return cls(clock.real_origin, clock.run_origin, clock.speed, time.time() - _since_boot())

    def timestamp(self) -> float:
        """The run time in seconds since the Unix epoch."""
        return self.run_origin + (self.booted + _since_boot() - self.real_origin) * self.speed

    def on_the_wall(self) -> RunClock:
        """The clock by which other processes of this machine read the same run time from the wall clock."""
        return RunClock(self.real_origin - self._ahead_s(), self.run_origin, self.speed)

    def ahead(self) -> timedelta:
        """How far run time is ahead of what the machine's clock says, in whole seconds of run time."""
        return timedelta(seconds=self._ahead_s() * self.speed)

    def not_before(self, at: datetime) -> RunClock:
        """The clock that reads at least `at` now; a run's own time, once journaled, does not come again."""
        missing = at.timestamp() - self.timestamp()
        return replace(self, booted=self.booted + missing / self.speed) if missing > 0 else self

    def _ahead_s(self) -> int:
        # Whole seconds: that the clocks are read one after the other is no news.
        return round(self.booted + _since_boot() - time.time())


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
