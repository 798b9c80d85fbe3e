"""Measurements and their five verdicts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from cockpit.model.base import Value


class Verdict(StrEnum):
    """What a measurement says; the last two never advance a run nor roll it back alone."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    NO_DATA = "NO_DATA"
    BROKEN = "BROKEN"

    @property
    def measured(self) -> bool:
        """Whether there is a trustworthy number behind the verdict."""
        return self in (Verdict.NORMAL, Verdict.WARNING, Verdict.CRITICAL)


class Thresholds(NamedTuple):
    """Where the values of a metric begin to be bad; where `low_is_bad`, both numbers are meant downwards."""

    warning_from: float
    critical: float
    low_is_bad: bool = False

    def worse(self, value: float, limit: float) -> bool:
        """Whether a value is worse than a limit."""
        return value < limit if self.low_is_bad else value > limit

    def judge(self, value: float) -> Verdict:
        """NORMAL before `warning_from`, WARNING from there up to and including `critical`, CRITICAL beyond."""
        if self.worse(value, self.critical):
            return Verdict.CRITICAL
        milder = value != self.warning_from and not self.worse(value, self.warning_from)
        return Verdict.NORMAL if milder else Verdict.WARNING


class Measurement(Value):
    """One metric at one moment. `at` is when it was asked (run time); `value` is None without a number.

    `warnings` are the server's own, which mean that data may be missing; the thresholds are those it was judged by.
    `source` is the address that answered, without secrets.
    """

    metric: str
    at: datetime
    value: float | None
    verdict: Verdict
    reason: str = ""
    query: str = ""
    samples: float | None = None
    warnings: tuple[str, ...] = ()
    warning_from: float | None = None
    critical_above: float | None = None
    critical_below: float | None = None
    source: str = ""


ALERTS_CRITICAL = "alerts.critical"
CANDIDATE_SHARE = "candidate.share"
CANARY_RESIDUAL = "canary.residual"
