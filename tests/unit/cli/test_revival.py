from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cockpit.cli.revival import Left, fates, left_by, said
from cockpit.cli.status_json import dead_status_json
from cockpit.cli.status_text import status_text
from cockpit.model import events as e
from cockpit.model.run import ActionState, RunState
from cockpit.model.status import ActionStatus

AT = datetime(2026, 1, 8, 9, 0, tzinfo=UTC)
STATE = RunState(
    seq=41,
    actions={
        "deploy": ActionState(ActionStatus.DONE),
        "weight-10": ActionState(ActionStatus.RUNNING),
        "purge": ActionState(ActionStatus.FAILED),
    },
)


def test_what_a_dead_engine_left_open() -> None:
    assert left_by(STATE) == Left(41, ("weight-10",))
    found = dead_status_json("demo-1", "agent1", STATE, rehearsal=False)
    assert found["engine"] == {"pid": None, "alive": False, "left_open": ["weight-10"]}
    assert "under way when it ended: weight-10" in status_text(found)


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (e.ActionSucceeded(at=AT, actor="engine", action="weight-10", message=""), "weight-10: done"),
        (e.ActionFailed(at=AT, actor="engine", action="weight-10", message=""), "weight-10: failed"),
        (e.ActionAmbiguous(at=AT, actor="engine", action="weight-10", message=""), "weight-10: unknown"),
        (e.ActionReoffered(at=AT, actor="engine", action="weight-10"), "weight-10: read back"),
        (e.ActionSucceeded(at=AT, actor="engine", action="other", message=""), "weight-10: still being looked at"),
    ],
)
def test_what_became_of_it_is_one_line(event: e.Event, word: str) -> None:
    line = said(left_by(STATE), fates([event], ["weight-10"]))
    assert line.startswith("The engine had died; a new one took up the run: 41 events replayed")
    assert word in line
    assert "\n" not in line


def test_nothing_was_under_way() -> None:
    assert said(Left(3, ()), {}).endswith("3 events replayed, no action was under way.")
