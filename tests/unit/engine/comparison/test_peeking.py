"""How often a healthy release raises an alarm when somebody looks at every interval, and how soon a bad one does.

Drawn with a seed, so that the outcome is always the same. With 40 runs and a chance of 10 %, more than 11 alarms would
have a probability below 0.1 %: that many would show that the stated chance is wrong.
"""

from __future__ import annotations

from random import Random
from statistics import median

import pytest

from .world import first_alarm, naive_alarm, slowness

RUNS, LOOKS, ALARM, MOST = 40, 40, 0.1, 11


@pytest.mark.parametrize(("sizes", "rate"), [((60, 540), 0.01), ((300, 300), 0.2), ((1800, 16200), 0.0005)])
def test_looking_at_every_interval_raises_no_more_false_alarms_than_stated(sizes: tuple[int, int], rate: float) -> None:
    random = Random(20261126)
    alarms = sum(first_alarm(random, LOOKS, ALARM, sizes, (rate, rate)) > 0 for _ in range(RUNS))
    assert alarms <= MOST


@pytest.mark.parametrize("sizes", [(180, 1620), (900, 900), (1620, 180)])
def test_errors_that_come_in_bursts_raise_no_more_false_alarms_either(sizes: tuple[int, int]) -> None:
    """Twenty at a time. The last case is the hardest: stable has a tenth of the requests, and seldom a burst at all."""
    random = Random(20261126)
    assert sum(first_alarm(random, LOOKS, ALARM, sizes, (0.005, 0.005), 20) > 0 for _ in range(RUNS)) <= MOST


def test_a_real_rise_is_seen_in_spite_of_bursts() -> None:
    random = Random(20261126)
    seen = [first_alarm(random, 60, 0.01, (900, 900), (0.05, 0.005), 20) for _ in range(11)]
    assert all(seen)
    assert median(seen) <= 30


def test_a_test_that_is_made_for_one_look_would_be_caught_by_this() -> None:
    random = Random(20261126)
    assert sum(naive_alarm(random, LOOKS, ALARM, (300, 300), 0.01) for _ in range(RUNS)) > MOST


@pytest.mark.parametrize("sizes", [(25, 75), (40, 40)])
def test_latency_raises_no_more_false_alarms_than_stated(sizes: tuple[int, int]) -> None:
    random = Random(20261126)
    assert sum(slowness(random, LOOKS, ALARM, sizes)[0] > 0 for _ in range(RUNS)) <= MOST


@pytest.mark.parametrize(
    ("sizes", "rates", "latest"),
    [((180, 1620), (0.05, 0.0005), 6), ((180, 1620), (0.01, 0.0005), 20), ((900, 900), (0.015, 0.01), 40)],
)
def test_a_real_rise_is_seen_soon(sizes: tuple[int, int], rates: tuple[float, float], latest: int) -> None:
    random = Random(20261126)
    seen = [first_alarm(random, 120, 0.01, sizes, rates) for _ in range(11)]
    assert all(seen)
    assert median(seen) <= latest


@pytest.mark.parametrize(
    ("factor", "share"), [(1.3, 1.0), (10.0, 0.1)], ids=["every request 30 % slower", "a tenth of them ten times"]
)
def test_slower_requests_are_seen_by_their_ranks_or_by_their_tail(factor: float, share: float) -> None:
    random = Random(20261126)
    seen, _ = slowness(random, 40, 0.01, (120, 480), lambda draw: factor if draw.random() < share else 1.0)
    assert 0 < seen <= 15
