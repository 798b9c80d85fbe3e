from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cockpit.engine.comparison.judge import Terms, compare_counts, compare_latency, nothing_to_compare, unknown
from cockpit.engine.comparison.ranks import Histogram, mann_whitney, together
from cockpit.engine.comparison.rates import Counts, Rates
from cockpit.engine.comparison.slowness import Slowness
from cockpit.model.comparison import Standing
from cockpit.model.verdict import Verdict

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
COUNTS = Terms("error_rate", START + timedelta(minutes=15), START, "blue", "green")
LATENCY = replace(COUNTS, metric="p95_latency", what="", unit="ms", decimals=0)
SECONDS = (10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, math.inf)


def rates(candidate: list[int], requests: int, stable: list[int], others: int, tolerance: float = 0.0) -> Rates:
    seen = Rates(tolerance=tolerance)
    for look in range(1, len(candidate) + 1):
        mine = Counts(sum(candidate[:look]), look * requests)
        seen = seen.look(mine, Counts(sum(stable[:look]), look * others))
    return seen


HEALTHY = rates([0] * 9 + [1] + [0] * 10 + [1] * 4 + [0] * 36, 200, [1, 1, 0, 1] * 15, 1900)
WORSE = rates([1, 1, 0, 1] * 15, 200, [1, 1, 0, 1] * 15, 1900)


@pytest.mark.parametrize(
    ("seen", "terms", "standing", "sentence"),
    [
        (
            WORSE,
            {},
            Standing.WORSE,
            "blue 0.38 % errors of 12,000 requests, green 0.04 % of 114,000: worse, "
            "with at most 1 % chance of a false alarm",
        ),
        (
            HEALTHY,
            {},
            Standing.NOT_WORSE,
            "blue 0.04 % errors of 12,000 requests, green 0.04 % of 114,000: no difference that this many requests "
            "could show; a rise of 0.11 points would have been seen",
        ),
        (
            rates([1, 1, 0, 1] * 15, 1900, [1, 1, 0, 1] * 15, 200),
            {"chance": 0.001},
            Standing.BETTER,
            "blue 0.04 % errors of 114,000 requests, green 0.38 % of 12,000: better, "
            "with at most 0.1 % chance of a false alarm",
        ),
        (
            rates([2, 1, 3, 2] * 3, 100, [2, 1, 3, 2] * 3, 100),
            {"ceiling": 1.0},
            Standing.WORSE,
            "blue 2.00 % errors of 1,200 requests, green 2.00 % of 1,200: over the ceiling of 1 %",
        ),
        (
            HEALTHY,
            {"rules_out": 0.05},
            Standing.TOO_FEW,
            "blue 0.04 % errors of 12,000 requests, green 0.04 % of 114,000: no difference that this many requests "
            "could show; needs 19,281 more requests of blue, about 24 min to rule out a rise of 0.05 points",
        ),
        (
            rates([0] * 6, 10, [0] * 6, 90),
            {},
            Standing.TOO_FEW,
            "blue 0.00 % errors of 60 requests, green 0.00 % of 540: needs 40 more requests of blue, about 10 min",
        ),
        (
            rates([0] * 6, 90, [0] * 6, 10),
            {},
            Standing.TOO_FEW,
            "blue 0.00 % errors of 540 requests, green 0.00 % of 60: needs 40 more requests of green, about 10 min",
        ),
        (
            rates([90] * 4, 100, [0] * 4, 100),
            {},
            Standing.TOO_FEW,
            "blue 90.00 % errors of 400 requests, green 0.00 % of 400: needs 1 more looks; fewer than 5 decide nothing",
        ),
        (
            Rates(),
            {},
            Standing.TOO_FEW,
            "blue 0.00 % errors of 0 requests, green 0.00 % of 0: needs 100 more requests of blue",
        ),
        (
            rates([0, 1] * 3, 100, [0, 0] * 3, 100),
            {},
            Standing.NOT_WORSE,
            "blue 0.50 % errors of 600 requests, green 0.00 % of 600: no difference that this many requests "
            "could show; a rise of 3.9 points would have been seen",
        ),
    ],
)
def test_counts_end_in_one_plain_sentence(
    seen: Rates, terms: dict[str, float], standing: Standing, sentence: str
) -> None:
    found = compare_counts(replace(COUNTS, **terms), seen)  # type: ignore[arg-type]
    assert (found.standing, found.sentence) == (standing, sentence)


def test_a_tolerated_rise_is_not_worse_and_says_that_it_is_tolerated() -> None:
    seen = rates([6] * 60, 1000, [1] * 60, 1000, tolerance=0.01)
    found = compare_counts(replace(COUNTS, tolerance=1.0), seen)
    assert found.standing is Standing.NOT_WORSE
    assert "a rise that is not shown to exceed the 1 points that are tolerated" in found.sentence
    much = rates([30] * 60, 1000, [1] * 60, 1000, tolerance=0.01)
    assert "worse by more than the 1 points" in compare_counts(replace(COUNTS, tolerance=1.0), much).sentence


