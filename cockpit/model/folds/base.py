"""What folds have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cockpit.model.run import (
    RunState,
    put,
)

Fold = Callable[[RunState, Any], RunState]


def on_step(state: RunState, step_id: str, **changes: Any) -> RunState:
    """The state with a step changed."""
    return replace(state, steps=put(state.steps, step_id, replace(state.steps[step_id], **changes)))
