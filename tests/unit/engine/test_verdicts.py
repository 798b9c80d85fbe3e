from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cockpit.engine import verdicts
from cockpit.engine.ports import QueryAnswer, Sample
from cockpit.model.verdict import Verdict
from cockpit.runbook.gate import Bands, Metric, Monitoring, Samples

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
    assert verdicts.band(Bands(warning_from=warning, critical_above=critical), value) is expected


@pytest.mark.parametrize(
    ("samples", "verdict", "reason"),
    [
        ((), Verdict.NO_DATA, "no series"),
        ((Sample(float("nan"), NOW),), Verdict.NO_DATA, "not a number"),
        ((Sample(float("inf"), NOW),), Verdict.NO_DATA, "not a number"),
        ((Sample(float("-inf"), NOW),), Verdict.NO_DATA, "not a number"),
        ((Sample(1, NOW), Sample(2, NOW)), Verdict.BROKEN, "2 series"),
        ((Sample(1, NOW - timedelta(seconds=61)),), Verdict.NO_DATA, "61 s old"),
        ((Sample(0.05, NOW - timedelta(seconds=60)),), Verdict.NORMAL, ""),
    ],
)
def test_what_is_not_one_fresh_number_is_no_measurement(
    samples: tuple[Sample, ...], verdict: Verdict, reason: str
) -> None:
    what = metric(0.1, 1)
    found = verdicts.measure(what, monitoring(what), "q", QueryAnswer(samples), NOW)
    assert found.verdict is verdict
    assert reason in found.reason
    assert (found.value is None) == (not verdict.measured)


@pytest.mark.parametrize(
    ("count", "rate", "verdict", "reason"),
    [
        (None, None, Verdict.NO_DATA, "needs 300 more requests"),
        (60.0, 6.0, Verdict.NO_DATA, "needs 240 more requests, about 40 s"),
        (299.5, None, Verdict.NO_DATA, "needs 1 more requests"),
        (300.0, 6.0, Verdict.NORMAL, ""),
    ],
)
def test_too_few_samples_say_how_many_are_missing(
    count: float | None, rate: float | None, verdict: Verdict, reason: str
) -> None:
    what = metric(0.1, 1, floor=300)
    found = verdicts.measure(what, monitoring(what), "q", QueryAnswer((Sample(0.0, NOW),)), NOW, count, rate)
    assert (found.verdict, found.reason) == (verdict, reason)


@pytest.mark.parametrize(("value", "verdict"), [(0.05, Verdict.WARNING), (0.5, Verdict.WARNING), (5, Verdict.CRITICAL)])
def test_a_warning_of_the_server_is_at_best_a_warning(value: float, verdict: Verdict) -> None:
    what = metric(0.1, 1)
    answer = QueryAnswer((Sample(value, NOW),), ("partial response",))
    assert verdicts.measure(what, monitoring(what), "q", answer, NOW).verdict is verdict
