"""The conditions of a gate: which of them hold now, and in words why not. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cockpit.engine import drift, verdicts
from cockpit.engine.plan import answered, commanded_share, confirm_id, planned_share, shifts_traffic
from cockpit.model.comparison import Comparison
from cockpit.model.run import RunState
from cockpit.model.verdict import ALERTS_CRITICAL, CANDIDATE_SHARE, Measurement, Verdict
from cockpit.runbook.actions import Traffic
from cockpit.runbook.gate import Condition, Metric, StableLevel
from cockpit.runbook.schema import Runbook, Step

WARMING = "warming up after the weight change"
USUAL_TOLERANCE = 5
"""Points between the observed and the commanded share, where a step has no traffic action that says how many."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One condition as it is now. `verdict` is NORMAL when met, WARNING when not, else why it cannot be told.

    `short` says what is wrong without the condition's text, and `value` is the number that it is about.
    """

    text: str
    verdict: Verdict
    reason: str = ""
    confirm: str = ""
    short: str = ""
    value: str = ""
    advisory: bool = False

    @property
    def met(self) -> bool:
        """Whether the condition holds."""
        return self.verdict is Verdict.NORMAL

    @property
    def blind(self) -> bool:
        """Whether it cannot be told if the condition holds."""
        return self.verdict in (Verdict.BROKEN, Verdict.NO_DATA)

    @property
    def said(self) -> str:
        """What is wrong, as a sentence of its own."""
        return self.short or f"{self.text}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Sights:
    """What there is to judge by: the last measurement and comparison of each metric, and until when nothing counts."""

    measurements: Mapping[str, Measurement]
    warm_at: datetime | None = None
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)


def check(book: Runbook, step: Step, state: RunState, sights: Sights, now: datetime) -> tuple[Checked, ...]:
    """All conditions of a step's gate, with the observed share and the comparisons when the step shifts traffic.

    A comparison that neither the gate nor the metric makes a condition is advisory: shown, and never decisive.
    """
    if step.gate is None:
        return ()
    checked = [
        replace(_condition(book, step, state, condition, sights), advisory=condition.advisory)
        for condition in step.gate.conditions
    ]
    if shifts_traffic(step) and book.monitoring.candidate_share is not None:
        checked.append(_share(step, state, sights))
    checked += _comparisons(book, step, sights)
    if sights.warm_at is not None and now < sights.warm_at:
        reason = f"{WARMING} until {sights.warm_at:%H:%M:%S}"
        checked = [
            entry if entry.confirm else Checked(entry.text, Verdict.NO_DATA, reason, advisory=entry.advisory)
            for entry in checked
        ]
    checked += _less_than_planned(book, state)
    if state.drift:
        checked.append(Checked("Nothing has drifted", Verdict.WARNING, drift.blocking(state)))
    return tuple(checked)


def _condition(book: Runbook, step: Step, state: RunState, condition: Condition, sights: Sights) -> Checked:
    if condition.metric is not None:
        return _limit(_metric(book, condition.metric), condition, sights)
    if condition.compare is not None:
        return _compared(_metric(book, condition.compare), sights)
    if condition.alerts_critical is not None:
        return _alerts(condition.alerts_critical, sights)
    if condition.all_metrics is not None:
        return _all_metrics(book, condition.all_metrics, sights)
    return _confirmed(step, state, condition)


def _metric(book: Runbook, metric_id: str) -> Metric:
    return next(metric for metric in book.monitoring.metrics if metric.id == metric_id)


def _limit(metric: Metric, condition: Condition, sights: Sights) -> Checked:
    unit = f" {metric.unit}" if metric.unit else ""
    bounds = [
        f"{sign} {limit:g}" for sign, limit in (("<", condition.below), (">", condition.above)) if limit is not None
    ]
    wanted = " and ".join(bounds)
    text = f"{metric.title} {wanted}{unit}"
    seen = sights.measurements.get(metric.id)
    blind = _blind(seen, sights)
    if blind is not None:
        return Checked(text, *blind)
    value = seen.value if seen and seen.value is not None else 0.0
    shown = f"{verdicts.beside(metric, value, condition.below, condition.above)}{unit}"
    below = condition.below is None or value < condition.below
    if below and (condition.above is None or value > condition.above):
        return Checked(text, Verdict.NORMAL, shown, value=shown)
    reason = f"{shown}, must be {wanted}"
    return Checked(text, Verdict.WARNING, reason, short=f"{metric.title} {reason}", value=shown)


def _blind(seen: Measurement | None, sights: Sights) -> tuple[Verdict, str] | None:
    """Why a measurement says nothing; what the server warns may be incomplete cannot show that all is well.

    One that was asked for before the warm-up was over has a window that reaches back beyond the weight change.
    """
    if seen is None:
        return Verdict.NO_DATA, "not measured yet"
    if sights.warm_at is not None and seen.at < sights.warm_at:
        return Verdict.NO_DATA, f"{WARMING}: the next measurement is the first that counts"
    if not seen.verdict.measured or seen.value is None:
        return seen.verdict if not seen.verdict.measured else Verdict.NO_DATA, seen.reason
    if seen.warnings:
        return Verdict.NO_DATA, f"data may be missing, the server warns: {seen.warnings[0]}"
    return None


def _compared(metric: Metric, sights: Sights) -> Checked:
    text = f"{metric.title} not worse than stable"
    seen = sights.comparisons.get(metric.id)
    if seen is None:
        return Checked(text, Verdict.NO_DATA, "not compared yet")
    short = f"{metric.title}: {seen.sentence}"
    return Checked(text, seen.standing.verdict, seen.sentence, short=short)


def _comparisons(book: Runbook, step: Step, sights: Sights) -> Iterator[Checked]:
    named = {condition.compare for condition in step.gate.conditions} if step.gate else set()
    if not splits_traffic(step):
        return
    for metric in book.monitoring.metrics:
        if metric.compare is not None and metric.id not in named:
            yield replace(_compared(metric, sights), advisory=not metric.compare.condition)


def _less_than_planned(book: Runbook, state: RunState) -> Iterator[Checked]:
    """Where the candidate has less traffic than the plan is at: a gate shows nothing of requests that are not sent.

    A person may move it down by hand, or adopt what somebody else did.
    """
    planned, commanded = planned_share(book, state), commanded_share(book, state)
    if planned is None or commanded is None or commanded >= planned:
        return
    reason = f"only {commanded} % are commanded"
    short = f"{reason}, the plan is at {planned} %: move it back, or override"
    yield Checked(f"{planned} % to the candidate", Verdict.WARNING, reason, short=short, value=f"{commanded} %")


def splits_traffic(step: Step) -> bool:
    """Whether both tracks have traffic after the step: there is something to compare."""
    weights = [action.weight for action in step.actions if isinstance(action, Traffic)]
    return bool(weights) and 0 < weights[-1] < 100


def _alerts(limit: int, sights: Sights) -> Checked:
    text = "No critical alerts" if limit == 0 else f"Critical alerts ≤ {limit}"
    seen = sights.measurements.get(ALERTS_CRITICAL)
    blind = _blind(seen, sights)
    if blind is not None:
        return Checked(text, *blind)
    count = math.ceil(seen.value) if seen and seen.value is not None else 0
    verdict = Verdict.NORMAL if count <= limit else Verdict.WARNING
    return Checked(text, verdict, "none firing" if count == 0 else f"{count} firing", value=f"{count} firing")


def _all_metrics(book: Runbook, level: StableLevel, sights: Sights) -> Checked:
    text = "All metrics stable" if level is StableLevel.WARNING else "All metrics normal"
    allowed = {Verdict.NORMAL} if level is StableLevel.NORMAL else {Verdict.NORMAL, Verdict.WARNING}
    seen = [(metric.title, sights.measurements.get(metric.id)) for metric in book.monitoring.metrics]
    bad = [
        f"{title} {entry.verdict}"
        for title, entry in seen
        if entry and entry.verdict.measured and entry.verdict not in allowed
    ]
    if bad:
        return Checked(text, Verdict.WARNING, ", ".join(bad))
    for title, entry in seen:
        blind = _blind(entry, sights)
        if blind is not None:
            return Checked(text, blind[0], f"{title}: {blind[1]}")
    return Checked(text, Verdict.NORMAL, f"{len(seen)} metrics")


def _confirmed(step: Step, state: RunState, condition: Condition) -> Checked:
    name = confirm_id(step, condition.confirm_id)
    text = condition.confirm or name
    tick = state.ticks.get(name)
    if tick is not None and answered(step, state, name):
        return Checked(text, Verdict.NORMAL, f"confirmed by {tick.by}", name)
    again = " again: the gate has begun anew since" if tick is not None and tick.done else ""
    return Checked(text, Verdict.WARNING, f"a person must confirm it{again}", name)


def _share(step: Step, state: RunState, sights: Sights) -> Checked:
    # What is observed is the route's share: a route that is off has none, whoever has the rest.
    weight = state.traffic.weight if state.traffic and state.traffic.canary else 0
    tolerance = next((action.tolerance for action in step.actions if isinstance(action, Traffic)), USUAL_TOLERANCE)
    text = f"Observed share within {tolerance} of {weight} %"
    seen = sights.measurements.get(CANDIDATE_SHARE)
    blind = _blind(seen, sights)
    if blind is not None:
        return Checked(text, *blind)
    observed = seen.value if seen and seen.value is not None else -100.0
    shown = f"{observed:.1f} %"
    # Within a wide tolerance of a small weight lies a candidate that nothing reaches: it shows nothing.
    reached = observed > 0 or weight == 0
    met = reached and abs(observed - weight) <= tolerance
    reason = shown if reached else f"{shown}: no request reaches the candidate"
    return Checked(text, Verdict.NORMAL if met else Verdict.WARNING, reason, value=shown)
