"""What folds have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from cockpit.model.run import (
    GateState,
    RunState,
    put,
)
from cockpit.model.status import GateStatus

Fold = Callable[[RunState, Any], RunState]
_THROUGH = (GateStatus.PASSED, GateStatus.OVERRIDDEN)


def on_step(state: RunState, step_id: str, **changes: Any) -> RunState:
    """The state with a step changed."""
    return replace(state, steps=put(state.steps, step_id, replace(state.steps[step_id], **changes)))


def opened_anew(state: RunState, at: datetime) -> RunState:
    """The state after a change of the traffic: what a gate has passed by, or was overridden for, is of before.

    A step whose decision is still open must have its gate hold again, and is asked about again.
    """
    if not state.status.forward:
        return state
    for name, step in state.steps.items():
        if step.ended_at is None and step.gate is not None and step.gate.status in _THROUGH:
            gate = GateState(GateStatus.WAITING, at, step.gate.hold_s, broke_at=at, reason="the traffic was changed")
            state = on_step(state, name, gate=gate, decision=None)
    return state
