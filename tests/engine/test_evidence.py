"""What a decision rested on can be read in the journal: the query as it was asked, values, bands, samples, warnings."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cockpit.engine.ports import QueryAnswer
from cockpit.model.commands import Advance, Override
from cockpit.model.comparison import Standing
from cockpit.model.events import Event
from cockpit.model.verdict import ALERTS_CRITICAL, CANDIDATE_SHARE, Measurement, Verdict
from cockpit.runbook.schema import Runbook
from tests.engine.test_session import accepted, begin, to_step
from tests.engine.world import FakeMetrics, Stage
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME


class Partial(FakeMetrics):
    """The world's metrics from a server that says that one of its stores is away, while `away`."""

    away = False

    async def query(self, expression: str) -> QueryAnswer:
        answer = await super().query(expression)
        return replace(answer, warnings=("store 2 is away",)) if Partial.away else answer


def evidence(event: Event) -> dict[str, Measurement]:
    return {entry.metric: entry for entry in getattr(event, "evidence", ())}


def whole(event: Event, book: Runbook) -> dict[str, Measurement]:
    """The evidence of an event, after a look at whether nothing is missing in it."""
    found = evidence(event)
    metrics = {metric.id: metric for metric in book.monitoring.metrics}
    assert set(found) >= {*metrics, ALERTS_CRITICAL, CANDIDATE_SHARE}
    for name, metric in metrics.items():
        seen = found[name]
        assert seen.query
        assert "${" not in seen.query
        assert seen.query.split("[")[0] == metric.query.split("[")[0]
        assert (seen.warning_from, seen.critical_above) == (metric.bands.warning_from, metric.bands.critical_above)
        if seen.verdict.measured:
            assert seen.value is not None
            assert seen.samples == (10_000 if metric.samples else None)
    return found


async def test_every_decision_has_its_evidence(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.engine.world.FakeMetrics", Partial)
    monkeypatch.setattr(Partial, "away", False)
    book = stage.book.runbook
    await begin(stage)
    await to_step(stage, "2.1")

    passed = await stage.until("gate.passed", step="2.1")
    assert whole(passed, book)["p95_latency"].value == 85.0
    assert "[120s]" in evidence(passed)["error_rate"].query
    assert {entry.metric: entry.standing for entry in passed.comparisons} == {
        "error_rate": Standing.NOT_WORSE,
        "p95_latency": Standing.NOT_WORSE,
    }
    assert all(entry.queries and entry.candidate_samples > 10_000 for entry in passed.comparisons)

    # The gate has passed; what is seen when the commander decides is something else.
    stage.world.values["p95_latency"] = 150.0
    await stage.until("metric.verdict", shown="150 ms")
    await accepted(stage, Advance())
    decided = await stage.until("decision.made", step="2.1")
    assert whole(decided, book)["p95_latency"].value == 150.0
    assert whole(decided, book)["p95_latency"].verdict is Verdict.WARNING
    assert len(decided.comparisons) == 2

    await stage.until("gate.holding", step="2.2")
    monkeypatch.setattr(Partial, "away", True)
    await asyncio.sleep(20)
    broke = [event.reason for event in stage.store.events if event.type == "gate.broke"][-1]
    assert "data may be missing, the server warns: store 2 is away" in broke
    await accepted(stage, Override(reason="the other store has everything"))
    overridden = await stage.until("gate.overridden", step="2.2")
    warned = whole(overridden, book)["error_rate"]
    assert (warned.verdict, warned.warnings[0]) == (Verdict.WARNING, "store 2 is away")
    assert {entry.standing for entry in overridden.comparisons} == {Standing.UNKNOWN}

    monkeypatch.setattr(Partial, "away", False)
    stage.world.values["error_rate"] = 9.0
    tripped = await stage.until("trigger.tripped")
    assert [(entry.value, entry.verdict) for entry in tripped.evidence] == [(9.0, Verdict.CRITICAL)] * 2
    assert {(entry.samples, entry.critical_above) for entry in tripped.evidence} == {(10_000, 1.0)}
    assert tripped.rule == "Error Rate > 5 % in 2 of 3 measurements"
