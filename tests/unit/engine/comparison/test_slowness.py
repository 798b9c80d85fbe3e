from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.engine.comparison.ranks import Histogram
from cockpit.engine.comparison.slowness import FEWEST, Slowness

from .world import BOUNDS, slowness

CELLS = st.lists(st.integers(0, 40), min_size=4, max_size=4)
LOOKS = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6)
SMALL = (10.0, 100.0, 1000.0, math.inf)


def _after(looks: list[tuple[list[int], list[int]]], swap: bool = False) -> Slowness:
    seen, mine, theirs = Slowness(), [0.0] * 4, [0.0] * 4
    for one, other in looks:
        mine = [total + new for total, new in zip(mine, one, strict=True)]
        theirs = [total + new for total, new in zip(theirs, other, strict=True)]
        pair = (Histogram(SMALL, tuple(mine)), Histogram(SMALL, tuple(theirs)))
        seen = seen.look(*(reversed(pair) if swap else pair))
    return seen


@given(LOOKS)
def test_swapping_the_tracks_turns_the_ranks_around(looks: list[tuple[list[int], list[int]]]) -> None:
    there, back = _after(looks), _after(looks, swap=True)
    assert there.total == pytest.approx(-back.total)
    assert there.variance == pytest.approx(back.variance)
    assert there.dispersion == pytest.approx(back.dispersion)


def test_all_ties_never_show_anything() -> None:
    seen = _after([([0, 500, 0, 0], [0, 500, 0, 0])] * 50)
    assert (seen.total, seen.variance, seen.dispersion) == (0, 0, 1)
    assert not seen.slower(0.2)
    assert not seen.faster(0.2)


def test_a_look_with_too_few_requests_waits_for_the_next_one() -> None:
    few = FEWEST - 1
    assert _after([([few, 0, 0, 0], [200, 0, 0, 0])]) == Slowness()
    assert _after([([few, 0, 0, 0], [200, 0, 0, 0]), ([1, 0, 0, 0], [0, 0, 0, 0])]).looks == 1


@pytest.mark.parametrize(
    "candidate",
    [
        Histogram(SMALL, (math.nan, 50, 50, 50)),
        Histogram(SMALL, (-1, 50, 50, 50)),
        Histogram((1.0, 2.0, 3.0, 4.0), (50, 50, 50, 50)),
        Histogram(SMALL, (1, 1, 1, 1)),
        Histogram(),
    ],
    ids=["NaN", "negative", "other buckets", "backwards", "nothing"],
)
def test_what_cannot_be_counted_changes_nothing(candidate: Histogram) -> None:
    before = _after([([50, 50, 50, 50], [50, 50, 50, 50])])
    assert before.look(candidate, Histogram(SMALL, (100, 100, 100, 100))) == before


def test_a_faster_candidate_is_seen_too() -> None:
    _, seen = slowness(Random(1), 20, 1e-9, (200, 200), lambda _: 0.5)
    assert seen.faster(0.01)
    assert not seen.slower(0.2)


def test_the_tail_is_counted_over_the_bound_that_about_one_in_twenty_exceed() -> None:
    _, seen = slowness(Random(1), 5, 1e-9, (200, 2000))
    assert seen.bound == 250
    assert 0.02 < seen.slow.stable.rate < 0.1
    assert seen.slow.stable.requests == 4 * 2000, "the look that chose the bound is not counted by it"


def test_a_pause_of_all_requests_of_some_looks_is_measured_as_dispersion() -> None:
    paused = [([0, 60, 0, 0], [0, 60, 0, 0])] * 6
    for place in (1, 4):
        paused[place] = ([0, 0, 60, 0], [0, 60, 0, 0])
    assert _after(paused).dispersion > 5
    assert BOUNDS[-1] == math.inf
