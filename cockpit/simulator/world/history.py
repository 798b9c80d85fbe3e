"""The rolling history of what the world measured about itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

KEEP_SECONDS = 7200.0
"""How much run time the history holds."""


@dataclass(frozen=True, slots=True)
class TrackSample:
    """One track in one slice of time. Counts are requests, `p95` milliseconds, `cpu` and `memory` percent."""

    requests: int
    errors: float
    server_errors: float
    p95: float
    cpu: float
    memory: float
    canary: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A slice of run time that ends at `end`."""

    end: float
    seconds: float
    tracks: dict[str, TrackSample] = field(default_factory=dict)


class History:
    """Samples in the order of time."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self._restarts: list[tuple[float, str]] = []

    def add(self, sample: Sample) -> None:
        """Append a sample and forget what is too old."""
        self._samples.append(sample)
        while self._samples[0].end < sample.end - KEEP_SECONDS:
            self._samples.popleft()

    def add_restart(self, at: float, track: str) -> None:
        """Note that a container of a track was restarted."""
        self._restarts.append((at, track))

    def restarts(self, end: float, seconds: float) -> list[str]:
        """The tracks of the restarts within the `seconds` before `end`."""
        return [track for at, track in self._restarts if end - seconds < at <= end]

    def window(self, end: float, seconds: float) -> list[Sample]:
        """The samples that end within the `seconds` before `end`, newest first."""
        return list(self._walk(end, seconds))

    def bounds(self) -> tuple[float, float]:
        """The earliest and the latest time that is covered."""
        return self._samples[0].end, self._samples[-1].end

    def _walk(self, end: float, seconds: float) -> Iterator[Sample]:
        for sample in reversed(self._samples):
            if sample.end <= end - seconds:
                return
            if sample.end <= end:
                yield sample
