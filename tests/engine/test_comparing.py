"""The comparison of the tracks, from answers of the metrics server to a condition of the gate."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from cockpit.engine.comparing import Comparing
from cockpit.engine.ports import QueryAnswer, Sample
from cockpit.model.commands import Advance, Resume
from cockpit.model.comparison import Standing
from cockpit.model.run import RunState, TrafficState
from cockpit.runbook.compare import Compare, CompareKind, TrackQueries
from cockpit.runbook.gate import GiveUp
from cockpit.runbook.schema import Runbook
from tests.engine.test_session import accepted, begin, to_step
from tests.engine.world import FakeMetrics, Stage, shipped
from tests.fake_time import FAKE_TIME

NOW = datetime(2026, 11, 26, 9, 10, tzinfo=UTC)
COUNTS = Compare(
    kind=CompareKind.COUNTS,
    candidate=TrackQueries(errors="mine failed[${window}]", requests="mine[${window}]"),
    stable=TrackQueries(errors="theirs failed[${window}]", requests="theirs[${window}]"),
)
LATENCY = Compare(
    kind=CompareKind.LATENCY,
    candidate=TrackQueries(buckets="mine buckets[${window}]"),
    stable=TrackQueries(buckets="theirs buckets[${window}]"),
)


def compared(book: Runbook, **compares: Compare) -> Runbook:
    metrics = tuple(
        metric.model_copy(update={"compare": compares.get(metric.id)}) for metric in book.monitoring.metrics
    )
    return book.model_copy(update={"monitoring": book.monitoring.model_copy(update={"metrics": metrics})})


def number(value: float) -> QueryAnswer:
    return QueryAnswer((Sample(value, NOW),))


class Server:
    """Answers by the beginning of a query, and keeps what was asked."""

    def __init__(self, **answers: QueryAnswer | str) -> None:
        self.answers = {name.replace("_", " "): answer for name, answer in answers.items()}
        self.asked: list[str] = []

    async def ask(self, query: str) -> QueryAnswer | str:
        self.asked.append(query)
        return self.answers.get(query.split("[")[0], QueryAnswer(()))


def comparing(server: Server, book: Runbook, weight: int = 10, active: str = "green", ago_s: float = 330) -> Comparing:
    traffic = TrafficState(weight, active, True, NOW - timedelta(seconds=ago_s))
    core: Any = SimpleNamespace(setting=SimpleNamespace(book=book), state=RunState(traffic=traffic))
    return Comparing(core, server.ask)


BOOK = compared(shipped().runbook, error_rate=COUNTS)


async def test_both_tracks_are_counted_over_the_time_since_the_comparison_began() -> None:
    server = Server(mine=number(1000), theirs=number(9000), theirs_failed=number(3))
    (found,) = await comparing(server, BOOK).look(NOW)
    assert server.asked == ["mine failed[300s]", "mine[300s]", "theirs failed[300s]", "theirs[300s]"]
    assert found.queries == tuple(server.asked)
    assert (found.candidate_samples, found.stable_samples, found.candidate) == (1000, 9000, 0.0)
    assert found.since == NOW - timedelta(seconds=300)
    assert found.standing is Standing.TOO_FEW, "one look decides nothing"


@pytest.mark.parametrize(
    ("weight", "active", "ago_s", "words"),
    [
        (100, "green", 330, "green gets no traffic: nothing to compare with"),
        (10, "blue", 330, "green gets no traffic: nothing to compare with"),
        (0, "green", 330, "blue gets no traffic: nothing to compare"),
        (10, "green", 12, "begins 18 s from now, after the weight change"),
    ],
)
async def test_where_one_track_has_no_traffic_nothing_is_asked(
    weight: int, active: str, ago_s: float, words: str
) -> None:
    server = Server()
    (found,) = await comparing(server, BOOK, weight, active, ago_s).look(NOW)
    assert (found.standing, found.sentence, server.asked) == (Standing.TOO_FEW, words, [])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("refused", "refused"),
        (QueryAnswer((Sample(1, NOW), Sample(2, NOW))), "2 series where one is expected"),
        (number(math.nan), "nan is no number of requests"),
        (number(math.inf), "inf is no number of requests"),
        (number(-1), "-1 is no number of requests"),
        (
            QueryAnswer((Sample(1, NOW),), ("a store is down",)),
            "data may be missing, the server warns: a store is down",
        ),
    ],
)
async def test_what_cannot_be_counted_is_said(answer: QueryAnswer | str, words: str) -> None:
    (found,) = await comparing(Server(mine=answer), BOOK).look(NOW)
    assert (found.standing, found.sentence) == (Standing.UNKNOWN, words)


async def test_the_evidence_grows_from_look_to_look_and_begins_again_with_the_weight() -> None:
    server = Server()
    task = comparing(server, BOOK)
    for look in range(1, 9):
        server.answers.update(mine=number(200 * look), theirs=number(1800 * look), **{"mine failed": number(6 * look)})
        (found,) = await task.look(NOW + timedelta(seconds=15 * look))
    assert (found.standing, found.looks) == (Standing.WORSE, 8)
    changed: Any = task._core
    changed.state = RunState(traffic=TrafficState(50, "green", True, NOW))
    (found,) = await task.look(NOW + timedelta(seconds=150))
    assert found.looks == 1


async def test_evidence_of_long_ago_says_nothing_about_now() -> None:
    """A target that is gone leaves its counts behind: they neither let a gate pass nor speak for the candidate."""
    server = Server(theirs_failed=number(2))
    task = comparing(server, BOOK)
    for look in range(1, 9):
        server.answers.update(mine=number(200 * look), theirs=number(1800 * look))
        (found,) = await task.look(NOW + timedelta(seconds=15 * look))
    assert found.standing is Standing.NOT_WORSE
    # `increase()` over a longer window of the same samples moves a little, and not by a request.
    server.answers.update(mine=number(1600.4))
    (found,) = await task.look(NOW + timedelta(seconds=240))
    assert found.standing is Standing.NOT_WORSE
    (found,) = await task.look(NOW + timedelta(seconds=241))
    assert (found.standing, found.sentence) == (Standing.UNKNOWN, "no request of blue was counted for 121 s")


@pytest.mark.parametrize(("still", "track"), [("mine", "blue"), ("theirs", "green")])
async def test_one_track_that_goes_on_does_not_speak_for_one_that_stands_still(still: str, track: str) -> None:
    server = Server(theirs_failed=number(2))
    task = comparing(server, BOOK)
    for look in range(1, 30):
        counts = {"mine": number(200 * look), "theirs": number(1800 * look), "mine failed": number(0)}
        if look > 8:
            del counts[still]
        server.answers.update(counts)
        (found,) = await task.look(NOW + timedelta(seconds=15 * look))
        if look == 8:
            assert found.standing is Standing.NOT_WORSE
    assert (found.standing, found.sentence) == (Standing.UNKNOWN, f"no request of {track} was counted for 315 s")


def buckets(*counts: float, le: tuple[str, ...] = ("0.1", "0.25", "0.5", "+Inf")) -> QueryAnswer:
    return QueryAnswer(tuple(Sample(count, NOW, {"le": bound}) for count, bound in zip(counts, le, strict=True)))


async def test_buckets_are_read_in_the_metrics_unit() -> None:
    server = Server(mine_buckets=buckets(0, 0, 300, 300), theirs_buckets=buckets(1000, 1000, 1000, 1000))
    book = compared(shipped().runbook, p95_latency=LATENCY)
    task = comparing(server, book)
    for look in range(1, 7):
        server.answers["mine buckets"] = buckets(0, 0, 300 * look, 300 * look)
        server.answers["theirs buckets"] = buckets(1000 * look, 1000 * look, 1000 * look, 1000 * look)
        (found,) = await task.look(NOW + timedelta(seconds=15 * look))
    assert found.standing is Standing.WORSE
    assert found.sentence.startswith("blue P95 488 ms over 1,800 requests, green 95 ms over 6,000: slower")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (number(5), "a series without a number in its label le; aggregate by (le)"),
        (buckets(1, 2, 3, 4, le=("0.1", "0.1", "0.5", "+Inf")), "several series for le=0.1; aggregate by (le)"),
        (buckets(1, math.nan, 3, 4), "nan is no number of requests"),
    ],
)
async def test_buckets_that_cannot_be_read_are_said(answer: QueryAnswer, words: str) -> None:
    book = compared(shipped().runbook, p95_latency=LATENCY)
    (found,) = await comparing(Server(mine_buckets=answer), book).look(NOW)
    assert (found.standing, found.sentence) == (Standing.UNKNOWN, words)


class Counting(FakeMetrics):
    """The world's metrics, and counters of both tracks that grow with time since the weight changed."""

    failing = 0.0

    async def query(self, expression: str) -> QueryAnswer:
        name, _, window = expression.partition("[")
        at = self.world.clock.now()
        seconds = float(window.rstrip("s]")) if window.endswith("s]") else 0.0
        rates = {"mine": 12.0, "theirs": 108.0, "mine failed": 12.0 * self.failing, "theirs failed": 0.1}
        if name in rates:
            return QueryAnswer((Sample(math.floor(rates[name] * seconds), at),))
        return await super().query(expression)


