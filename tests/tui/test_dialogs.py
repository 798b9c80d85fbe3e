"""Dialogs on small terminals: what is confirmed and the keys that do it are always on the screen."""

from __future__ import annotations

import pytest

from cockpit.model.snapshot import TriggerView
from tests.tui.helpers import NARROW, TINY, WIDE, cockpit, press, screen_text, wait_for
from tests.tui.worlds import guard, snapshot
from widgets.dialog_text import fitted
from widgets.lines import Line, Tone


def text(*rows: str) -> list[Line]:
    """Rows of text; an empty one is a blank row."""
    return [((row, Tone.TEXT),) if row else () for row in rows]


@pytest.mark.parametrize(
    ("said", "height", "shown"),
    [
        (text("a", "", "b"), 3, ["a", "", "b"]),
        (text("a", "", "b"), 2, ["a", "b"]),
        (text("", "a", "", "b", ""), 4, ["a", "", "b", ""]),
        (text("a", "b", "c"), 2, ["a", "… 2 more lines: make the terminal higher"]),
        (text("a", "b"), 0, ["… 2 more lines: make the terminal higher"]),
    ],
)
def test_blank_rows_go_first_and_lost_ones_are_counted(said: list[Line], height: int, shown: list[str]) -> None:
    assert ["".join(part for part, _ in line) for line in fitted(said, height)] == shown


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("declared", [1, 6])
async def test_the_way_back_is_read_whole_at_every_size(size: tuple[int, int], declared: int) -> None:
    causes = [TriggerView(id=f"cause-{n}", title=f"Cause {n}", declared=True) for n in range(declared)]
    async with cockpit(snapshot(guard=guard(*causes)), size) as (app, pilot, _):
        await press(pilot, "R")
        wanted = ["ROLL BACK", "0:30", "at most 5:00", "Reason, for the journal", "Enter", "next: confirm", "Esc"]
        await wait_for(pilot, lambda: all(words in screen_text(app) for words in wanted), f"all of {wanted}")
