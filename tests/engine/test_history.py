"""The engine keeps every reading, journals it by the minute, and knows it again after a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.model.history import History, Routed
from cockpit.model.readings import Reading, Readings
from cockpit.model.verdict import CANDIDATE_SHARE, Verdict
from tests.engine.world import MemoryStore, Stage, World, shipped
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME

MINUTES = 11


async def test_a_restarted_engine_shows_the_whole_run(tmp_path: Path) -> None:
    store = MemoryStore()
    stage = await Stage(World(), store, tmp_path).start()
    assert stage.session is not None
    await asyncio.sleep(60 * MINUTES)
    stage.world.values["error_rate"] = None
    await asyncio.sleep(20)
    before = stage.session._core.seen.history.readings["error_rate"]
    await stage.kill()
    sampled = [event for event in store.events if event.type == "metrics.sampled"]
    # A run that waits for its start is journaled every five minutes, and loses nothing between.
    assert len(sampled) == 2
    assert sum(len(series.offsets) for series in sampled[0].series if series.metric == "error_rate") >= 20

    again = await Stage(replace(stage.world), store, tmp_path).start()
    assert again.session is not None
    series, marks = again.session.feed.history()
    found = {each.metric: list(each.readings()) for each in series}
    assert [reading.at for reading in found["error_rate"]][:20] == pytest.approx([r.at for r in before[:20]], abs=0.01)
    assert found["error_rate"][-1].verdict is Verdict.NO_DATA, "what changed last is in a row of its own"
    assert [mark.kind for mark in marks].count("engine") == 2
    view = next(each for each in again.session.feed.snapshot().metrics.metrics if each.id == "error_rate")
    assert view.limits[0].text == "> 5 in 2 of 3, at once"
    assert view.floor == 100
    shares = stage.session._core.seen.history.readings[CANDIDATE_SHARE]
    assert [r.at for r in list(Readings(found[CANDIDATE_SHARE]))[:20]] == pytest.approx(
        [reading.at for reading in shares[:20]], abs=0.01
    )
    assert [mark.routed for mark in marks if mark.kind == "weight"] == [Routed(weight=0, active="green", canary=True)]
    await again.kill()


async def test_the_share_is_shown_with_its_tolerances_and_not_where_there_is_none(tmp_path: Path) -> None:
    stage = await Stage(World(), MemoryStore(), tmp_path).start()
    assert stage.session is not None
    await asyncio.sleep(30)
    share = stage.session.feed.snapshot().metrics.share
    assert share is not None
    assert (share.value, share.candidate, share.tolerance, share.settles_s) == (0.0, "blue", 5, 30.0)
    assert share.tolerances == {"2.1": 5, "2.2": 5, "2.3": 5}
    assert share.link.endswith("g0.range_input=1h")
    await stage.kill()

    book = shipped()
    monitoring = book.runbook.monitoring.model_copy(update={"candidate_share": None, "residual": None})
    bare = replace(book, runbook=book.runbook.model_copy(update={"monitoring": monitoring}))
    (tmp_path / "bare").mkdir()
    stage = await Stage(World(), MemoryStore(), tmp_path / "bare", bare).start()
    assert stage.session is not None
    await asyncio.sleep(30)
    metrics = stage.session.feed.snapshot().metrics
    assert metrics.loaded
    assert (metrics.share, metrics.residual) == (None, None)
    await stage.kill()


async def test_a_run_that_is_over_can_be_shown_from_its_journal(tmp_path: Path) -> None:
    store = MemoryStore()
    stage = await Stage(World(), store, tmp_path).start()
    await asyncio.sleep(320)
    await stage.kill()
    found = History.of(store.events).readings["p95_latency"]
    assert len(found) >= 20
    assert isinstance(found[0], Reading)
    assert {reading.value for reading in found} == {85.0}
