"""Lost lines, closed runs, leaving, crashing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.link.feed import Connected, Heard, Recorded, Silent
from cockpit.model.commands import Release
from cockpit.model.snapshot import SilentWorker
from cockpit.model.status import RunStatus, Worker
from cockpit.tui.crash import last_words, write_crash
from tests.tui.helpers import NARROW, WIDE, cockpit, pane_text, screen_text, wait_for
from tests.tui.worlds import NOW, alarm, completed, header, journal, rolled_back, snapshot
from widgets.header_bar import identity


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_lost_engine_is_said_big_and_nothing_exits(size: tuple[int, int]) -> None:
    async with cockpit(alarm(), size) as (app, pilot, line):
        line.lose("connection refused")
        await wait_for(pilot, lambda: "ENGINE LOST" in screen_text(app), "the banner")
        text = screen_text(app)
        assert "last seen 09:41:" in text
        assert "OLD" in text
        assert "connection refused" in text
        assert app.main.query_one("#metrics").has_class("-lost")
        assert app.is_running


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_silent_engine_is_said_big_until_it_speaks(size: tuple[int, int]) -> None:
    async with cockpit(snapshot(), size) as (app, pilot, line):
        line.put(Silent(seconds=2.5))
        await wait_for(pilot, lambda: "ENGINE SILENT" in screen_text(app), "the banner")
        assert "NOTHING GUARDS" in screen_text(app)
        assert app.main.lost
        assert app.main.query_one("#metrics").has_class("-lost")
        line.put(Heard())
        await wait_for(pilot, lambda: "ENGINE SILENT" not in screen_text(app), "it speaks")
        assert not app.main.lost


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize(
    ("worker", "label"), [("decisions", "ENGINE HANGS"), ("guard", "GUARD SILENT"), ("lease", "LEASE SILENT")]
)
async def test_an_engine_that_speaks_and_a_part_of_it_that_hangs(
    size: tuple[int, int], worker: str, label: str
) -> None:
    whole = snapshot()
    late = SilentWorker(worker=Worker(worker), since=NOW - timedelta(seconds=40))
    hanging = whole.model_copy(update={"guard": whole.guard.model_copy(update={"silent": (late,)})})
    async with cockpit(hanging, size) as (app, pilot, line):
        await wait_for(pilot, lambda: f"{label} 0:4" in screen_text(app), "the banner")
        assert "Last round at 09:40:27 UTC" in screen_text(app)
        assert not app.main.lost
        await pilot.press("R")
        await wait_for(pilot, lambda: "ROLL BACK" in screen_text(app) and "Reason" in screen_text(app), "the dialog")
        await pilot.press("escape")
        line.show(whole)
        await wait_for(pilot, lambda: label not in screen_text(app), "it turns again")


async def test_the_time_of_loss_is_the_first_one() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        line.lose("first")
        await wait_for(pilot, lambda: app.main.link.reason == "first", "lost")
        since = app.main.link.since
        line.lose("second")
        await wait_for(pilot, lambda: app.main.link.reason == "second", "still lost")
        assert app.main.link.since == since


async def test_a_line_that_comes_back_is_live_again() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        line.lose()
        await wait_for(pilot, lambda: app.main.lost, "lost")
        line.put(Connected(run="moshimoshi-1", role="commander", you="agent1"))
        line.show(snapshot())
        await wait_for(pilot, lambda: not app.main.lost and "MEASURING" in screen_text(app), "live")
        assert not app.main.query_one("#metrics").has_class("-lost")


async def test_a_closed_run_says_so_and_stays_until_one_leaves() -> None:
    async with cockpit(completed()) as (app, pilot, line):
        line.lose("the run is closed", final=True)
        await wait_for(pilot, lambda: "RUN CLOSED" in screen_text(app), "closed")
        assert "COMPLETED" in screen_text(app)
        assert app.is_running


@pytest.mark.parametrize(("world", "code"), [(snapshot, 0), (completed, 0), (rolled_back, 3)])
@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_asks_and_ends_with_the_code_of_the_run(world: object, code: int, key: str) -> None:
    async with cockpit(world()) as (app, pilot, line):  # type: ignore[operator]
        await pilot.press(key)
        await wait_for(pilot, lambda: "DETACH" in screen_text(app), "the explanation")
        if code == 0 and world is snapshot:
            assert "The run goes on in its engine" in screen_text(app)
        await pilot.press("enter")
        await wait_for(pilot, lambda: app._exit, "leaving")
        assert app.return_code == code
        assert line.orders == [Release()]


async def test_ctrl_c_twice_only_asks_once_and_escape_stays() -> None:
    async with cockpit(snapshot()) as (app, pilot, _):
        await pilot.press("ctrl+c", "ctrl+c")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1, "back")
        assert app.is_running


async def test_rows_arrive_once_and_samples_stay_hidden() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        before = app.main.rows
        line.put(Recorded(rows=journal()))
        line.put(Recorded(rows=(journal()[1].model_copy(update={"seq": 121}),)))
        await wait_for(pilot, lambda: app.main.rows[-1].seq == 121, "the new row")
        assert len(app.main.rows) == len(before) + 1
        assert "metrics recorded" not in pane_text(app, "journal")


async def test_a_rehearsal_shows_its_speed() -> None:
    state = snapshot(header=header(speed=60.0, rehearsal=True, status=RunStatus.VALIDATING))
    async with cockpit(state, NARROW) as (app, _, _):
        text = pane_text(app, "header")
        assert "REHEARSAL 60×" in text, "also where room is short"
        assert "PRODUCTION" not in text, "nothing of it is real"


def test_a_rehearsal_in_real_time_is_no_production_either() -> None:
    line = "".join(text for text, _ in identity(header(rehearsal=True), "commander")[1])
    assert line == " REHEARSAL "


def test_a_crash_file_has_no_values_and_is_private(tmp_path: Path) -> None:
    def broken() -> None:
        hidden = "s3cret" + "-value"
        raise ValueError(hidden)

    with pytest.raises(ValueError, match="s3cret") as caught:
        broken()
    path = write_crash(caught.value, tmp_path)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert "s3cret-value" not in path.read_text()
    assert "in broken" in path.read_text()
    assert str(path) in last_words(caught.value, path)


def test_a_crash_that_cannot_be_written_is_still_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert write_crash(ValueError(), tmp_path / "file") is None
    assert write_crash(ValueError(), None) is None
    assert "ValueError" in last_words(ValueError(), None)
