"""The guard: whether a rollback trigger has tripped. Pure.

Only measured values count. Silence (NO_DATA, BROKEN) neither trips a trigger nor clears one; only a runbook that says
`on_monitoring_loss: rollback` counts down to the way back when no trigger at all could be measured for `loss_after`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from cockpit.engine import rollback, verdicts
from cockpit.model.events import Event, TriggerDismissed, TriggerRearmed, TriggerTripped
from cockpit.model.reduce import reduce
from cockpit.model.run import RunState
from cockpit.model.verdict import Measurement
from cockpit.runbook.base import format_duration
from cockpit.runbook.gate import Metric, MonitoringLoss, Trigger, TriggerResponse
from cockpit.runbook.schema import Runbook

MONITORING_LOST = "monitoring-lost"
LOSS_COUNTDOWN = timedelta(seconds=60)
"""How long a person may still say no when the monitoring is lost."""

_REACH = 2
_HEARD: Mapping[str, datetime] = MappingProxyType({})


def breaches(trigger: Trigger, history: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """The measured values of the last `of` that are beyond the trigger's number.

    They are looked for in twice as many measurements: what was too bad before a long silence says nothing about now.
    """
    recent = history[-_REACH * trigger.of :]
    measured = [entry for entry in recent if entry.verdict.measured and entry.value is not None][-trigger.of :]
    return tuple(entry for entry in measured if entry.value is not None and trigger.breached_by(entry.value))


def clearing(trigger: Trigger, history: Sequence[Measurement], since: datetime) -> Measurement | None:
    """The first value measured after `since` that does not breach the trigger's number."""
    later = (entry for entry in history if entry.at > since and entry.verdict.measured and entry.value is not None)
    return next((entry for entry in later if entry.value is not None and not trigger.breached_by(entry.value)), None)


def watch(
    book: Runbook,
    state: RunState,
    histories: Mapping[str, Sequence[Measurement]],
    now: datetime,
    silent: Mapping[str, datetime] = _HEARD,
) -> list[Event]:
    """The events of the trigger that goes back first; a countdown hides none that would go back before its end.

    `silent` has, for each metric without a measured value, since when: histories do not reach back for ever.
    """
    if not state.status.forward or state.fenced is not None:
        return []
    cleared = _cleared(book, state, histories, now)
    for event in cleared:
        state = reduce(state, event)
    tripped = _first_to_go_back(book, state, histories, now)
    if tripped:
        return [*cleared, *tripped]
    if state.trip is not None:
        return [*cleared, *_seen_again(book, state, histories, now)]
    return [*cleared, *_lost(book, state, histories, silent, now)]


def _cleared(
    book: Runbook, state: RunState, histories: Mapping[str, Sequence[Measurement]], now: datetime
) -> list[TriggerRearmed]:
    """The end of each dismissal whose value is good again: journaled, as the next engine knows no older values."""
    ended = []
    for trigger in book.rollback.triggers:
        since = state.dismissed.get(trigger.id)
        good = clearing(trigger, histories.get(trigger.metric or "", ()), since) if since is not None else None
        if good is not None:
            metric = _metric(book, trigger)
            reason = f"{metric.title} {verdicts.shown(metric, good.value)}"
            ended.append(TriggerRearmed(at=now, actor="guard", trigger=trigger.id, since=good.at, reason=reason))
    return ended


def _first_to_go_back(
    book: Runbook, state: RunState, histories: Mapping[str, Sequence[Measurement]], now: datetime
) -> list[Event]:
    ends = state.trip.rollback_at if state.trip is not None else None
    due = []
    for place, trigger in enumerate(book.rollback.triggers):
        if trigger.metric is None or trigger.id in state.dismissed:
            continue
        at = now if trigger.response is TriggerResponse.ROLLBACK else now + trigger.countdown
        history = histories.get(trigger.metric, ())
        since = state.rearmed.get(trigger.id)
        evidence = breaches(trigger, [entry for entry in history if since is None or entry.at > since])
        if len(evidence) >= trigger.breaches and (ends is None or at < ends):
            due.append((at, place, evidence))
    if not due:
        return []
    _, place, evidence = min(due, key=lambda entry: entry[:2])
    return _trip(book, book.rollback.triggers[place], evidence, now)


def blind_since(
    book: Runbook, histories: Mapping[str, Iterable[Measurement]], silent: Mapping[str, datetime] = _HEARD
) -> datetime | None:
    """Since when no trigger's metric has been measured; None while one is, or when none was asked for yet."""
    asked = {trigger.metric for trigger in book.rollback.triggers if trigger.metric is not None}
    began = [silent.get(metric) or _silent_since(histories.get(metric, ())) for metric in asked]
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


def _lost(
    book: Runbook,
    state: RunState,
    histories: Mapping[str, Sequence[Measurement]],
    silent: Mapping[str, datetime],
    now: datetime,
) -> list[Event]:
    """The way back when the runbook says that blindness is reason enough, and there is something to take back."""
    monitoring = book.monitoring
    since = blind_since(book, histories, silent)
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
    metric = _metric(book, trigger)
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


def _metric(book: Runbook, trigger: Trigger) -> Metric:
    return next(metric for metric in book.monitoring.metrics if metric.id == trigger.metric)


def _rule(trigger: Trigger, metric: Metric) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{metric.title} {trigger.limit}{unit} in {trigger.breaches} of {trigger.of} measurements"


def _reason(trigger: Trigger, metric: Metric, evidence: tuple[Measurement, ...]) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    values = ", ".join(
        verdicts.beside(metric, entry.value, trigger.above, trigger.below)
        for entry in evidence
        if entry.value is not None
    )
    beyond = trigger.limit.replace(">", "above").replace("<", "below")
    return f"{metric.title} {values}{unit}, {beyond} in {len(evidence)} of {trigger.of} measurements"
