"""Who asks for the history of a run gets it, on either socket, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.errors import EngineUnreachable
from cockpit.link.client import SocketConnection
from cockpit.link.line import Line
from cockpit.link.messages import Attach, Marks, MetricSeries
from cockpit.link.server import serve
from cockpit.model.events import WeightChanged
from cockpit.model.readings import Readings
from cockpit.model.verdict import Measurement, Verdict

from .feeds import AT, HandFeed


def a_feed() -> HandFeed:
    feed = HandFeed()
    for number in range(5_000):
        at = AT + timedelta(seconds=10 * number)
        verdict = Verdict.NORMAL if number % 7 else Verdict.NO_DATA
        value = number / 7 if verdict.measured else None
        for metric in ("error_rate", "p95"):
            reason = "" if verdict.measured else f"needs {number} more requests"
            feed.past.measured(Measurement(metric=metric, at=at, value=value, verdict=verdict, reason=reason))
    feed.past.heard(WeightChanged(seq=3, at=AT, actor="ada", weight=10, active="green"))
    return feed


@pytest.mark.parametrize("observer", [False, True])
async def test_the_whole_run_is_sent_to_whoever_asks(tmp_path: Path, observer: bool) -> None:
    feed = a_feed()
    control, watch = tmp_path / "control.sock", tmp_path / "watch.sock"
    async with serve(feed, control, watch):
        connection = SocketConnection(watch if observer else control, observer=observer)
        series, marks = await connection.history()
    assert [each.metric for each in series] == ["error_rate", "p95"]
    assert marks == tuple(feed.past.marks)
    found, kept = Readings(series[0].readings()), feed.past.readings["error_rate"]
    assert [(one.at, one.verdict, one.reason) for one in found] == [(one.at, one.verdict, one.reason) for one in kept]
    values = [(one.value or 0, other.value or 0) for one, other in zip(found, kept, strict=True)]
    assert all(sent == pytest.approx(known, rel=1e-5) for sent, known in values[:500])


async def test_the_line_of_a_history_says_nothing_more(tmp_path: Path) -> None:
    control, watch = tmp_path / "control.sock", tmp_path / "watch.sock"
    async with serve(a_feed(), control, watch) as audience:
        line = await Line.open(watch, Attach(snapshots=False, history=True))
        kinds = [type(await line.receive()) for _ in range(3)]
        assert kinds == [MetricSeries, MetricSeries, Marks]
        assert not audience.watched
        with pytest.raises(EngineUnreachable):
            await line.receive()
        await line.close()


async def test_without_an_engine_there_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachable):
        await SocketConnection(tmp_path / "none.sock").history()
