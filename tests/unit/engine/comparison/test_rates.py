from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.engine.comparison.rates import EDGES, Counts, Rates, evidence, nearest

RATE = st.floats(0.001, 0.9)
SIZE = st.integers(1, 2000).map(float)


@given(SIZE, SIZE, RATE, RATE, st.floats(-0.5, 0.5))
def test_the_nearest_point_is_on_the_edge_and_nearer_than_its_neighbours(
    n: float, m: float, a: float, b: float, difference: float
) -> None:
    x, y = nearest(n, m, a, b, difference)
    assert x - y == pytest.approx(difference, abs=1e-9)
    assert x > 0
    assert y > 0

    def distance(rate: float) -> float:
        return n * (a * math.log(a / (rate + difference)) - a + rate + difference) + m * (
            b * math.log(b / rate) - b + rate
        )

    for step in (y * 1e-3, -y * 1e-3):
        if y + step > 0 and y + step + difference > 0:
            assert distance(y) <= distance(y + step) + 1e-9 * max(1.0, distance(y))


def _pmf(events: int, requests: int, rate: float) -> float:
    return math.comb(requests, events) * rate**events * (1 - rate) ** (requests - events)


@pytest.mark.parametrize("sizes", [(3, 3), (2, 9), (10, 4)])
@pytest.mark.parametrize("tolerance", [0.0, 0.05, -0.05])
@pytest.mark.parametrize("bet", [(0.3, 0.1), (0.9, 0.02), (0.06, 0.05)])
def test_evidence_is_not_expected_to_grow_while_there_is_nothing_to_show(
    sizes: tuple[int, int], tolerance: float, bet: tuple[float, float]
) -> None:
    """The whole sum over all outcomes, for rates all over the null hypothesis: exact, not simulated."""
    n, m = sizes
    grid = [step / 20 for step in range(21)]
    for p, q in product(grid, grid):
        if p - q > tolerance + 1e-12:
            continue
        expected = sum(
            _pmf(x, n, p) * _pmf(y, m, q) * math.exp(evidence(Counts(x, n), Counts(y, m), *bet, tolerance))
            for x, y in product(range(n + 1), range(m + 1))
        )
        assert expected <= 1 + 1e-9, (p, q)


def _after(*looks: tuple[float, float, float, float], tolerance: float = 0.0) -> Rates:
    """The evidence of looks that each bring (events, requests) of the candidate and of stable."""
    rates, sums = Rates(tolerance=tolerance), [0.0] * 4
    for look in looks:
        sums = [total + new for total, new in zip(sums, look, strict=True)]
        rates = rates.look(Counts(sums[0], sums[1]), Counts(sums[2], sums[3]))
    return rates


LOOK = st.tuples(st.integers(0, 5), st.integers(5, 300), st.integers(0, 5), st.integers(5, 300))


@given(st.lists(LOOK, min_size=1, max_size=8))
def test_swapping_the_tracks_swaps_better_and_worse(looks: list[tuple[int, int, int, int]]) -> None:
    there = _after(*looks)
    back = _after(*((xs, ns, xc, nc) for xc, nc, xs, ns in looks))
    assert there.worse == pytest.approx(back.better)
    assert there.better == pytest.approx(back.worse)
    assert there.dispersion == pytest.approx(back.dispersion)
    lower, upper = there.interval(0.1)
    mirrored = back.interval(0.1)
    assert (lower, upper) == tuple(None if edge is None else -edge for edge in reversed(mirrored))


@given(st.lists(LOOK, min_size=1, max_size=6), LOOK)
def test_another_failed_request_of_the_candidate_never_speaks_for_it(
    looks: list[tuple[int, int, int, int]], last: tuple[int, int, int, int]
) -> None:
    events, requests, *stable = last
    before = _after(*looks, (events - (events > 0), requests, *stable))
    after = _after(*looks, (events, requests, *stable))
    assert all(more >= less for more, less in zip(after.worse, before.worse, strict=True))
    assert all(more <= less for more, less in zip(after.better, before.better, strict=True))