def test_a_comparison_has_its_numbers() -> None:
    found = compare_counts(replace(COUNTS, queries=("a", "b")), WORSE)
    assert found.candidate == pytest.approx(0.375)
    assert found.stable == pytest.approx(100 * 45 / 114_000)
    assert (found.candidate_samples, found.stable_samples, found.looks) == (12_000, 114_000, 60)
    assert found.effect == pytest.approx(0.375 - 100 * 45 / 114_000)
    assert found.interval.lower is not None
    assert found.interval.upper is not None
    assert 0 < found.interval.lower < found.effect < found.interval.upper
    assert (found.queries, found.since, found.chance) == (("a", "b"), START, 0.01)


def test_sparse_errors_that_no_test_could_tell_apart_say_so() -> None:
    """Kayenta #426: errors 0, 1, 2, 1, 0, 0 beside none; of 600 requests each, Fisher's exact p is 0.062 (scipy)."""
    found = compare_counts(COUNTS, rates([0, 1, 2, 1, 0, 0], 100, [0] * 6, 100))
    assert found.standing is Standing.NOT_WORSE
    assert "no difference that this many requests could show; a rise of 3.2 points would" in found.sentence
    careful = compare_counts(replace(COUNTS, rules_out=0.5), rates([0, 1, 2, 1, 0, 0], 100, [0] * 6, 100))
    assert careful.standing.verdict is Verdict.NO_DATA, "with `rules_out`, too little to tell is no pass"


def looks(bad: list[bool], size: int) -> Slowness:
    """Every look of stable around 20 ms; a bad look of the candidate a hundred times slower, about 2 s."""
    seen, mine, theirs = Slowness(), [0.0] * len(SECONDS), [0.0] * len(SECONDS)
    for slow in bad:
        for low, high, share in ((1, 7, 0.6), (2, 8, 0.4)):
            mine[high if slow else low] += share * size
            theirs[low] += share * size
        seen = seen.look(Histogram(SECONDS, tuple(mine)), Histogram(SECONDS, tuple(theirs)))
    return seen


SEVEN_OF_TEN = [False, True, True, False, True, True, True, False, True, True]


def test_a_candidate_that_is_a_hundred_times_slower_in_seven_of_ten_looks_is_slower() -> None:
    """Kayenta #6278 passed it. It comes and goes as bursts do, and is seen all the same from the seventh look on."""
    for number in (7, 9, 10):
        found = compare_latency(LATENCY, looks(SEVEN_OF_TEN[:number], 100))
        assert found.standing is Standing.WORSE, number
    assert found.sentence == (
        "blue P95 4554 ms over 1,000 requests, green 47 ms over 1,000: slower, with at most 1 % chance of a false "
        "alarm; slower in 85 of 100 pairs of requests, typically by +1722 ms"
    )
    assert (found.superiority, found.shift) == (pytest.approx(0.85, abs=0.01), pytest.approx(1722, abs=1))


def test_fewer_than_five_points_can_never_fail() -> None:
    """The most extreme four against four have an exact one-sided p of 1/70, above 1 %; five have 1/252."""
    found = compare_latency(LATENCY, looks([True] * 4, 1000))
    assert (found.standing, found.sentence) == (
        Standing.TOO_FEW,
        "needs 1 more looks; fewer than 5 decide nothing",
    )
    ranks = mann_whitney(*together(Histogram.of([5, 6, 7, 8]), Histogram.of([1, 2, 3, 4])))
    assert ranks.superiority == 1
    assert math.comb(8, 4) < 100 < math.comb(10, 5)


@pytest.mark.parametrize(
    ("terms", "standing", "words"),
    [
        ({"tolerance": 2000.0}, Standing.WORSE, "and by more than the 2000 ms that are tolerated"),
        ({"tolerance": 5000.0}, Standing.NOT_WORSE, "slower by no more than the 5000 ms that are tolerated"),
        ({"tolerance": 5000.0, "ceiling": 500.0}, Standing.WORSE, "over the ceiling of 500 ms"),
        ({"at_least": 1500}, Standing.TOO_FEW, "needs 500 more requests of blue, about 8 min"),
    ],
)
def test_latency_has_a_tolerance_and_a_ceiling(terms: dict[str, float], standing: Standing, words: str) -> None:
    found = compare_latency(replace(LATENCY, **terms), looks(SEVEN_OF_TEN, 100))  # type: ignore[arg-type]
    assert found.standing is standing
    assert words in found.sentence


def test_alike_and_empty_latencies() -> None:
    alike = compare_latency(LATENCY, looks([False] * 40, 100))
    assert alike.standing is Standing.NOT_WORSE
    assert "no difference that this many requests could show" in alike.sentence
    assert "points in requests over 50 ms would have been seen" in alike.sentence
    empty = compare_latency(LATENCY, Slowness())
    assert (empty.standing, empty.sentence) == (Standing.TOO_FEW, "needs 100 more requests of blue")


def test_what_cannot_be_compared_is_no_data_or_broken() -> None:
    assert unknown(COUNTS, "refused").standing.verdict is Verdict.BROKEN
    assert nothing_to_compare(COUNTS, "green gets no traffic").standing.verdict is Verdict.NO_DATA
