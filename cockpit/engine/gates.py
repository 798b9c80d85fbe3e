"""Gates: which conditions hold, and what the hold clock does. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.engine.plan import confirm_id, shifts_traffic
from cockpit.model.events import Event, GateBroke, GateHolding, GatePassed
from cockpit.model.run import GateState, RunState
from cockpit.model.status import GateStatus
from cockpit.model.verdict import ALERTS_CRITICAL, CANDIDATE_SHARE, Measurement, Verdict
from cockpit.runbook.actions import Traffic
from cockpit.runbook.gate import Condition, StableLevel
from cockpit.runbook.schema import Runbook, Step

WARMING = "warming up after the weight change"


@dataclass(frozen=True, slots=True)
class Checked:
    """One condition as it is now. `verdict` is NORMAL when met, WARNING when not, else why it cannot be told."""

    text: str
    verdict: Verdict
    reason: str = ""
    confirm: str = ""

    @property
    def met(self) -> bool:
        """Whether the condition holds."""
        return self.verdict is Verdict.NORMAL


@dataclass(frozen=True, slots=True)
class Sights:
    """What there is to judge by: the last measurement of each metric, and until when nothing counts."""

    measurements: Mapping[str, Measurement]
    warm_at: datetime | None = None


def check(book: Runbook, step: Step, state: RunState, sights: Sights, now: datetime) -> tuple[Checked, ...]:
    """All conditions of a step's gate, with the observed share as one more when the step shifts traffic."""
    if step.gate is None:
        return ()
    checked = [_condition(book, step, state, condition, sights) for condition in step.gate.conditions]
    if shifts_traffic(step) and book.monitoring.candidate_share is not None:
        checked.append(_share(step, state, sights))
    if sights.warm_at is not None and now < sights.warm_at:
        wait = (sights.warm_at - now).total_seconds()
        reason = f"{WARMING}, {wait:.0f} s more"
        checked = [
            entry if entry.confirm else Checked(entry.text, Verdict.NO_DATA, reason, entry.confirm) for entry in checked
        ]
    return tuple(checked)


def _condition(book: Runbook, step: Step, state: RunState, condition: Condition, sights: Sights) -> Checked:
    if condition.metric is not None and condition.below is not None:
        return _below(book, condition.metric, condition.below, sights)
    if condition.alerts_critical is not None:
        return _alerts(condition.alerts_critical, sights)
    if condition.all_metrics is not None:
        return _all_metrics(book, condition.all_metrics, sights)
    return _confirmed(step, state, condition)


def _below(book: Runbook, metric_id: str, limit: float, sights: Sights) -> Checked:
    metric = next(metric for metric in book.monitoring.metrics if metric.id == metric_id)
    unit = f" {metric.unit}" if metric.unit else ""
    text = f"{metric.title} < {limit:g}{unit}"
    seen = sights.measurements.get(metric_id)
    blind = _blind(seen)
    if blind is not None:
        return Checked(text, *blind)
    value = seen.value if seen and seen.value is not None else limit
    shown = f"{value:.{metric.decimals}f}{unit}"
    if value < limit:
        return Checked(text, Verdict.NORMAL, shown)
    return Checked(text, Verdict.WARNING, f"{shown}, must be < {limit:g}")


def _blind(seen: Measurement | None) -> tuple[Verdict, str] | None:
    if seen is None:
        return Verdict.NO_DATA, "not measured yet"
    if not seen.verdict.measured or seen.value is None:
        return seen.verdict if not seen.verdict.measured else Verdict.NO_DATA, seen.reason
    return None


def _alerts(limit: int, sights: Sights) -> Checked:
    text = "No critical alerts" if limit == 0 else f"Critical alerts ≤ {limit}"
    seen = sights.measurements.get(ALERTS_CRITICAL)
    blind = _blind(seen)
    if blind is not None:
        return Checked(text, *blind)
    count = int(seen.value) if seen and seen.value is not None else 0
    verdict = Verdict.NORMAL if count <= limit else Verdict.WARNING
    return Checked(text, verdict, "none firing" if count == 0 else f"{count} firing")


