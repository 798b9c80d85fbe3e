"""Measurements, gates and decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from cockpit.model.comparison import Comparison
from cockpit.model.event_kinds.base import EventBase
from cockpit.model.readings import Series
from cockpit.model.verdict import Measurement, Verdict


class VerdictChanged(EventBase):
    """A metric's verdict changed."""

    type: Literal["metric.verdict"] = "metric.verdict"
    measurement: Measurement
    previous: Verdict | None = None
    title: str = ""
    shown: str = Field("", description="The value with its unit, as the screen shows it.")


class ComparisonChanged(EventBase):
    """How the candidate stands against the stable track changed."""

    type: Literal["metric.compared"] = "metric.compared"
    comparison: Comparison
    title: str = ""


class MetricsSampled(EventBase):
    """The regular record: the last measurements with their queries, and every reading since the row before."""

    type: Literal["metrics.sampled"] = "metrics.sampled"
    measurements: tuple[Measurement, ...]
    observed_share: float | None = None
    series: tuple[Series, ...] = ()


class GateOpened(EventBase):
    """A gate is measured from here on."""

    type: Literal["gate.opened"] = "gate.opened"
    step: str
    hold_s: float


class GateHolding(EventBase):
    """All conditions hold; the hold clock starts."""

    type: Literal["gate.holding"] = "gate.holding"
    step: str


class GateBroke(EventBase):
    """A condition does not hold (any more); the hold clock is at zero. `value` is what was measured, with its unit.

    `held_s` is how long the hold was that ended, 0 where there was none and the gate says what it waits for now.
    """

    type: Literal["gate.broke"] = "gate.broke"
    step: str
    reason: str
    value: str = ""
    held_s: float = 0.0


class GatePassed(EventBase):
    """The conditions held long enough; the evidence is frozen here."""

    type: Literal["gate.passed"] = "gate.passed"
    step: str
    held_s: float
    evidence: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    conditions: tuple[str, ...] = ()


class GateGaveUp(EventBase):
    """The gate cannot pass any more in its time; it is measured on, and what follows is an event of its own."""

    type: Literal["gate.gave_up"] = "gate.gave_up"
    step: str
    reason: str
    evidence: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


class GateOverridden(EventBase):
    """The commander went past a gate, and why; the evidence is what was seen then."""

    type: Literal["gate.overridden"] = "gate.overridden"
    step: str
    reason: str
    evidence: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


class DecisionOpened(EventBase):
    """The commander is asked."""

    type: Literal["decision.opened"] = "decision.opened"
    step: str
    question: str
    deadline: datetime | None = None
    default: str = "hold"


class DecisionMade(EventBase):
    """The answer: continue, hold, or rollback; the evidence is what was seen then, which may be long after the gate."""

    type: Literal["decision.made"] = "decision.made"
    step: str
    answer: str
    reason: str = ""
    evidence: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
