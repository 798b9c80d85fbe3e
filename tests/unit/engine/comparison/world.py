"""Requests drawn with a seed: what two tracks would have counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from cockpit.engine.comparison.judge import LOOKS
from cockpit.engine.comparison.ranks import Histogram
from cockpit.engine.comparison.rates import Counts, Rates
from cockpit.engine.comparison.slowness import Slowness

BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, math.inf)


def binomial(random: Random, tries: int, chance: float) -> int:
    """How many of so many tries succeed, by the gaps between successes (Devroye 1986, X.4.3)."""
    found, place = 0, 0
    while True:
        place += int(math.log(1 - random.random()) / math.log1p(-chance)) + 1
        if place > tries:
            return found
        found += 1


def bursts(random: Random, tries: int, chance: float, mean: float) -> int:
    """As many successes as before on average, in bursts: their number Poisson, their sizes geometric about a mean."""
    found, product, limit = 0, random.random(), math.exp(-tries * chance / mean)
    while product > limit:
        found += 1 + int(math.log(1 - random.random()) / math.log1p(-1 / mean))
        product *= random.random()
    return min(tries, found)


def first_alarm(
    random: Random, looks: int, alarm: float, sizes: tuple[int, int], rates: tuple[float, float], burst: float = 1
) -> int:
    """The first look at which the candidate is called worse, 0 if it never is; `burst` errors come at a time."""
    seen, totals = Rates(), [0, 0, 0, 0]
    for look in range(1, looks + 1):
        for side, (size, rate) in enumerate(zip(sizes, rates, strict=True)):
            new = binomial(random, size, rate) if burst == 1 else bursts(random, size, rate, burst)
            totals[2 * side] += new
            totals[2 * side + 1] += size
        seen = seen.look(Counts(totals[0], totals[1]), Counts(totals[2], totals[3]))
        if seen.looks >= LOOKS and seen.shows(seen.worse, alarm):
            return look
    return 0


def naive_alarm(random: Random, looks: int, alarm: float, sizes: tuple[int, int], rate: float) -> bool:
    """Whether a two-proportion z test, made for one look, alarms at any of them."""
    totals = [0, 0]
    limit = {0.1: 1.2815515655446004}[alarm]
    for look in range(1, looks + 1):
        for side in (0, 1):
            totals[side] += binomial(random, sizes[side], rate)
        n, m = look * sizes[0], look * sizes[1]
        pooled = sum(totals) / (n + m)
        spread = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        if spread and (totals[0] / n - totals[1] / m) / spread > limit:
            return True
    return False


def requests(random: Random, number: int, slow: Callable[[Random], float]) -> list[float]:
    """A histogram of so many latencies in ms, lognormal around 80 ms, each times `slow`."""
    counts = [0.0] * len(BOUNDS)
    for _ in range(number):
        value = 80 * math.exp(0.7 * random.gauss(0, 1)) * slow(random)
        counts[next(index for index, bound in enumerate(BOUNDS) if value <= bound)] += 1
    return counts


def slowness(
    random: Random, looks: int, alarm: float, sizes: tuple[int, int], slow: Callable[[Random], float] = lambda _: 1.0
) -> tuple[int, Slowness]:
    """The first look at which the candidate is called slower, 0 if it never is, and the evidence."""
    seen, totals = Slowness(), ([0.0] * len(BOUNDS), [0.0] * len(BOUNDS))
    for look in range(1, looks + 1):
        for side, factor in ((0, slow), (1, lambda _: 1.0)):
            new = requests(random, sizes[side], factor)
            totals[side][:] = [total + count for total, count in zip(totals[side], new, strict=True)]
        seen = seen.look(*(Histogram(BOUNDS, tuple(total)) for total in totals))
        if seen.looks >= LOOKS and seen.slower(alarm):
            return look, seen
    return 0, seen