@FAKE_TIME
@pytest.mark.parametrize("decides", [True, False])
async def test_a_worse_candidate_stops_the_gate_only_where_the_runbook_lets_it(
    stage: Stage, decides: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.engine.world.FakeMetrics", Counting)
    monkeypatch.setattr(Counting, "failing", 0.02)
    compare = COUNTS.model_copy(update={"condition": decides, "ceiling": 50.0})
    stage.book = replace(stage.book, runbook=compared(stage.book.runbook, error_rate=compare))
    await begin(stage)
    await to_step(stage, "2.1")
    changed = await stage.until("metric.compared")
    assert changed.comparison.standing is Standing.WORSE
    assert stage.session is not None
    assert stage.session.state.situation >= changed.seq, "whoever decides is shown it first"
    if decides:
        await stage.until("gate.broke", step="2.1", value="")
        gate = stage.session.feed.snapshot().gate
        assert gate is not None
        assert "worse, with at most 1 % chance of a false alarm" in gate.reason
        assert not (await stage.order(Advance())).ok
    else:
        passed = await stage.until("gate.passed", step="2.1")
        assert [entry.standing for entry in passed.comparisons] == [Standing.WORSE]
        assert any("worse" in line for line in passed.conditions)


def gate_of(stage: Stage, step_id: str, **changes: object) -> None:
    """Change the gate of one step of the stage's runbook."""
    phases = []
    for phase in stage.book.runbook.phases:
        steps = [
            step.model_copy(update={"gate": step.gate.model_copy(update=changes)})
            if step.id == step_id and step.gate
            else step
            for step in phase.steps
        ]
        phases.append(phase.model_copy(update={"steps": tuple(steps)}))
    stage.book = replace(stage.book, runbook=stage.book.runbook.model_copy(update={"phases": tuple(phases)}))


@FAKE_TIME
@pytest.mark.parametrize("response", list(GiveUp))
async def test_a_gate_that_cannot_pass_in_time_gives_up_early(stage: Stage, response: GiveUp) -> None:
    gate_of(stage, "2.1", give_up_after=timedelta(minutes=40), on_give_up=response)
    await begin(stage)
    await to_step(stage, "2.1")
    opened = await stage.until("gate.opened", step="2.1")
    stage.world.values["p95_latency"] = 231.0
    gave_up = await stage.until("gate.gave_up", step="2.1")
    assert timedelta(minutes=10) < gave_up.at - opened.at < timedelta(minutes=10, seconds=30)
    assert "P95 Latency 231 ms, must be < 200" in gave_up.reason
    if response is GiveUp.ROLLBACK:
        await stage.until("rollback.started")
        return
    await stage.until("run.held")
    stage.world.values["p95_latency"] = 120.0
    await accepted(stage, Resume())
    await stage.until("gate.passed", step="2.1")
    assert stage.types().count("gate.gave_up") == 1


@FAKE_TIME
async def test_a_hold_bears_the_failed_looks_it_is_allowed(stage: Stage) -> None:
    gate_of(stage, "2.1", failures_allowed=2)
    await begin(stage)
    await to_step(stage, "2.1")
    holding = await stage.until("gate.holding", step="2.1")
    stage.world.values["p95_latency"] = 231.0
    await asyncio.sleep(20)
    stage.world.values["p95_latency"] = 120.0
    passed = await stage.until("gate.passed", step="2.1")
    assert "gate.broke" not in [event.type for event in stage.store.events if event.seq > holding.seq]
    assert (passed.at - holding.at).total_seconds() < 31 * 60


@FAKE_TIME
async def test_a_gates_own_interval_counts_blips_by_the_minute(stage: Stage) -> None:
    """Three bad measurements of one minute are one failed look; without an interval they would be three."""
    gate_of(stage, "2.1", failures_allowed=1, interval=timedelta(minutes=1))
    await begin(stage)
    await to_step(stage, "2.1")
    holding = await stage.until("gate.holding", step="2.1")
    await asyncio.sleep(18)
    stage.world.values["p95_latency"] = 231.0
    await asyncio.sleep(40)
    stage.world.values["p95_latency"] = 120.0
    passed = await stage.until("gate.passed", step="2.1")
    assert "gate.broke" not in [event.type for event in stage.store.events if event.seq > holding.seq]
    assert (passed.at - holding.at).total_seconds() < 31 * 60


@FAKE_TIME
async def test_an_open_gate_may_look_more_often(stage: Stage) -> None:
    gate_of(stage, "2.1", interval=timedelta(seconds=5), hold=timedelta(minutes=1))
    await begin(stage)
    await to_step(stage, "2.1")
    passed = await stage.until("gate.passed", step="2.1")
    core = stage.session._core if stage.session else None
    assert core is not None
    asked = [entry.at for entry in core.seen.histories["error_rate"] if entry.at <= passed.at]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(asked)]
    assert min(gaps[:3]) == pytest.approx(15)
    assert gaps[-8:] == pytest.approx([5.0] * 8)


