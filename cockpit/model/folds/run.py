"""The run, its steps, and what people ticked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cockpit.model import events as ev
from cockpit.model.folds.base import Fold, on_step
from cockpit.model.run import (
    RunState,
    StepState,
    TickState,
    put,
)
from cockpit.model.status import RunStatus


def _opened(state: RunState, event: ev.RunOpened) -> RunState:
    return replace(
        state,
        run=event.run,
        runbook=event.runbook,
        version=event.version,
        sha256=event.sha256,
        namespace=event.namespace,
        context=event.context,
        automatic=event.automatic,
        opened_at=event.at,
        commander=event.actor,
        commander_since=event.at,
    )


def _started(state: RunState, event: ev.RunStarted) -> RunState:
    return replace(state, started_at=event.at, status=RunStatus.RUNNING)


def _status(state: RunState, event: ev.RunStatusChanged) -> RunState:
    ended = event.at if event.status.final else None
    return replace(state, status=event.status, status_reason=event.reason, ended_at=ended)


def _closed(state: RunState, event: ev.RunClosed) -> RunState:
    return replace(state, closed=True, status=event.status)


def _held(state: RunState, event: ev.Held) -> RunState:
    return replace(state, held=True, held_reason=event.reason, **_overdue(state))


def _overdue(state: RunState) -> dict[str, Any]:
    """A hold marks the open decision, so that its deadline is acted on once."""
    for step_id, step in state.steps.items():
        if step.decision and not step.decision.answer:
            return {"steps": put(state.steps, step_id, replace(step, decision=replace(step.decision, overdue=True)))}
    return {}


def _resumed(state: RunState, event: ev.Resumed) -> RunState:
    return replace(state, held=False, held_reason="", resumed_at=event.at)


def _ticked(state: RunState, event: ev.ItemTicked) -> RunState:
    tick = TickState(done=event.done, by=event.actor, at=event.at, note=event.note)
    return replace(state, ticks=put(state.ticks, event.item, tick))


def _step_started(state: RunState, event: ev.StepStarted) -> RunState:
    return replace(state, steps=put(state.steps, event.step, StepState(started_at=event.at)))


def _step_finished(state: RunState, event: ev.StepFinished) -> RunState:
    return on_step(state, event.step, ended_at=event.at)


FOLDS: dict[str, Fold] = {
    "run.opened": _opened,
    "run.started": _started,
    "run.status": _status,
    "run.closed": _closed,
    "run.held": _held,
    "run.resumed": _resumed,
    "item.ticked": _ticked,
    "step.started": _step_started,
    "step.finished": _step_finished,
    "journal.degraded": lambda state, event: replace(state, degraded=event.problem),
    "journal.recovered": lambda state, event: replace(state, degraded=""),
}
