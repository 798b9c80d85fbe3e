from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.model.snapshot import StepView
from cockpit.model.status import StepStatus
from tests.tui.worlds import NOW
from widgets.lines import Line, Tone
from widgets.plan_pane import around, step_row

ROWS: list[Line] = [((str(number), Tone.TEXT),) for number in range(9)]


@pytest.mark.parametrize(
    ("focus", "room", "shown"),
    [
        (4, 1, "4"),
        (4, 2, "34"),
        (4, 6, "234567"),
        (0, 1, "0"),
        (8, 1, "8"),
        (8, 3, "678"),
        (4, 0, ""),
        (4, 20, "012345678"),
    ],
)
def test_what_is_now_is_in_sight_however_little_room_there_is(focus: int, room: int, shown: str) -> None:
    assert "".join(text for row in around(ROWS, focus, room) for text, _ in row) == shown


def test_the_time_of_a_step_that_was_left_does_not_run_on() -> None:
    step = StepView(id="2.2", title="Half", status=StepStatus.GATING, started_at=NOW - timedelta(minutes=9))
    assert "9m" in "".join(text for text, _ in step_row(step, 60, NOW, current=True))
    left = step.model_copy(update={"status": StepStatus.STOPPED})
    line = "".join(text for text, _ in step_row(left, 60, NOW, current=True))
    assert "9m" not in line
    assert line.endswith("◀ stopped ")
