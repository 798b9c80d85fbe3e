"""Escalation and messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cockpit.model import events as ev
from cockpit.model.folds.base import Fold
from cockpit.model.run import (
    EscalationState,
    MessageState,
    RunState,
    put,
)


def _escalation_started(state: RunState, event: ev.EscalationStarted) -> RunState:
    return replace(state, escalation=EscalationState(since=event.at, cause=event.cause))


def _escalation_level(state: RunState, event: ev.EscalationLevelReached) -> RunState:
    return replace(state, escalation=state.escalation and replace(state.escalation, level=event.level))


def _escalation_acknowledged(state: RunState, event: ev.EscalationAcknowledged) -> RunState:
    if state.escalation is None:
        return state
    acknowledged = replace(state.escalation, acknowledged_by=event.actor, acknowledged_at=event.at)
    return replace(state, escalation=acknowledged)


def _escalation_ended(state: RunState, event: ev.EscalationEnded) -> RunState:
    return replace(state, escalation=None)


def _message(status: str) -> Callable[[RunState, Any], RunState]:
    def fold(state: RunState, event: Any) -> RunState:
        key = f"{event.message}@{event.channel}"
        known = state.messages.get(key)
        if known is None:
            return state
        detail = getattr(event, "proof", "") or getattr(event, "error", "")
        attempts = getattr(event, "attempt", known.attempts)
        changed = replace(known, status=status, at=event.at, detail=detail, attempts=attempts)
        return replace(state, messages=put(state.messages, key, changed))

    return fold


def _message_queued(state: RunState, event: ev.MessageQueued) -> RunState:
    message = MessageState(event.message, event.channel, event.text, "queued", event.at)
    return replace(state, messages=put(state.messages, f"{event.message}@{event.channel}", message))


FOLDS: dict[str, Fold] = {
    "escalation.started": _escalation_started,
    "escalation.level": _escalation_level,
    "escalation.acknowledged": _escalation_acknowledged,
    "escalation.ended": _escalation_ended,
    "message.queued": _message_queued,
    "message.tried": _message("trying"),
    "message.sent": _message("sent"),
    "message.failed": _message("failed"),
}
