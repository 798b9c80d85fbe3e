"""The slice about what is measured: metrics, the candidate's share, and what still reaches its route."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from cockpit.model.base import Value
from cockpit.model.comparison import Standing
from cockpit.model.verdict import Thresholds, Verdict


class LimitView(Value):
    """A number beside the bands at which something happens: a rollback trigger, or a condition of the current gate."""

    kind: Literal["trigger", "gate"]
    sign: Literal["<", ">"]
    value: float
    text: str


class ComparisonView(Value):
    """The candidate against the stable track, in one plain sentence with its sample sizes."""

    standing: Standing
    sentence: str
    at: datetime
    since: datetime | None = None


class SignalView(Value):
    """A number that is asked for again and again: the last measurement, and how it was asked.

    `query` is what was asked, resolved, `source` who answered; `link` opens it in the server's own user interface,
    `dashboard` is the runbook's own address for it. `samples` is on how many requests the value rests, `floor` how many
    it must.
    """

    id: str
    title: str
    unit: str
    decimals: int
    low_is_bad: bool = False
    value: float | None = None
    verdict: Verdict = Verdict.NO_DATA
    reason: str = ""
    at: datetime | None = None
    query: str = ""
    link: str = ""
    source: str = ""
    dashboard: str = ""
    samples: float | None = None
    floor: float | None = None
    warnings: tuple[str, ...] = ()


class MetricView(SignalView):
    """One metric with its bands, and the trend of the last measurements, oldest first.

    Where `low_is_bad`, Warning is from `warning_from` down, and Critical below `critical`.
    """

    warning_from: float
    critical: float
    trend: tuple[float | None, ...] = ()
    limits: tuple[LimitView, ...] = ()
    comparison: ComparisonView | None = None

    @property
    def thresholds(self) -> Thresholds:
        """The numbers and their direction."""
        return Thresholds(self.warning_from, self.critical, self.low_is_bad)


class ShareView(SignalView):
    """The candidate's share of the requests in percent, as the data plane shows it.

    `tolerances` are the accepted differences to what is commanded, in points, by step; other steps have `tolerance`.
    For `settles_s` after the traffic was moved a difference says nothing.
    """

    candidate: str
    tolerances: dict[str, int] = Field(default_factory=dict)
    tolerance: int
    settles_s: float


class ResidualView(SignalView):
    """Requests a second that still reach the canary route since it is out of service, and how many count as none."""

    candidate: str
    at_most: float
    settles_s: float


class MetricsView(Value):
    """All metrics, and the number of firing critical alerts; the share and the residual where the runbook has them."""

    metrics: tuple[MetricView, ...] = ()
    share: ShareView | None = None
    residual: ResidualView | None = None
    alerts_critical: int | None = None
    interval_s: float = 15.0
    loaded: bool = False
