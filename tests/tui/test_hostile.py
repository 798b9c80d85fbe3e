"""Text from outside is never a command to the terminal, nor to the app."""

from __future__ import annotations

import pytest

from cockpit.link.feed import Recorded
from cockpit.model import events as e
from cockpit.model.commands import Reply
from tests.tui.helpers import NARROW, WIDE, cockpit, screen_text, wait_for
from tests.tui.worlds import NOW, hostile

EVIL = "\x1b]52;c;aGk=\x07[@click=app.leave]x[/]\x9b31m\u202e"


def assert_inert(text: str) -> None:
    assert not [
        char for char in text if (ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066"
    ]


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("key", ["", "p", "g", "j", "m", "i", "b", "c", "question_mark", "R", "D"])
async def test_every_screen_is_inert(size: tuple[int, int], key: str) -> None:
    async with cockpit(hostile(), size) as (app, pilot, line):
        line.put(Recorded(rows=(e.Noted(seq=500, at=NOW, actor=EVIL, text=EVIL, level="error"),)))
        await wait_for(pilot, lambda: app.main.rows[-1].seq == 500, "the row")
        if key:
            await pilot.press(key)
        await pilot.pause()
        assert_inert(screen_text(app))
        for strip in app.screen._compositor.render_strips():
            assert all("@click" not in str(segment.style.meta if segment.style else "") for segment in strip)
        if key in ("", "p", "g"):
            assert "\ufffd" in screen_text(app)


async def test_replies_are_inert_and_no_markup() -> None:
    async with cockpit(hostile()) as (app, pilot, line):
        line.reply = Reply(ok=False, message=EVIL, hint=EVIL)
        await pilot.press("h")
        await wait_for(pilot, lambda: "Not done" in screen_text(app), "the reply")
        assert_inert(screen_text(app))
        assert "[@click=app.leave]" in screen_text(app)
