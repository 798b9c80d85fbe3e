"""The guard: whether a rollback trigger has tripped. Pure.

Only measured values count. Silence (NO_DATA, BROKEN) neither trips a trigger nor clears one; only a runbook that says
`on_monitoring_loss: rollback` counts down to the way back when no trigger at all could be measured for `loss_after`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from cockpit.engine import rollback
from cockpit.model.events import Event, TriggerDismissed, TriggerTripped
from cockpit.model.run import RunState
from cockpit.model.verdict import Measurement
from cockpit.runbook.base import format_duration
from cockpit.runbook.gate import Metric, MonitoringLoss, Trigger, TriggerResponse
from cockpit.runbook.schema import Runbook

MONITORING_LOST = "monitoring-lost"
LOSS_COUNTDOWN = timedelta(seconds=60)
"""How long a person may still say no when the monitoring is lost."""

_REACH = 2


def breaches(trigger: Trigger, history: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """The measured values of the last `of` that are beyond the trigger's number.

    They are looked for in twice as many measurements: what was too bad before a long silence says nothing about now.
    """
    recent = history[-_REACH * trigger.of :]
    measured = [entry for entry in recent if entry.verdict.measured and entry.value is not None][-trigger.of :]
    return tuple(entry for entry in measured if entry.value is not None and trigger.breached_by(entry.value))


def cleared_since(trigger: Trigger, history: Sequence[Measurement], since: datetime) -> bool:
    """Whether a value that does not breach the trigger's number was measured after `since`."""
    return any(
        entry.at > since and entry.verdict.measured and entry.value is not None and not trigger.breached_by(entry.value)
        for entry in history
    )


def watch(book: Runbook, state: RunState, histories: Mapping[str, Sequence[Measurement]], now: datetime) -> list[Event]:
    """The events of the first trigger that trips now; none while another one counts down."""
    if not state.status.forward or state.fenced is not None:
        return []
    if state.trip is not None:
        return _seen_again(book, state, histories, now)
    for trigger in book.rollback.triggers:
        history = histories.get(trigger.metric or "", ())
        dismissed = state.dismissed.get(trigger.id)
        if dismissed is not None and not cleared_since(trigger, history, dismissed):
            continue
        evidence = breaches(trigger, history)
        if trigger.metric is not None and len(evidence) >= trigger.breaches:
            return _trip(book, trigger, evidence, now)
    return _lost(book, state, histories, now)


def blind_since(book: Runbook, histories: Mapping[str, Iterable[Measurement]]) -> datetime | None:
    """Since when no trigger's metric has been measured; None while one is, or when none was asked for yet."""
    asked = {trigger.metric for trigger in book.rollback.triggers if trigger.metric is not None}
    began = [_silent_since(histories.get(metric, ())) for metric in asked]
    known = [at for at in began if at is not None]
    return max(known) if known and len(known) == len(began) else None


def _silent_since(history: Iterable[Measurement]) -> datetime | None:
    """When the silence at the end of a history began, None if it ends in a measured value."""
    began = None
    for entry in reversed(tuple(history)):
        if entry.verdict.measured:
            break
        began = entry.at
    return began


def _lost(book: Runbook, state: RunState, histories: Mapping[str, Sequence[Measurement]], now: datetime) -> list[Event]:
    """The way back when the runbook says that blindness is reason enough, and there is something to take back."""
    monitoring = book.monitoring
    since = blind_since(book, histories)
    if monitoring.on_monitoring_loss is not MonitoringLoss.ROLLBACK or since is None or not state.changed:
        return []
    dismissed = state.dismissed.get(MONITORING_LOST)
    if now - since < monitoring.loss_after or (dismissed is not None and dismissed >= since):
        return []
    asked = {trigger.metric for trigger in book.rollback.triggers}
    evidence = tuple(history[-1] for metric, history in histories.items() if metric in asked and history)
    reason = f"no trigger could be measured since {since:%H:%M:%S}: {evidence[0].reason}"
    return [
        TriggerTripped(
            at=now,
            actor="guard",
            trigger=MONITORING_LOST,
            title="Monitoring lost",
            reason=reason,
            evidence=evidence,
            rule=f"on_monitoring_loss: rollback after {format_duration(monitoring.loss_after)}",
            rollback_at=now + LOSS_COUNTDOWN,
        )
    ]


def _seen_again(
    book: Runbook, state: RunState, histories: Mapping[str, Sequence[Measurement]], now: datetime
) -> list[Event]:
    """A countdown for want of measurements ends when there is one."""
    if state.trip is None or state.trip.trigger != MONITORING_LOST or blind_since(book, histories) is not None:
        return []
    return [TriggerDismissed(at=now, actor="guard", trigger=MONITORING_LOST, reason="a trigger is measured again")]


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
        rule=_rule(trigger, metric),
        rollback_at=None if at_once else now + trigger.countdown,
    )
    if not at_once:
        return [tripped]
    back = rollback.start(book, now, "guard", f"{trigger.title}: {reason}", trigger=trigger.id, automatic=True)
    return [tripped, back]


def _rule(trigger: Trigger, metric: Metric) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{metric.title} {trigger.limit}{unit} in {trigger.breaches} of {trigger.of} measurements"


def _reason(trigger: Trigger, metric: Metric, evidence: tuple[Measurement, ...]) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    values = ", ".join(f"{entry.value:.{metric.decimals}f}" for entry in evidence if entry.value is not None)
    beyond = trigger.limit.replace(">", "above").replace("<", "below")
    return f"{metric.title} {values}{unit}, {beyond} in {len(evidence)} of {trigger.of} measurements"