def _all_metrics(book: Runbook, level: StableLevel, sights: Sights) -> Checked:
    text = "All metrics stable" if level is StableLevel.WARNING else "All metrics normal"
    allowed = {Verdict.NORMAL} if level is StableLevel.NORMAL else {Verdict.NORMAL, Verdict.WARNING}
    for metric in book.monitoring.metrics:
        seen = sights.measurements.get(metric.id)
        blind = _blind(seen)
        if blind is not None:
            return Checked(text, blind[0], f"{metric.title}: {blind[1]}")
        if seen is not None and seen.verdict not in allowed:
            return Checked(text, Verdict.WARNING, f"{metric.title} {seen.verdict}")
    return Checked(text, Verdict.NORMAL, f"{len(book.monitoring.metrics)} metrics")


def _confirmed(step: Step, state: RunState, condition: Condition) -> Checked:
    name = confirm_id(step, condition.confirm_id)
    text = condition.confirm or name
    tick = state.ticks.get(name)
    if tick is not None and tick.done:
        return Checked(text, Verdict.NORMAL, f"confirmed by {tick.by}", name)
    return Checked(text, Verdict.WARNING, "a person must confirm it", name)


def _share(step: Step, state: RunState, sights: Sights) -> Checked:
    weight = state.traffic.weight if state.traffic else 0
    tolerance = next((action.tolerance for action in step.actions if isinstance(action, Traffic)), 5)
    text = f"Observed share within {tolerance} of {weight} %"
    seen = sights.measurements.get(CANDIDATE_SHARE)
    blind = _blind(seen)
    if blind is not None:
        return Checked(text, *blind)
    observed = seen.value if seen and seen.value is not None else -100.0
    met = abs(observed - weight) <= tolerance
    return Checked(text, Verdict.NORMAL if met else Verdict.WARNING, f"{observed:.1f} %")


def verdict(checked: tuple[Checked, ...]) -> Verdict:
    """The gate's verdict: NORMAL when all hold; what cannot be told comes before what does not hold."""
    verdicts = {entry.verdict for entry in checked}
    for candidate in (Verdict.BROKEN, Verdict.NO_DATA, Verdict.WARNING):
        if candidate in verdicts:
            return candidate
    return Verdict.NORMAL


def failing(checked: tuple[Checked, ...]) -> str:
    """In words, what does not hold, empty when everything does; what several have in common is said once."""
    unmet = [entry for entry in checked if not entry.met]
    if len(unmet) > 1 and len({entry.reason for entry in unmet}) == 1:
        return unmet[0].reason
    blind = [entry for entry in unmet if entry.verdict in (Verdict.BROKEN, Verdict.NO_DATA)]
    said = [f"{entry.text}: {entry.reason}" for entry in unmet if len(blind) < 2 or entry not in blind]
    if len(blind) > 1:
        said.insert(0, f"{len(blind)} of {len(checked)} conditions cannot be measured: {blind[0].reason}")
    return "; ".join(said)


def obstacles(checked: tuple[Checked, ...]) -> frozenset[tuple[str, str]]:
    """What stands in the way, without what changes at every look."""
    return frozenset(
        (entry.text, WARMING if entry.reason.startswith(WARMING) else entry.verdict.value)
        for entry in checked
        if not entry.met
    )


def clock(
    step: Step,
    gate: GateState,
    checked: tuple[Checked, ...],
    evidence: tuple[Measurement, ...],
    now: datetime,
    since_last: timedelta | None,
    longest_gap: timedelta,
    other_obstacles: bool = False,
) -> list[Event]:
    """What the hold clock does.

    `since_last` is the time since the conditions were last checked, None for the first time; `other_obstacles` says
    that the gate now waits for something else than then, which is worth a row of its own.
    """
    if gate.status in (GateStatus.PASSED, GateStatus.OVERRIDDEN):
        return []
    if not all(entry.met for entry in checked):
        if gate.status is GateStatus.HOLDING or not gate.reason or other_obstacles:
            return [GateBroke(at=now, actor="engine", step=step.id, reason=failing(checked))]
        return []
    if gate.status is GateStatus.WAITING:
        return [GateHolding(at=now, actor="engine", step=step.id)]
    if since_last is None or since_last > longest_gap:
        return [
            GateBroke(at=now, actor="engine", step=step.id, reason="nothing was measured for a while"),
            GateHolding(at=now, actor="engine", step=step.id),
        ]
    held = (now - (gate.held_since or now)).total_seconds()
    if held < gate.hold_s:
        return []
    return [GatePassed(at=now, actor="engine", step=step.id, held_s=held, evidence=evidence)]
