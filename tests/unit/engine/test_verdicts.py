from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from cockpit.engine import verdicts
from cockpit.engine.ports import QueryAnswer, Sample
from cockpit.model.verdict import Measurement, Thresholds, Verdict
from cockpit.runbook.gate import Bands, Measures, Metric, Monitoring, Samples

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def metric(warning: float, critical: float, floor: float | None = None) -> Metric:
    samples = Samples(query="count", at_least=floor) if floor else None
    bands = Bands(warning_from=warning, critical_above=critical)
    return Metric(id="m", title="M", query="q", bands=bands, samples=samples)


def monitoring(what: Metric) -> Monitoring:
    return Monitoring(prometheus="http://p", metrics=(what,))


@pytest.mark.parametrize(
    ("warning", "critical", "value", "expected"),
    [
        (0.1, 1, 0.0999, Verdict.NORMAL),
        (0.1, 1, 0.1, Verdict.WARNING),
        (0.1, 1, 1.0, Verdict.WARNING),
        (0.1, 1, 1.0001, Verdict.CRITICAL),
        (100, 500, 99.99, Verdict.NORMAL),
        (100, 500, 500, Verdict.WARNING),
        (1, 2, 0, Verdict.NORMAL),
        (1, 2, 1, Verdict.WARNING),
        (1, 2, 2, Verdict.WARNING),
        (1, 2, 3, Verdict.CRITICAL),
    ],
)
def test_a_boundary_reads_as_the_source_table_does(
    warning: float, critical: float, value: float, expected: Verdict
) -> None:
    assert Thresholds(warning, critical).judge(value) is expected


@pytest.mark.parametrize(
    ("warning", "critical", "value", "expected"),
    [
        (99.5, 99, 100, Verdict.NORMAL),
        (99.5, 99, 99.5001, Verdict.NORMAL),
        (99.5, 99, 99.5, Verdict.WARNING),
        (99.5, 99, 99.0, Verdict.WARNING),
        (99.5, 99, 98.9999, Verdict.CRITICAL),
        (99.5, 99, 0, Verdict.CRITICAL),
        (2, 2, 3, Verdict.NORMAL),
        (2, 2, 2, Verdict.WARNING),
        (2, 2, 1, Verdict.CRITICAL),
        (-1, -2, -1.5, Verdict.WARNING),
    ],
)
def test_where_lower_is_worse_the_bands_are_the_mirror_image(
    warning: float, critical: float, value: float, expected: Verdict
) -> None:
    low = Bands(warning_from=warning, critical_below=critical)
    assert low.thresholds.judge(value) is expected
    assert Thresholds(-warning, -critical).judge(-value) is expected
    assert (low.low_is_bad, low.critical) == (True, critical)


MINUTES = timedelta(minutes=2)
GOOD = QueryAnswer((Sample(0.0, NOW),))


def measured(
    what: Metric,
    value: QueryAnswer | str = GOOD,
    samples: QueryAnswer | str | None = None,
    age: QueryAnswer | str | None = None,
    window: timedelta = MINUTES,
) -> Measurement:
    asked = verdicts.Asked("q", NOW, window)
    return verdicts.measure(what, monitoring(what), asked, verdicts.Answers(value, samples, age))


def number(value: float, *warnings: str) -> QueryAnswer:
    return QueryAnswer((Sample(value, NOW),), warnings)


@pytest.mark.parametrize(
    ("samples", "verdict", "reason"),
    [
        ((), Verdict.NO_DATA, "no series"),
        ((Sample(float("nan"), NOW),), Verdict.NO_DATA, "not a number"),
        ((Sample(float("inf"), NOW),), Verdict.NO_DATA, "not a number"),
        ((Sample(float("-inf"), NOW),), Verdict.NO_DATA, "not a number"),
        ((Sample(1, NOW), Sample(2, NOW)), Verdict.BROKEN, "2 series"),
        ((Sample(1, NOW - timedelta(seconds=31)),), Verdict.NO_DATA, "31 s old"),
        ((Sample(0.05, NOW - timedelta(seconds=30)),), Verdict.NORMAL, ""),
        ((Sample(0.05, NOW + timedelta(seconds=90)),), Verdict.NORMAL, ""),
    ],
)
def test_what_is_not_one_fresh_number_is_no_measurement(
    samples: tuple[Sample, ...], verdict: Verdict, reason: str
) -> None:
    found = measured(metric(0.1, 1), QueryAnswer(samples))
    assert found.verdict is verdict
    assert reason in found.reason
    assert (found.value is None) == (not verdict.measured)


