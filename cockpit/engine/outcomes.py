"""The events by which an effect ends. Pure."""

from __future__ import annotations

from datetime import datetime

from cockpit.engine.actions.base import Done, TrafficChange
from cockpit.model.events import ActionFailed, ActionSucceeded, Event, WeightChanged
from cockpit.model.run import RunState, TrafficState
from cockpit.runbook.schema import Runbook


def failed(now: datetime, action_id: str, message: str, hint: str = "", optional: bool = False) -> Event:
    """The OUTCOME of a failure."""
    return ActionFailed(at=now, actor="engine", action=action_id, message=message, hint=hint, optional=optional)


def succeeded(book: Runbook, state: RunState, action_id: str, done: Done, now: datetime) -> tuple[Event, ...]:
    """The OUTCOME of a success, and what the traffic is at then."""
    event = ActionSucceeded(at=now, actor="engine", action=action_id, message=done.message, facts=dict(done.facts))
    return (event,) if done.traffic is None else (event, moved(book, state, action_id, done.traffic, now))


def moved(book: Runbook, state: RunState, by: str, change: TrafficChange, now: datetime) -> Event:
    """The commanded traffic after a change."""
    known = state.traffic or TrafficState(0, book.cluster.stable, True, now)
    return WeightChanged(
        at=now,
        actor="engine",
        weight=known.weight if change.weight is None else change.weight,
        active=known.active if change.active is None else change.active,
        canary=known.canary if change.canary is None else change.canary,
        by=by,
    )
