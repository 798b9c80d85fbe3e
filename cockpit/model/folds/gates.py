"""Verdicts, gates and decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cockpit.model import events as ev
from cockpit.model.folds.base import Fold, on_step
from cockpit.model.run import (
    DecisionState,
    GateState,
    RunState,
    put,
)
from cockpit.model.status import GateStatus


def _verdict(state: RunState, event: ev.VerdictChanged) -> RunState:
    return replace(state, verdicts=put(state.verdicts, event.measurement.metric, event.measurement.verdict))


def _gate_opened(state: RunState, event: ev.GateOpened) -> RunState:
    gate = GateState(status=GateStatus.WAITING, opened_at=event.at, hold_s=event.hold_s)
    return on_step(state, event.step, gate=gate)


def _gate(state: RunState, step_id: str, **changes: Any) -> RunState:
    gate = state.steps[step_id].gate
    return on_step(state, step_id, gate=replace(gate, **changes)) if gate else state


def _gate_holding(state: RunState, event: ev.GateHolding) -> RunState:
    return _gate(state, event.step, status=GateStatus.HOLDING, held_since=event.at, reason="")


def _gate_broke(state: RunState, event: ev.GateBroke) -> RunState:
    """The clock is at zero. What broke a hold stays known when the gate later waits for something else besides.

    One that had passed is opened anew, with all its time, and is asked about again.
    """
    gate = state.steps[event.step].gate
    if gate is None:
        return state
    waiting = replace(gate, status=GateStatus.WAITING, held_since=None, reason=event.reason)
    if gate.status in (GateStatus.HOLDING, GateStatus.PASSED):
        waiting = replace(waiting, broke_at=event.at, broke_value=event.value)
    if gate.status is not GateStatus.PASSED:
        return on_step(state, event.step, gate=waiting)
    return on_step(state, event.step, gate=replace(waiting, opened_at=event.at, gave_up=False), decision=None)


def _gate_gave_up(state: RunState, event: ev.GateGaveUp) -> RunState:
    return _gate(state, event.step, gave_up=True, reason=event.reason)


def _gate_passed(state: RunState, event: ev.GatePassed) -> RunState:
    return _gate(state, event.step, status=GateStatus.PASSED, reason="")


def _gate_overridden(state: RunState, event: ev.GateOverridden) -> RunState:
    return _gate(state, event.step, status=GateStatus.OVERRIDDEN, reason=event.reason)


def _decision_opened(state: RunState, event: ev.DecisionOpened) -> RunState:
    decision = DecisionState(event.question, event.at, event.deadline, event.default)
    return on_step(state, event.step, decision=decision)


def _decision_made(state: RunState, event: ev.DecisionMade) -> RunState:
    decision = state.steps[event.step].decision
    if decision is None:
        return state
    return on_step(state, event.step, decision=replace(decision, answer=event.answer, by=event.actor))


FOLDS: dict[str, Fold] = {
    "metric.verdict": _verdict,
    "gate.opened": _gate_opened,
    "gate.holding": _gate_holding,
    "gate.broke": _gate_broke,
    "gate.passed": _gate_passed,
    "gate.gave_up": _gate_gave_up,
    "gate.overridden": _gate_overridden,
    "decision.opened": _decision_opened,
    "decision.made": _decision_made,
}
