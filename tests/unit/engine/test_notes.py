from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cockpit.engine.advance import Refused
from cockpit.engine.orders import Accepted, Moment, answer
from cockpit.model.commands import COMMAND, Note
from cockpit.model.describe import describe
from cockpit.model.events import Noted
from cockpit.model.run import RunState
from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path

NOW = datetime(2026, 1, 8, 9, tzinfo=UTC)


def noted(text: str, **state: object) -> Accepted | Refused:
    book = load(config_path("runbooks/minimal.yaml"), {}, {}).runbook
    moment = Moment(book, RunState(**state), NOW, "agent1")  # type: ignore[arg-type]
    return answer(moment, Note(text=text))


def test_a_note_is_one_row_and_says_who() -> None:
    result = noted("Opened: shell in web-1")
    assert isinstance(result, Accepted)
    (event,) = result.events
    assert isinstance(event, Noted)
    assert (event.actor, describe(event)) == ("agent1", "Opened: shell in web-1")


def test_a_note_is_cleaned() -> None:
    result = noted("\x1b[31mred\nline")
    assert isinstance(result, Accepted)
    assert describe(result.events[0]) == "\ufffd[31mred line"


@pytest.mark.parametrize(("text", "state"), [("  ", {}), ("x", {"closed": True})])
def test_a_note_that_is_refused(text: str, state: dict[str, object]) -> None:
    assert isinstance(noted(text, **state), Refused)


def test_a_note_crosses_the_line() -> None:
    assert COMMAND.validate_json(COMMAND.dump_json(Note(text="x"))) == Note(text="x")
