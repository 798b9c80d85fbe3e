"""The chart of the candidate's share: from the engine's history, live, in words, and not where there is none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.link.feed import Recorded
from cockpit.model.events import Event, StepStarted, WeightChanged
from cockpit.model.history import History
from cockpit.model.snapshot import ResidualView, ShareView, Snapshot
from cockpit.model.verdict import CANARY_RESIDUAL, CANDIDATE_SHARE, Measurement, Verdict
from cockpit.tui.screens.charts import ChartScreen
from cockpit.tui.screens.metric import MetricScreen
from tests.tui.helpers import NARROW, WIDE, cockpit, press, screen_text, wait_for
from tests.tui.worlds import NOW, FakeConnection, at, metrics, snapshot

LINK = "https://prometheus:9090/graph?g0.expr=share"


def share(value: float = 49.6, when: str = "09:41:02") -> ShareView:
    return ShareView(
        id=CANDIDATE_SHARE,
        title="Share to blue",
        unit="%",
        decimals=1,
        value=value,
        verdict=Verdict.NORMAL,
        at=at(when),
        query="share_of_the_candidate",
        link=LINK,
        source="https://prometheus:9090",
        candidate="blue",
        tolerances={"2.1": 5, "2.2": 3},
        tolerance=5,
        settles_s=30.0,
    )


def world(**changes: object) -> Snapshot:
    return snapshot().model_copy(update={"metrics": metrics().model_copy(update={"share": share(), **changes})})


def moved(clock: str, weight: int, canary: bool = True, seq: int = 1) -> Event:
    return WeightChanged(seq=seq, at=at(clock), actor="engine", weight=weight, active="green", canary=canary)


def past() -> History:
    """An hour and a half: 10 %, then 50 %, of which the data plane follows the second one late."""
    history = History()
    history.heard(moved("08:11:00", 0, seq=1002))
    history.heard(StepStarted(seq=1003, at=at("08:50"), actor="engine", step="2.1", title="10 %"))
    history.heard(moved("08:51:00", 10, seq=1004))
    history.heard(StepStarted(seq=1005, at=at("09:20"), actor="engine", step="2.2", title="50 %"))
    history.heard(moved("09:21:00", 50, seq=1006))
    for number in range(360):
        when = NOW + timedelta(seconds=15.0 * (number - 360))
        commanded = 0 if when < at("08:51") else 10 if when < at("09:24") else 50
        reading = Measurement(metric=CANDIDATE_SHARE, at=when, value=commanded + 1.5, verdict=Verdict.NORMAL)
        history.measured(reading)
        history.measured(reading.model_copy(update={"metric": "cpu", "value": 41.0}))
    return history


@pytest.mark.parametrize(("size", "observer"), [(WIDE, False), (NARROW, True)])
async def test_the_share_has_a_chart_with_both_numbers(
    size: tuple[int, int], observer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = world()
    line = FakeConnection.showing(state, "observer" if observer else "commander")
    line.past = past()
    async with cockpit(state, size, line=line, observer=observer) as (app, pilot, _):
        await press(pilot, "G")
        await wait_for(pilot, lambda: isinstance(app.screen, ChartScreen), "the charts are open")
        screen = app.screen
        assert isinstance(screen, ChartScreen)
        await wait_for(pilot, lambda: len(screen.history.readings.get("cpu", ())) > 300, "the whole run is there")
        screen.chosen = len(screen.views) - 1
        screen.draw()
        await wait_for(pilot, lambda: "▸ Share to blue" in screen_text(app), "it is among the small ones")
        assert "49.6 vs 50 % ● NORMAL" in screen_text(app)
        await press(pilot, "enter")
        for words in ("SHARE TO BLUE", "═ set 50 %", "┄ ± 3", "══", "100.0"):
            assert words in screen_text(app)
        await press(pilot, "left_square_bracket")
        assert "observed 51.5 %  commanded 50 %  +1.5 points  ● NORMAL" in screen_text(app)
        await press(pilot, "left_square_bracket")
        assert "observed 11.5 %  commanded 50 %  −38.5 points  ▲ WARNING" in screen_text(app)
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await press(pilot, "c", "u")
        assert copied == ["share_of_the_candidate", LINK]
        await press(pilot, "i")
        await wait_for(pilot, lambda: isinstance(app.screen, MetricScreen), "the words are open")
        await wait_for(pilot, lambda: "50 %, accepted are 3 points" in screen_text(app), "they are shown")
        await press(pilot, "escape", "end")
        count = len(screen.history.readings[CANDIDATE_SHARE])
        later = metrics().model_copy(update={"share": share(20.0, "09:41:17")})
        line.show(state.model_copy(update={"metrics": later}), "metrics")
        await wait_for(pilot, lambda: len(screen.history.readings[CANDIDATE_SHARE]) == count + 1, "it goes on")
        await wait_for(pilot, lambda: "20.0 vs 50 %  ▲ WARNING" in screen_text(app), "and is judged")
        line.put(Recorded(rows=(moved("09:41:20", 50, False, 2000),)))
        await wait_for(pilot, lambda: "· route off" in screen_text(app), "the route is out of service")


async def test_without_a_share_in_the_runbook_there_is_no_chart_of_one() -> None:
    residual = ResidualView(
        id=CANARY_RESIDUAL,
        title="Residual requests",
        unit="/s",
        decimals=2,
        candidate="blue",
        at_most=0.1,
        settles_s=30,
    )
    state = world(share=None, residual=residual)
    line = FakeConnection.showing(state)
    async with cockpit(state, line=line) as (app, pilot, _):
        await press(pilot, "G")
        await wait_for(pilot, lambda: "5xx errors" in screen_text(app), "the charts are there")
        assert "Share to" not in screen_text(app)
        assert "Residual" not in screen_text(app), "it is not measured before the route is off"
        seen = residual.model_copy(update={"at": at("09:41:02"), "value": 0.4, "verdict": Verdict.NORMAL})
        off = world(share=None, residual=seen)
        line.put(Recorded(rows=(moved("09:40:00", 50, False, 2000),)))
        line.show(off, "metrics")
        await wait_for(pilot, lambda: "Residual requests" in screen_text(app), "now it is")
        await wait_for(pilot, lambda: "0.40 /s ▲ WARNING" in screen_text(app), "and is judged")
