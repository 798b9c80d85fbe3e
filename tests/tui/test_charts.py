"""The charts: the whole run from the engine, what comes live, a crosshair, and alarms above all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from cockpit.errors import EngineUnreachable
from cockpit.link.feed import Connected, Recorded
from cockpit.model import commands as c
from cockpit.model.events import WeightChanged
from cockpit.model.history import History
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Measurement, Verdict
from cockpit.tui.app import CockpitApp
from cockpit.tui.screens.charts import ChartScreen
from cockpit.tui.screens.metric import MetricScreen
from tests.tui.helpers import NARROW, WIDE, cockpit, press, screen_text, wait_for
from tests.tui.worlds import ALARM, NOW, FakeConnection, alarm, at, guard, metrics, snapshot
from widgets.chart.panes import ChartPane


def measured(metric: str, clock: float, value: float | None, verdict: Verdict, reason: str = "") -> Measurement:
    when = NOW + timedelta(seconds=clock)
    return Measurement(metric=metric, at=when, value=value, verdict=verdict, reason=reason)


def past() -> History:
    """An hour and a half: calm, ten minutes of silence, a spike, calm again."""
    history = History()
    history.heard(WeightChanged(seq=7, at=at("09:29:40"), actor="engine", weight=50, active="green"))
    for number in range(360):
        clock = 15.0 * (number - 360)
        for metric in ("error_rate", "p95", "cpu", "memory", "restarts", "5xx"):
            kept = measured(metric, clock, 0.04, Verdict.NORMAL)
            if metric == "error_rate" and 200 <= number < 240:
                kept = measured(metric, clock, None, Verdict.BROKEN, "Prometheus does not answer")
            if metric == "error_rate" and number == 300:
                kept = measured(metric, clock, 7.25, Verdict.CRITICAL)
            history.measured(kept)
    return history


@asynccontextmanager
async def charts(
    size: tuple[int, int] = WIDE, state: Snapshot | None = None, **options: Any
) -> AsyncIterator[tuple[CockpitApp, Pilot[int], FakeConnection, ChartScreen]]:
    """The screen of charts over that hour and a half."""
    line = FakeConnection.showing(state or snapshot(), "observer" if options.get("observer") else "commander")
    line.past = past()
    async with cockpit(state or snapshot(), size, line=line, **options) as (app, pilot, _):
        await press(pilot, "G")
        await wait_for(pilot, lambda: isinstance(app.screen, ChartScreen), "the charts are open")
        screen = app.screen
        assert isinstance(screen, ChartScreen)
        await wait_for(pilot, lambda: len(screen.history.readings.get("cpu", ())) > 300, "the whole run is there")
        yield app, pilot, line, screen


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("observer", [False, True])
async def test_all_metrics_then_one_then_words_and_back(size: tuple[int, int], observer: bool) -> None:
    async with charts(size, observer=observer) as (app, pilot, _, screen):
        every = screen_text(app)
        for words in ("Error rate", "P95 latency", "5xx errors", "whole run: 08:11", "▸ "):
            assert words in every
        assert "✖✖✖" in every, "the silence of the past is seen"
        screen.chosen = 0
        await press(pilot, "enter")
        large = screen_text(app)
        for words in (
            "ERROR RATE",
            "clipped: 1 above",
            "✖✖✖",
            "50%",
            "crit > 1",
            "08:30",
        ):
            assert words in large
        assert size == NARROW or "40 of 361 without a value" in large
        await press(pilot, "down")
        assert "P95 LATENCY" in screen_text(app)
        await press(pilot, "up", "up")
        assert "5XX ERRORS" in screen_text(app)
        await press(pilot, "i")
        await wait_for(pilot, lambda: isinstance(app.screen, MetricScreen), "the words are open")
        await wait_for(pilot, lambda: "HOW IT IS ASKED" in screen_text(app), "they are shown")
        await press(pilot, "escape", "escape")
        assert "▸ " in screen_text(app)
        await press(pilot, "escape")
        assert app.screen is app.main


async def test_the_crosshair_goes_over_the_readings() -> None:
    async with charts() as (app, pilot, _, screen):
        screen.chosen = 0
        await press(pilot, "enter", "left_square_bracket")
        assert "09:26:22 +1:24:22  0.04 %  ● NORMAL  one of 3" in screen_text(app), "the change back from the spike"
        await press(pilot, "left_square_bracket")
        assert "09:26:07 +1:24:07  7.25 %  ■ CRITICAL" in screen_text(app)
        await press(pilot, "left_square_bracket")
        assert "Prometheus does not answer" not in screen_text(app)
        await press(pilot, "left")
        said = screen_text(app)
        assert "no value  ✖ BROKEN" in said
        assert "Prometheus does not answer" in said
        before = screen.cursor
        await press(pilot, "right", "right")
        assert before is not None
        assert screen.cursor is not None
        assert screen.cursor > before
        await press(pilot, "home")
        assert "08:11:07" in screen_text(app)
        await press(pilot, "t")
        assert "15 minutes around the crosshair" in screen_text(app)
        await press(pilot, "pagedown", "pagedown", "end")
        assert "last 15 minutes" in screen_text(app)
        assert screen.cursor is None


async def test_the_scale_and_the_dots_are_chosen() -> None:
    async with charts() as (app, pilot, _, _screen):
        await press(pilot, "enter", "z")
        assert "scale close to the values" in screen_text(app)
        await press(pilot, "d", "d")
        assert "verdict ---" in screen_text(app)
        assert "w warn 100" in screen_text(app)


async def test_what_comes_live_is_added_and_a_hole_is_asked_for() -> None:
    async with charts() as (app, pilot, line, screen):
        count = len(screen.history.readings["error_rate"])
        later = metrics(error=0.07)
        fresh = later.metrics[0].model_copy(update={"at": at("09:41:17")})
        line.show(snapshot().model_copy(update={"metrics": later.model_copy(update={"metrics": (fresh,)})}), "metrics")
        await wait_for(pilot, lambda: len(screen.history.readings["error_rate"]) == count + 1, "the reading is added")
        line.put(Recorded(rows=(WeightChanged(seq=999, at=at("09:41:10"), actor="ada", weight=99, active="green"),)))
        await wait_for(pilot, lambda: any(mark.short == "99%" for mark in screen.history.marks), "the mark is added")
        line.past.measured(measured("error_rate", 300, 0.5, Verdict.WARNING))
        line.lose()
        line.put(Connected(run="moshimoshi-1", role="commander", you="agent1"))
        await wait_for(
            pilot, lambda: screen.history.readings["error_rate"][-1].value == 0.5, "the line is back: asked again"
        )
        assert app.screen is screen


async def test_an_engine_that_does_not_answer_is_said_and_asked_again() -> None:
    line = FakeConnection.showing(snapshot())
    line.error = EngineUnreachable("The engine said nothing.", "")
    async with cockpit(snapshot(), line=line) as (app, pilot, _):
        await press(pilot, "G")
        await wait_for(pilot, lambda: "cannot be had: The engine said nothing." in screen_text(app), "it is said")
        assert "Error rate" in screen_text(app), "what is known now is shown"
        line.error, line.past = None, past()
        await press(pilot, "r")
        await wait_for(pilot, lambda: "cannot be had" not in screen_text(app), "it is there")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_an_alarm_reaches_the_commander_and_is_answered(size: tuple[int, int]) -> None:
    async with charts(size) as (app, pilot, line, _screen):
        line.show(alarm())
        await wait_for(pilot, lambda: "ROLLBACK" in screen_text(app), "the banner rings")
        assert ALARM.title in screen_text(app)
        await press(pilot, "R", "enter", "ctrl+r")
        await wait_for(pilot, lambda: line.orders, "the order is sent")
        assert isinstance(line.orders[-1], c.RollBack)
        line.show(snapshot(guard=guard(ALARM)))


async def test_query_and_link_go_to_the_terminals_clipboard(monkeypatch: pytest.MonkeyPatch) -> None:
    async with charts() as (app, pilot, _, screen):
        screen.chosen = 0
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await press(pilot, "c", "u")
        assert copied == ['sum(rate(error_rate{namespace="production"}[2m]))'], "there is no link yet"
        await wait_for(pilot, lambda: "OSC 52" in screen_text(app), "how it works is said")
        await press(pilot, "i")
        await wait_for(pilot, lambda: isinstance(app.screen, MetricScreen), "the words are open")
        await press(pilot, "c")
        assert len(copied) == 2


async def test_a_second_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with charts() as (app, pilot, _, screen):
        fixed = app.main.run_time()
        app.main.tick = lambda: None  # type: ignore[method-assign]
        app.main.run_time = lambda: fixed  # type: ignore[method-assign]
        screen.draw()
        await pilot.pause()
        painted: list[str] = []
        monkeypatch.setattr(ChartPane, "refresh", lambda pane, *regions, **options: painted.append(str(regions)))
        app.main.now = screen._clock() and fixed + timedelta(seconds=1)
        await pilot.pause()
        assert painted == []
