"""The guard: whether a rollback trigger has tripped. Pure.

Only measured values count. Silence (NO_DATA, BROKEN) neither trips a trigger nor clears one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cockpit.engine import rollback
from cockpit.model.events import Event, TriggerTripped
from cockpit.model.run import RunState
from cockpit.model.verdict import Measurement
from cockpit.runbook.gate import Metric, Trigger, TriggerResponse
from cockpit.runbook.schema import Runbook


def breaches(trigger: Trigger, history: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """The measured values of the last `of` that are above the trigger's number."""
    limit = trigger.above
    measured = [entry for entry in history if entry.verdict.measured and entry.value is not None][-trigger.of :]
    return tuple(entry for entry in measured if limit is not None and entry.value is not None and entry.value > limit)


def cleared_since(trigger: Trigger, history: Sequence[Measurement], since: datetime) -> bool:
    """Whether a value at or below the trigger's number was measured after `since`."""
    return any(
        entry.at > since and entry.verdict.measured and entry.value is not None and entry.value <= (trigger.above or 0)
        for entry in history
    )


def watch(book: Runbook, state: RunState, histories: Mapping[str, Sequence[Measurement]], now: datetime) -> list[Event]:
    """The events of the first trigger that trips now; none while another one counts down."""
    if not state.status.forward or state.trip is not None or state.fenced is not None:
        return []
    for trigger in book.rollback.triggers:
        history = histories.get(trigger.metric or "", ())
        dismissed = state.dismissed.get(trigger.id)
        if dismissed is not None and not cleared_since(trigger, history, dismissed):
            continue
        evidence = breaches(trigger, history)
        if trigger.metric is not None and len(evidence) >= trigger.breaches:
            return _trip(book, trigger, evidence, now)
    return []


def _trip(book: Runbook, trigger: Trigger, evidence: tuple[Measurement, ...], now: datetime) -> list[Event]:
    metric = next(metric for metric in book.monitoring.metrics if metric.id == trigger.metric)
    reason = _reason(trigger, metric, evidence)
    at_once = trigger.response is TriggerResponse.ROLLBACK
    tripped = TriggerTripped(
        at=now,
        actor="guard",
        trigger=trigger.id,
        title=trigger.title,
        reason=reason,
        evidence=evidence,
        rollback_at=None if at_once else now + trigger.countdown,
    )
    if not at_once:
        return [tripped]
    back = rollback.start(book, now, "guard", f"{trigger.title}: {reason}", trigger=trigger.id, automatic=True)
    return [tripped, back]


def _reason(trigger: Trigger, metric: Metric, evidence: tuple[Measurement, ...]) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    values = ", ".join(f"{entry.value:.{metric.decimals}f}" for entry in evidence if entry.value is not None)
    return f"{metric.title} {values}{unit}, above {trigger.above:g} in {len(evidence)} of {trigger.of} measurements"
