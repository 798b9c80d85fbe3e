from __future__ import annotations

import pytest

from cockpit.engine.plan import shown_status
from cockpit.model.run import RunState
from cockpit.model.status import RunStatus, StepStatus


@pytest.mark.parametrize(
    ("run", "step", "shown"),
    [
        (RunStatus.RUNNING, StepStatus.GATING, StepStatus.GATING),
        (RunStatus.COMPLETED, StepStatus.DONE, StepStatus.DONE),
        (RunStatus.ROLLING_BACK, StepStatus.GATING, StepStatus.STOPPED),
        (RunStatus.ROLLED_BACK, StepStatus.DECIDING, StepStatus.STOPPED),
        (RunStatus.ROLLBACK_FAILED, StepStatus.ACTING, StepStatus.STOPPED),
        (RunStatus.ROLLED_BACK, StepStatus.FAILED, StepStatus.FAILED),
        (RunStatus.ROLLED_BACK, StepStatus.DONE, StepStatus.DONE),
        (RunStatus.ABORTED, StepStatus.PENDING, StepStatus.PENDING),
    ],
)
def test_a_step_that_was_left_is_not_said_to_be_under_way(run: RunStatus, step: StepStatus, shown: StepStatus) -> None:
    assert shown_status(step, RunState(status=run)) is shown