def test_the_age_limit_is_the_runbooks_or_two_scrape_intervals() -> None:
    what = metric(0.1, 1)
    plain = Monitoring(prometheus="http://p", metrics=(what,), scrape_interval=timedelta(minutes=1))
    assert plain.stale_limit == timedelta(minutes=2)
    assert plain.model_copy(update={"stale_after": timedelta(seconds=90)}).stale_limit == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("age", "verdict", "reason"),
    [
        (number(30), Verdict.NORMAL, ""),
        (number(31), Verdict.NO_DATA, "the last sample is 31 s old"),
        (QueryAnswer(()), Verdict.NO_DATA, "the age of the samples: no series"),
        (number(math.nan), Verdict.NO_DATA, "the age of the samples: not a number"),
        ("refused", Verdict.BROKEN, "the age of the samples: refused"),
    ],
)
def test_an_instant_querys_own_time_says_nothing_so_the_age_can_be_asked_for(
    age: QueryAnswer | str, verdict: Verdict, reason: str
) -> None:
    found = measured(metric(0.1, 1), age=age)
    assert (found.verdict, found.value is None) == (verdict, verdict is not Verdict.NORMAL)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("samples", "window_s", "verdict", "reason"),
    [
        (QueryAnswer(()), 120, Verdict.NO_DATA, "needs 300 more requests"),
        (number(0), 120, Verdict.NO_DATA, "needs 300 more requests"),
        (number(math.nan), 120, Verdict.NO_DATA, "needs 300 more requests"),
        (number(90), 30, Verdict.NO_DATA, "needs 210 more requests, about 70 s"),
        (number(299.5), 60, Verdict.NO_DATA, "needs 1 more requests, about 1 s"),
        (number(60), 120, Verdict.NO_DATA, "needs 240 more requests: at this rate 2m bring only 60"),
        (number(60), 60, Verdict.NO_DATA, "needs 240 more requests: at this rate 2m bring only 120"),
        (number(300), 120, Verdict.NORMAL, ""),
        (QueryAnswer((Sample(1, NOW), Sample(2, NOW))), 120, Verdict.BROKEN, "the number of requests: 2 series"),
        ("refused", 120, Verdict.BROKEN, "the number of requests: refused"),
        (None, 120, Verdict.BROKEN, "the number of requests: not asked"),
    ],
)
def test_too_few_samples_say_how_many_are_missing_and_whether_waiting_helps(
    samples: QueryAnswer | str | None, window_s: int, verdict: Verdict, reason: str
) -> None:
    found = measured(metric(0.1, 1, floor=300), samples=samples, window=timedelta(seconds=window_s))
    assert found.verdict is verdict
    assert found.reason.startswith(reason)
    assert (found.value is None) == (not verdict.measured)


def test_no_floor_is_so_low_that_nothing_at_all_is_enough() -> None:
    with pytest.raises(ValidationError):
        Samples(query="count", at_least=0)


@pytest.mark.parametrize(("value", "verdict"), [(0.05, Verdict.WARNING), (0.5, Verdict.WARNING), (5, Verdict.CRITICAL)])
def test_a_warning_of_the_server_is_at_best_a_warning_and_is_kept(value: float, verdict: Verdict) -> None:
    found = measured(metric(0.1, 1), number(value, "partial response"))
    assert (found.verdict, found.warnings) == (verdict, ("partial response",))
    counted = measured(metric(0.1, 1, floor=1), number(value), samples=number(10, "partial response"))
    assert (counted.verdict, counted.warnings, counted.samples) == (verdict, ("partial response",), 10)


def test_a_query_that_fails_is_broken_in_the_servers_words() -> None:
    found = measured(metric(0.1, 1), "bad_data: unknown function")
    assert (found.verdict, found.reason) == (Verdict.BROKEN, "bad_data: unknown function")


@pytest.mark.parametrize(
    ("value", "judged", "verdict"),
    [
        (0.0, 0, Verdict.NORMAL),
        (1.03, 1, Verdict.WARNING),
        (2.04, 2, Verdict.WARNING),
        (2.5, 3, Verdict.CRITICAL),
        (3.02, 3, Verdict.CRITICAL),
    ],
)
def test_restarts_are_whole_though_increase_extrapolates_them(value: float, judged: float, verdict: Verdict) -> None:
    what = metric(1, 2).model_copy(update={"measures": Measures.RESTARTS})
    found = measured(what, number(value))
    assert (found.value, found.verdict) == (judged, verdict)
    assert measured(metric(1, 2), number(2.04)).verdict is Verdict.CRITICAL


def test_the_evidence_has_the_thresholds_it_was_judged_by() -> None:
    found = measured(metric(0.1, 1), number(0.3))
    assert (found.query, found.warning_from, found.critical_above, found.critical_below) == ("q", 0.1, 1, None)
    low = metric(0.1, 1).model_copy(update={"bands": Bands(warning_from=99.5, critical_below=99)})
    found = measured(low, number(99.2))
    assert (found.verdict, found.critical_above, found.critical_below) == (Verdict.WARNING, None, 99)


@pytest.mark.parametrize(
    ("answer", "verdict", "value"),
    [
        (number(3), Verdict.NORMAL, 3.0),
        (number(0, "partial response"), Verdict.WARNING, 0.0),
        (QueryAnswer(()), Verdict.NO_DATA, None),
        ("refused", Verdict.BROKEN, None),
    ],
)
def test_a_signal_has_no_bands(answer: QueryAnswer | str, verdict: Verdict, value: float | None) -> None:
    what = metric(0.1, 1)
    found = verdicts.measure_signal("alerts", monitoring(what), verdicts.Asked("q", NOW, MINUTES), answer)
    assert (found.verdict, found.value) == (verdict, value)
