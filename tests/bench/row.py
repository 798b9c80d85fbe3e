"""What a row of the bench is, and the sums behind it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure. `unit` is of both numbers."""

    what: str
    ours: float
    reference: str
    theirs: float
    goal: str
    unit: str

    def line(self) -> str:
        """The row as it is printed."""
        ratio = self.ours / self.theirs
        numbers = f"{self.ours:9.3f} {self.unit:<3} {self.theirs:9.3f} {self.unit:<3} {ratio:7.4f} ×"
        return f"{self.what:<44} {numbers}   goal {self.goal:<8} reference: {self.reference}"


def p99(values: Sequence[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, exact where /proc counts in nanoseconds, without its dead threads."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def megabytes(pid: int) -> float:
    """The largest resident memory of a process so far."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
