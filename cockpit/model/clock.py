"""The clock of a run: real time, or a rehearsal's faster time, the same in every process of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass
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
