"""What a comparison of the candidate with the stable track says."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from cockpit.model.base import Value
from cockpit.model.verdict import Verdict


class Standing(StrEnum):
    """How the candidate stands against the stable track."""

    WORSE = "WORSE"
    NOT_WORSE = "NOT_WORSE"
    BETTER = "BETTER"
    TOO_FEW = "TOO_FEW"
    UNKNOWN = "UNKNOWN"

    @property
    def verdict(self) -> Verdict:
        """As the verdict of a gate's condition: too few samples are no data, what cannot be asked is broken."""
        return _VERDICTS[self]


_VERDICTS = {
    Standing.WORSE: Verdict.WARNING,
    Standing.NOT_WORSE: Verdict.NORMAL,
    Standing.BETTER: Verdict.NORMAL,
    Standing.TOO_FEW: Verdict.NO_DATA,
    Standing.UNKNOWN: Verdict.BROKEN,
}


class Interval(Value):
    """Where the candidate's value minus the stable one's lies; None where nothing is ruled out."""

    lower: float | None = None
    upper: float | None = None


class Comparison(Value):
    """The candidate against the stable track over the same time.

    `effect` is the difference of the two values in the metric's unit (percentage points for shares), positive when
    the candidate's is greater. `superiority` is how often a request of the candidate is slower than one of stable, ties
    counted half. `chance` is the greatest chance of a false alarm over all looks together.
    """

    metric: str
    at: datetime
    standing: Standing
    sentence: str
    candidate: float | None = None
    stable: float | None = None
    candidate_samples: int = 0
    stable_samples: int = 0
    effect: float | None = None
    interval: Interval = Interval()
    superiority: float | None = None
    shift: float | None = None
    chance: float = 0.01
    looks: int = 0
    since: datetime | None = None
    queries: tuple[str, ...] = ()
