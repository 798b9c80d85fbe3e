"""The escalation ladder: when it starts, who is called next, when it ends. Pure."""

from __future__ import annotations

from datetime import datetime

from cockpit.model.events import EscalationEnded, EscalationLevelReached, EscalationStarted, Event
from cockpit.model.run import RunState
from cockpit.model.status import RunStatus
from cockpit.model.verdict import Verdict
from cockpit.runbook.people import EscalationLevel
from cockpit.runbook.schema import Runbook


def cause(book: Runbook, state: RunState, blind_since: datetime | None, now: datetime) -> str:
    """Why people must be called, empty when nothing is wrong.

    `blind_since` is since when a gate has been without measurements.
    """
    if state.status in (RunStatus.PREPARING, RunStatus.ABORTED):
        return ""
    titles = {metric.id: metric.title for metric in book.monitoring.metrics}
    critical = [titles.get(metric, metric) for metric, verdict in state.verdicts.items() if verdict is Verdict.CRITICAL]
    if critical:
        return f"{', '.join(critical)} CRITICAL"
    if state.status is RunStatus.ROLLBACK_FAILED:
        return "The rollback failed"
    if state.degraded:
        return "The journal cannot be written"
    if state.drift:
        return f"Somebody else changed {', '.join(state.drift)}"
    if any(step.decision and step.decision.overdue and not step.decision.answer for step in state.steps.values()):
        return "Nobody has decided in time"
    if blind_since is not None and now - blind_since >= book.escalation.no_data_after:
        return "The gate cannot be measured"
    return ""


def events(book: Runbook, state: RunState, why: str, now: datetime) -> list[Event]:
    """What the ladder does now."""
    ladder = state.escalation
    if not why:
        return [EscalationEnded(at=now, actor="engine", reason="the cause is gone")] if ladder else []
    if ladder is None:
        return [EscalationStarted(at=now, actor="engine", cause=why)]
    level = level_at(book, (now - ladder.since).total_seconds())
    if level is None or level.level <= ladder.level or ladder.acknowledged_at is not None:
        return []
    return [EscalationLevelReached(at=now, actor="engine", level=level.level, call=level.call)]


def level_at(book: Runbook, seconds: float) -> EscalationLevel | None:
    """The highest level that is due so many seconds after the start."""
    reached = [level for level in book.escalation.levels if level.after.total_seconds() <= seconds]
    return reached[-1] if reached else None