BAD = st.sampled_from([math.nan, math.inf, -math.inf, -1.0])


@given(BAD, st.integers(0, 3))
def test_what_is_no_number_changes_nothing(bad: float, place: int) -> None:
    rates = _after((1, 100, 1, 100))
    numbers = [2.0, 200.0, 2.0, 200.0]
    numbers[place] = bad
    assert rates.look(Counts(*numbers[:2]), Counts(*numbers[2:])) == rates


def test_no_requests_are_no_evidence() -> None:
    assert Rates().look(Counts(0, 0), Counts(0, 0)) == Rates()
    alone = Rates().look(Counts(5, 100), Counts(0, 0))
    assert (alone.worse, alone.looks, alone.candidate.requests) == (Rates().worse, 0, 100)
    clean = _after(*[(0, 1000, 0, 1000)] * 5)
    assert not clean.shows(clean.worse, 0.01)
    assert clean.dispersion == 1


def test_counts_that_went_backwards_wait_until_they_have_passed_those_already_seen() -> None:
    rates = _after((1, 100, 1, 100))
    assert rates.look(Counts(0, 50), Counts(0, 50)) == rates
    assert rates.look(Counts(2, 200), Counts(2, 200)).looks == 2


def test_extrapolated_counts_are_rounded_and_never_more_than_the_requests() -> None:
    assert Counts(10.4, 9.6).whole() == Counts(10, 10)
    assert Counts(0.49, 99.5).whole() == Counts(0, 100)


def test_a_difference_within_the_tolerance_is_no_evidence_at_any_size() -> None:
    """A true rise of 0.5 points is worse at once, but not by more than the 1 point that is tolerated."""
    looks = [(60, 10_000, 10, 10_000)] * 40
    plain, tolerant = _after(*looks), _after(*looks, tolerance=0.01)
    assert plain.shows(plain.worse, 1e-6)
    assert not tolerant.shows(tolerant.worse, 0.2)
    lower, upper = tolerant.interval(0.01)
    assert lower is not None
    assert upper is not None
    assert 0.003 < lower < 0.005 < upper < 0.008


def test_the_interval_narrows_around_the_difference() -> None:
    few, many = _after(*[(1, 200, 1, 2000)] * 5), _after(*[(1, 200, 10, 2000)] * 200)
    assert few.interval(0.01)[0] is None or few.interval(0.01)[0] < 0
    lower, upper = many.interval(0.01)
    assert lower is not None
    assert upper is not None
    assert -0.003 < lower < 0 < upper < 0.003
    assert {lower, upper} <= set(EDGES)


def test_bursts_are_not_taken_for_a_difference() -> None:
    """The same errors, spread over the looks or all in one; one burst of a client is no rise of the rate."""
    spread = _after(*[(2, 500, 1, 4500)] * 30)
    burst = _after(*[(0, 500, 1, 4500)] * 15, (60, 500, 1, 4500), *[(0, 500, 1, 4500)] * 14)
    assert spread.dispersion < 1.5 < burst.dispersion
    assert spread.shows(spread.worse, 0.01)
    assert not burst.shows(burst.worse, 0.01)


def test_a_lasting_rise_is_no_burst() -> None:
    rise = _after(*[(0, 500, 2, 4500)] * 30, *[(15, 500, 2, 4500)] * 6)
    assert rise.shows(rise.worse, 0.01)


def test_how_many_more_requests_rule_out_a_rise() -> None:
    some = _after(*[(1, 1000, 1, 1000)] * 5)
    factor = some.factor_to_rule_out(0.005, 0.01)
    enough = _after(*[(1, 1000, 1, 1000)] * math.ceil(5 * factor * 1.3))
    upper = enough.interval(0.01)[1]
    assert upper is not None
    assert upper <= 0.005
    assert some.factor_to_rule_out(0.0, 0.01) == math.inf
    assert some.factor_to_rule_out(0.4, 0.01) == 1
