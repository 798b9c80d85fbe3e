"""Only what changed is painted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip

from cockpit.tui.app import CockpitApp
from tests.tui.helpers import cockpit, wait_for
from tests.tui.worlds import NOW, journal, pods, rolling_back, snapshot, storm
from widgets.journal_pane import JournalPane
from widgets.lines import (
    Tone,
    changed_cells,
    changed_regions,
    changed_runs,
    cut,
    ends,
    fit,
    middle,
    right,
    width_of,
    wrap,
)
from widgets.pane import Pane
from widgets.rollback_pane import RollbackPane


class Painted:
    """Counts the cells that panes ask to be painted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cells: dict[str, int] = {}
        real = Pane.refresh

        def refresh(pane: Pane, *regions: Region, **options: Any) -> Any:
            area = sum(region.area for region in regions) if regions else pane.size.area
            self.cells[pane.id or ""] = self.cells.get(pane.id or "", 0) + area
            return real(pane, *regions, **options)

        monkeypatch.setattr(Pane, "refresh", refresh)


async def freeze(app: CockpitApp, pilot: Pilot[int]) -> None:
    """Stop the screen's clock, so that only the test changes what is shown."""
    fixed = app.main.run_time()
    app.main.tick = lambda: None  # type: ignore[method-assign]
    app.main.run_time = lambda: fixed  # type: ignore[method-assign]
    app.main.now = fixed
    await pilot.pause()


async def test_an_equal_snapshot_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    state = snapshot()
    async with cockpit(state) as (app, pilot, line):
        await freeze(app, pilot)
        painted = Painted(monkeypatch)
        line.show(type(state).model_validate_json(state.model_dump_json()))
        await wait_for(pilot, line.queue.empty, "the update is taken")
        await pilot.pause()
        assert {name: cells for name, cells in painted.cells.items() if name not in ("header", "banner")} == {}


async def test_a_second_paints_a_few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cockpit(snapshot()) as (app, pilot, _):
        await freeze(app, pilot)
        app.main.now = NOW
        await pilot.pause()
        painted = Painted(monkeypatch)
        app.main.now = NOW + timedelta(seconds=1)
        await pilot.pause()
        assert sum(painted.cells.values()) <= 40, painted.cells
        assert {"pods", "metrics", "journal", "checklist", "traffic"}.isdisjoint(painted.cells)


async def test_a_pod_that_changes_paints_its_own_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cockpit(snapshot()) as (app, pilot, _):
        await freeze(app, pilot)
        painted = Painted(monkeypatch)
        changed = list(pods().pods)
        changed[0] = changed[0].model_copy(update={"restarts": 1})
        app.main.pods = pods(pods=tuple(changed))
        await pilot.pause()
        assert set(painted.cells) == {"pods"}
        assert painted.cells["pods"] <= 5


async def test_a_pane_that_appears_is_painted_with_its_words_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first: dict[int, str] = {}
    real = RollbackPane.render_line

    def render_line(pane: RollbackPane, y: int) -> Strip:
        strip = real(pane, y)
        first.setdefault(y, strip.text)
        return strip

    monkeypatch.setattr(RollbackPane, "render_line", render_line)
    async with cockpit(snapshot()) as (_, pilot, line):
        first.clear()
        line.show(rolling_back())
        await wait_for(pilot, lambda: len(first) > 3, "the way back is painted")
        assert first[0].strip().startswith("ROLLBACK"), "no empty frame while the alarm rings"


async def test_five_thousand_pods_can_be_scrolled_and_filtered() -> None:
    async with cockpit(storm()) as (app, pilot, _):
        await pilot.press("p")
        table = app.screen.query_one("#table")
        await wait_for(pilot, lambda: len(table.rows) == 5000, "all rows")  # type: ignore[attr-defined]
        await pilot.press("end")
        await wait_for(pilot, lambda: table.scroll_offset.y > 4900, "the end")
        await pilot.press("slash", *"04999")
        await wait_for(pilot, lambda: len(table.rows) == 1, "one row")  # type: ignore[attr-defined]
        await pilot.press("enter", "escape")
        await wait_for(pilot, lambda: app.screen is app.main, "back")


async def test_the_journal_screen_searches_and_keeps_the_newest_in_sight() -> None:
    async with cockpit(snapshot()) as (app, pilot, _):
        await pilot.press("j", "slash", *"redis-nothing")
        table = app.screen.query_one("#table")
        await wait_for(pilot, lambda: len(table.rows) == 0, "nothing found")  # type: ignore[attr-defined]
        assert app.main.query_one(JournalPane).rows[-1].seq == journal()[-1].seq


T = Tone.TEXT


@pytest.mark.parametrize(
    ("old", "new", "span"),
    [
        ((("abc", T),), (("abc", T),), None),
        ((("abc", T),), (("abd", T),), (2, 1)),
        ((("abc", T),), (("xbc", T),), (0, 1)),
        ((("abcd", T),), (("axyd", T),), (1, 2)),
        ((("abc", T),), (("abc", Tone.BAD),), (0, 3)),
        ((("abc", T),), (("a", T),), (1, 2)),
        ((), (("ab", T),), (0, 2)),
        ((("a世b", T),), (("a世c", T),), (3, 1)),
        ((("世", T),), (("ab", T),), (0, 2)),
    ],
)
def test_changed_cells(old: Any, new: Any, span: Any) -> None:
    assert changed_cells(old, new) == span


def test_changed_regions_cover_lines_that_came_and_went() -> None:
    regions = list(changed_regions([(("a", T),), (("b", T),)], [(("a", T),)]))
    assert regions == [Region(0, 1, 1, 1)]


@pytest.mark.parametrize("text", ["", "short", "a longer text than fits", "世界世界世界世界", "\x1b[31mred\x07"])
@pytest.mark.parametrize("width", [0, 1, 4, 9, 12])
def test_text_is_cut_to_its_cells(text: str, width: int) -> None:
    assert width_of(((cut(text, width), T),)) <= width
    for made in (fit(text, width), right(text, width), middle(text, width)):
        assert width_of(((made, T),)) == width
    assert all(width_of(((line, T),)) <= width for line in wrap(text, width))
    assert width_of(ends(((text, T),), (("end", T),), max(width, 4))) <= max(width, 4)


def test_wrap_keeps_words_and_limits_lines() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("one two three four", 8, 2) == ["one two", "three f…"]
    assert wrap("", 8) == []


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("aaaa", "aaaa", []),
        ("abcd", "aBcd", [(1, 1)]),
        ("a" + "-" * 20 + "b", "A" + "-" * 20 + "B", [(0, 1), (21, 1)]),
        ("a" + "-" * 7 + "b", "A" + "-" * 7 + "B", [(0, 9)]),
        ("a" + "-" * 20 + "b", "A" + "-" * 20, [(0, 22)]),
        ("漢" + "-" * 20 + "b", "字" + "-" * 20 + "B", [(0, 23)]),
    ],
)
def test_changes_that_are_far_apart_are_painted_apart(old: str, new: str, runs: list[tuple[int, int]]) -> None:
    assert list(changed_runs(((old, Tone.TEXT),), ((new, Tone.TEXT),))) == runs


def test_the_same_cells_in_other_spans_are_not_painted_again() -> None:
    old, new = (("ab", Tone.TEXT),), (("a", Tone.TEXT), ("b", Tone.TEXT))
    assert list(changed_runs(old, new)) == []
    assert list(changed_regions([old], [new])) == []