WORSE: list[tuple[str, dict[str, dict[str, float]], str]] = [
    (
        "error_rate",
        {"failing": {"blue": 0.004, "green": 0.0004}},
        r"blue 0\.\d\d % errors of [\d,]+ requests, green 0\.04 % of [\d,]+: worse by more than the 0\.05 points",
    ),
    (
        "p95_latency",
        {"slow": {"blue": 0.3, "green": 0.05}},
        r"blue P95 43\d ms over [\d,]+ requests, green 1\d\d ms over [\d,]+: slower, with at most 1 % chance",
    ),
]


@FAKE_TIME
@pytest.mark.parametrize(("metric", "truth", "sentence"), WORSE, ids=["errors", "latency"])
async def test_the_shipped_runbook_says_which_track_is_worse_and_leaves_the_gate_alone(
    stage: Stage, metric: str, truth: dict[str, dict[str, float]], sentence: str
) -> None:
    for name, value in truth.items():
        setattr(stage.world, name, value)
    await begin(stage)
    await to_step(stage, "2.1")
    passed = await stage.until("gate.passed", step="2.1")
    said = {
        (event.comparison.metric, event.comparison.standing): event.comparison.sentence
        for event in stage.store.events
        if event.type == "metric.compared"
    }
    assert re.match(sentence, said[metric, Standing.WORSE]), said
    frozen = {entry.metric: entry for entry in passed.comparisons}
    assert frozen[metric].standing is Standing.WORSE
    assert {entry.standing for name, entry in frozen.items() if name != metric} == {Standing.NOT_WORSE}
    assert frozen[metric].candidate_samples > 100
    assert all("offset" in query and "${" not in query for query in frozen[metric].queries)
    assert any(frozen[metric].sentence in line for line in passed.conditions)
