"""What is kept of the measurements of a run, and made of its journal."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from cockpit.model import readings as kept
from cockpit.model.address import shown
from cockpit.model.events import (
    EVENT,
    DecisionMade,
    Event,
    MetricsSampled,
    Noted,
    RollbackStarted,
    TriggerTripped,
    VerdictChanged,
    WeightChanged,
)
from cockpit.model.history import History, mark_of
from cockpit.model.readings import Reading, Readings, Series
from cockpit.model.verdict import CANDIDATE_SHARE, Measurement, Verdict

START = datetime(2026, 11, 26, 8, tzinfo=UTC)
T = START.timestamp()


def measured(second: float, value: float | None, verdict: Verdict = Verdict.NORMAL, reason: str = "") -> Measurement:
    at = START + timedelta(seconds=second)
    return Measurement(metric="p95", at=at, value=value, verdict=verdict, reason=reason)


SOME = [
    Reading(T, 0.04, Verdict.NORMAL),
    Reading(T + 15, 0.2, Verdict.WARNING, "data may be missing"),
    Reading(T + 30.25, None, Verdict.NO_DATA, "needs 240 more requests"),
    Reading(T + 45, None, Verdict.BROKEN, "no answer"),
    Reading(T + 60, 6.2, Verdict.CRITICAL),
]


def test_readings_come_back_from_the_journal_as_they_went() -> None:
    series = Readings(SOME).series("p95")
    again = Series.model_validate_json(series.model_dump_json())
    assert series.verdicts == "NWDBC"
    assert list(Readings(again.readings())) == SOME


def test_a_letter_of_a_later_program_is_no_good_news() -> None:
    series = Series(metric="p95", start=T, offsets=(0.0, 1.0), values=(1.0, 2.0), verdicts="N?")
    assert [reading.verdict for reading in series.readings()] == [Verdict.NORMAL, Verdict.BROKEN]


def test_the_same_measurement_is_kept_once_and_a_late_one_finds_its_place() -> None:
    found = Readings(SOME)
    assert not found.add(Reading(T + 15.0004, 0.2, Verdict.WARNING))
    assert found.add(Reading(T + 20, 0.3, Verdict.WARNING))
    assert [reading.at - T for reading in found] == [0, 15, 20, 30.25, 45, 60]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_value(value: float) -> None:
    assert Readings([Reading(T, value, Verdict.NORMAL)])[0].value is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", 80)
    found = Readings(Reading(T + number, float(number), Verdict.NORMAL, f"reason {number}") for number in range(500))
    assert 70 <= len(found) <= 80
    assert found.forgotten
    assert len(found._reasons) <= 90
    assert found[-1] == Reading(T + 499, 499.0, Verdict.NORMAL, "reason 499")
    assert [reading.value for reading in found] == sorted(reading.value or 0 for reading in found)


def test_a_span_says_what_was_measured_and_that_something_was_silent() -> None:
    found = Readings(SOME)
    span = found.span(T, T + 100)
    assert span is not None
    assert (span.low, span.high, span.entry, span.leave) == (0.04, 6.2, 0.04, 6.2)
    assert (span.worst, span.silent) == (Verdict.CRITICAL, True)
    silent = found.span(T + 20, T + 50)
    assert silent is not None
    assert (silent.low, silent.worst) == (None, Verdict.BROKEN)
    assert found.span(T + 61, T + 90) is None
    assert found.worst(0, 4) == 3


def journal() -> list[Event]:
    """Rows of every kind that charts are made of."""
    head = {"actor": "engine"}
    rich = History()
    for second in range(0, 60, 15):
        rich.measured(measured(second, float(second)))
    at = START + timedelta(seconds=45)
    evidence = (measured(85, 9.0, Verdict.CRITICAL),)
    rows: list[Event] = [
        WeightChanged(at=START, weight=10, active="green", **head),
        VerdictChanged(at=START + timedelta(seconds=15), measurement=measured(15, 15.0), **head),
        MetricsSampled(at=at, measurements=(measured(45, 45.0),), series=rich.unjournaled(), **head),
        Noted(at=at, text="nothing for a chart", **head),
        DecisionMade(at=at, step="2.1", answer="continue", actor="ada"),
        VerdictChanged(at=at, measurement=measured(70, None, Verdict.BROKEN, "no answer"), **head),
        TriggerTripped(at=at, trigger="t", title="T", reason="r", evidence=evidence, **head),
        RollbackStarted(at=at, reason="T", **head),
    ]  # fmt: skip
    return [row.model_copy(update={"seq": number}) for number, row in enumerate(rows, 1)]


def test_a_journal_tells_the_whole_run() -> None:
    history = History.of(EVENT.validate_json(row.model_dump_json()) for row in journal())
    found = history.readings["p95"]
    assert [(reading.at - T, reading.value) for reading in found] == [
        (0, 0.0), (15, 15.0), (30, 30.0), (45, 45.0), (70, None), (85, 9.0),
    ]  # fmt: skip
    assert [(mark.kind, mark.short) for mark in history.marks] == [
        ("weight", "10%"), ("decision", "continue"), ("trip", "TRIPPED"), ("rollback", "ROLLBACK"),
    ]  # fmt: skip
    assert history.unjournaled() == ()


def test_rows_of_older_journals_have_the_last_measurements_alone() -> None:
    row = MetricsSampled(at=START, actor="engine", measurements=(measured(0, 1.0),), observed_share=49.5)
    found = History.of([row]).readings
    assert list(found["p95"]) == [Reading(T, 1.0, Verdict.NORMAL)]
    assert list(found[CANDIDATE_SHARE]) == [Reading(T, 49.5, Verdict.NORMAL)]


def test_the_journal_gets_every_reading_once() -> None:
    history = History()
    assert history.unjournaled() == ()
    history.measured(measured(0, 1.0))
    history.measured(measured(15, 2.0))
    assert [series.values for series in history.unjournaled()] == [(1.0, 2.0)]
    history.measured(measured(30, 3.0))
    assert [series.values for series in history.unjournaled()] == [(3.0,)]
    assert history.unjournaled() == ()


def test_a_row_that_comes_twice_is_one_mark() -> None:
    history = History()
    for row in (*journal(), *journal()):
        history.heard(row)
    assert len(history.marks) == 4
    assert mark_of(journal()[3]) is None


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://ada:secret@prom:9090/api", "https://prom:9090/api"),
        ("https://prom/x?token=abc&team=a", "https://prom/x?token=***&team=a"),
        ("https://prom/x?API_KEY=abc", "https://prom/x?API_KEY=***"),
        ("https://prom/x?team=a%20b", "https://prom/x?team=a%20b"),
        ("https://prom:port/", ""),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, seen: str) -> None:
    assert shown(url) == seen
