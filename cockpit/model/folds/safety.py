"""Triggers, the way back, readiness."""

from __future__ import annotations

from dataclasses import replace

from cockpit.model import events as ev
from cockpit.model.folds.base import Fold
from cockpit.model.run import (
    ActionState,
    ReadinessState,
    RollbackState,
    RollbackStepState,
    RunState,
    TripState,
    put,
)
from cockpit.model.status import RunStatus


def _tripped(state: RunState, event: ev.TriggerTripped) -> RunState:
    return replace(state, trip=TripState(event.trigger, event.title, event.reason, event.at, event.rollback_at))


def _trip_dismissed(state: RunState, event: ev.TriggerDismissed) -> RunState:
    return replace(state, trip=None, dismissed=put(state.dismissed, event.trigger, event.at))


def _rearmed(state: RunState, event: ev.TriggerRearmed) -> RunState:
    dismissed = {name: at for name, at in state.dismissed.items() if name != event.trigger}
    return replace(state, dismissed=dismissed, rearmed=put(state.rearmed, event.trigger, event.since))


def _rollback_started(state: RunState, event: ev.RollbackStarted) -> RunState:
    rollback = RollbackState(
        reason=event.reason,
        actor=event.actor,
        started_at=event.at,
        trigger=event.trigger,
        needed=event.needed,
        automatic=event.automatic,
    )
    afresh = {
        **state.actions,
        **{action: ActionState(consented=state.action(action).consented) for action in event.actions},
    }
    return replace(
        state, rollback=rollback, actions=afresh, status=RunStatus.ROLLING_BACK, trip=None, ended_at=None, drift={}
    )


def _rollback_step_started(state: RunState, event: ev.RollbackStepStarted) -> RunState:
    return _rollback_step(state, event.step, RollbackStepState(status="running", started_at=event.at))


def _rollback_step(state: RunState, step_id: str, step: RollbackStepState) -> RunState:
    if state.rollback is None:
        return state
    return replace(state, rollback=replace(state.rollback, steps=put(state.rollback.steps, step_id, step)))


def _rollback_step_finished(state: RunState, event: ev.RollbackStepFinished) -> RunState:
    known = state.rollback.steps.get(event.step) if state.rollback else None
    started = known.started_at if known else event.at
    return _rollback_step(state, event.step, RollbackStepState(event.status, started, event.at, event.message))


def _rollback_finished(state: RunState, event: ev.RollbackFinished) -> RunState:
    if state.rollback is None:
        return state
    return replace(state, rollback=replace(state.rollback, ended_at=event.at, succeeded=event.succeeded))


def _readiness(state: RunState, event: ev.ReadinessChanged) -> RunState:
    return replace(state, readiness=ReadinessState(event.ready, event.reasons, event.at))


FOLDS: dict[str, Fold] = {
    "trigger.tripped": _tripped,
    "trigger.dismissed": _trip_dismissed,
    "trigger.rearmed": _rearmed,
    "rollback.started": _rollback_started,
    "rollback.step_started": _rollback_step_started,
    "rollback.step_finished": _rollback_step_finished,
    "rollback.finished": _rollback_finished,
    "readiness.changed": _readiness,
}
