"""What the banner says in a few moments whose words are put together."""

from __future__ import annotations

from cockpit.model.snapshot import NextView
from tests.tui.worlds import NOW, header
from widgets.link_state import Line, LinkState
from widgets.notice import Notice, notice

UP = LinkState(line=Line.UP)
GATE = "Gate 2.1 has not passed: its conditions must hold for the whole hold time"


def said(following: NextView, **changes: object) -> Notice:
    return notice(header(**changes), following, None, UP, NOW)


def test_a_hold_because_of_a_question_has_one_mark_at_its_end() -> None:
    held = said(NextView(verb="Start"), held=True, held_reason="nobody answered in time: Continue or rollback?")
    assert held.detail.startswith("nobody answered in time: Continue or rollback? The guard goes on;")
    assert said(NextView(verb="Start"), held=True, held_reason="lunch").detail.startswith("lunch. The guard")


def test_an_override_says_what_it_goes_past_once() -> None:
    found = said(NextView(verb="Decide", detail="Continue or rollback?", blocked=GATE, override=GATE))
    assert found.title == GATE
    assert found.detail == "Then: Decide: Continue or rollback?"
    assert found.keys == (("o", "override"), ("h", "hold"), ("R", "roll back"))
    other = said(NextView(verb="Try again", blocked="Working: x", override="skip the action"))
    assert other.keys[0] == ("o", "override: skip the action")
