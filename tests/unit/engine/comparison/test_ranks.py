from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.engine.comparison.ranks import Histogram, mann_whitney, shift, together

WAIT_A = (0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
WAIT_B = (1.15, 0.88, 0.90, 0.74, 1.21)
"""Hollander and Wolfe, "Nonparametric Statistical Methods", Table 4.1, the example of R's wilcox.test."""


# U, z and the shift by scipy 1.17.1: mannwhitneyu(method="asymptotic", use_continuity=False) and the median of
# numpy.subtract.outer.
@pytest.mark.parametrize(
    ("first", "second", "u", "z", "superiority", "moved"),
    [
        (WAIT_A, WAIT_B, 35.0, 1.2247448713915887, 0.7, 0.305),
        ((1, 1, 2, 2, 3, 3, 3), (1, 2, 2, 2, 3, 4, 4, 5), 19.5, -1.015944317934235, 0.3482142857142857, -1.0),
        ((0, 1, 2, 1, 0, 0), (0,) * 6, 27.0, 1.8973665961010275, 0.75, 0.5),
        (
            (1, 2, 3, 400, 500, 600, 700, 800, 900, 1000),
            tuple(range(1, 11)),
            74.5,
            1.8541182090368842,
            0.745,
            544.5,
        ),
    ],
)
def test_the_statistic_is_that_of_scipy(
    first: tuple[float, ...], second: tuple[float, ...], u: float, z: float, superiority: float, moved: float
) -> None:
    one, other = together(Histogram.of(first), Histogram.of(second))
    ranks = mann_whitney(one, other)
    assert ranks.u == u
    assert ranks.z == pytest.approx(z, abs=1e-12)
    assert ranks.superiority == pytest.approx(superiority, abs=1e-12)
    assert shift(Histogram.of(first), Histogram.of(second)) == pytest.approx(moved)


def test_nothing_but_ties_is_no_difference_and_draws_nothing_at_random() -> None:
    one, other = together(Histogram.of([5.0] * 7), Histogram.of([5.0] * 9))
    ranks = mann_whitney(one, other)
    assert (ranks.superiority, ranks.z, ranks.variance) == (0.5, 0.0, 0.0)


@pytest.mark.parametrize(("first", "second"), [((), ()), ((1.0,), ()), ((), (1.0,)), ((math.nan, math.inf), (1.0,))])
def test_an_empty_group_is_no_difference(first: tuple[float, ...], second: tuple[float, ...]) -> None:
    one, other = together(Histogram.of(first), Histogram.of(second))
    assert (mann_whitney(one, other).superiority, mann_whitney(one, other).z) == (0.5, 0.0)
    assert shift(Histogram.of(first), Histogram.of(second)) is None
    assert Histogram.of(()).quantile(0.95) is None


VALUES = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=30)


@given(VALUES, VALUES)
def test_it_is_symmetric(first: list[float], second: list[float]) -> None:
    one, other = together(Histogram.of(first), Histogram.of(second))
    there, back = mann_whitney(one, other), mann_whitney(other, one)
    assert there.u + back.u == there.pairs
    assert there.z == pytest.approx(-back.z)
    assert there.variance == pytest.approx(back.variance)
    moved, moved_back = shift(one, other), shift(other, one)
    assert moved is not None
    assert moved == -(moved_back or 0.0)


@given(VALUES, VALUES, st.data())
def test_a_slower_request_never_makes_the_candidate_faster(
    first: list[float], second: list[float], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(first) - 1))
    slower = [*first[:index], first[index] + data.draw(st.integers(0, 30)), *first[index + 1 :]]
    before = mann_whitney(*together(Histogram.of(first), Histogram.of(second)))
    after = mann_whitney(*together(Histogram.of(slower), Histogram.of(second)))
    assert after.superiority >= before.superiority


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ((0, 100, 0, 0), 0.5, 75.0),
        ((50, 50, 0, 0), 0.5, 50.0),
        ((90, 0, 10, 0), 0.95, 150.0),
        ((50, 0, 0, 50), 0.95, 200.0),
        ((0, 0, 0, 1), 0.95, 200.0),
    ],
)
def test_a_quantile_is_interpolated_as_promql_does(counts: tuple[float, ...], share: float, expected: float) -> None:
    assert Histogram((50, 100, 200, math.inf), counts).quantile(share) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("histogram", "usable"),
    [
        (Histogram((1, 2), (0, 1)), True),
        (Histogram((1, 2), (math.nan, 1)), False),
        (Histogram((1, 2), (-1, 1)), False),
        (Histogram((2, 1), (1, 1)), False),
        (Histogram((1, math.nan), (1, 1)), False),
    ],
)
def test_what_cannot_be_counted_is_known(histogram: Histogram, usable: bool) -> None:
    assert histogram.usable is usable
