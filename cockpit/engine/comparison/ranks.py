"""Ranks of two groups of values that are counted in cells: Mann–Whitney U, its ties, its effect sizes.

A cell is a bucket of a histogram, or one value that occurs several times. Values of one cell are ties, always: nothing
is drawn at random to break them, so the same counts give the same answer.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

_PARTS = 5


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values: `counts[i]` of them are at most `bounds[i]` and greater than the bound before.

    The last bound may be infinite. `exact` says that every value of a cell is its bound itself.
    """

    bounds: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()
    exact: bool = False

    @classmethod
    def of(cls, values: Sequence[float]) -> Histogram:
        """The cells of single values; what is no number is left out."""
        finite = sorted(value for value in values if math.isfinite(value))
        bounds = tuple(sorted(set(finite)))
        return cls(bounds, tuple(float(finite.count(bound)) for bound in bounds), exact=True)

    @property
    def total(self) -> float:
        """How many values there are."""
        return sum(self.counts)

    @property
    def usable(self) -> bool:
        """Whether these are cells that can be counted."""
        rising = all(low < high for low, high in zip(self.bounds, self.bounds[1:], strict=False))
        numbers = all(math.isfinite(count) and count >= 0 for count in self.counts)
        return rising and numbers and len(self.bounds) == len(self.counts) and not any(map(math.isnan, self.bounds))

    def whole(self) -> Histogram:
        """To whole numbers: `increase()` extrapolates to the ends of its window."""
        return Histogram(self.bounds, tuple(float(math.floor(count + 0.5)) for count in self.counts), self.exact)

    def minus(self, other: Histogram) -> Histogram:
        """What came since `other`, over the same bounds."""
        past = other.counts or (0.0,) * len(self.counts)
        new = tuple(count - before for count, before in zip(self.counts, past, strict=True))
        return Histogram(self.bounds, new, self.exact)

    def over(self, bound: float) -> float:
        """How many values are greater than a bound."""
        return sum(self.counts[bisect_left(self.bounds, bound) + 1 :])

    def quantile(self, share: float) -> float | None:
        """The value that so many do not exceed, None without values.

        Inside a bucket it is interpolated as PromQL's histogram_quantile does, and in an infinite one it is the bound
        below.
        """
        total = self.total
        if total <= 0:
            return None
        rank, before, below = share * total, 0.0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if before + count >= rank and count > 0:
                return bound if self.exact else _inside(below, bound, (rank - before) / count)
            before, below = before + count, bound
        return below

    def points(self) -> list[tuple[float, float]]:
        """The values with how many there are of each; those of a bucket are spread evenly over it."""
        below, found = 0.0, []
        parts = 1 if self.exact else _PARTS
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if count > 0:
                places = (
                    [bound] if self.exact else [_inside(below, bound, (part + 0.5) / parts) for part in range(parts)]
                )
                found += [(place, count / parts) for place in places]
            below = bound
        return found


@dataclass(frozen=True, slots=True)
class Ranks:
    """Mann–Whitney's statistic. `u` counts the pairs in which the first is greater, ties half.

    `mean` and `variance` are those of `u` when both groups are alike, given the ties (Lehmann, "Nonparametrics", 1.4).
    """

    u: float
    pairs: float
    mean: float
    variance: float

    @property
    def superiority(self) -> float:
        """P(first > second) + P(equal)/2: the common language effect size, Vargha and Delaney's A (2000)."""
        return self.u / self.pairs if self.pairs else 0.5

    @property
    def z(self) -> float:
        """How many standard deviations the first is above the second; 0 when everything is a tie."""
        return (self.u - self.mean) / math.sqrt(self.variance) if self.variance > 0 else 0.0


def mann_whitney(first: Histogram, second: Histogram) -> Ranks:
    """The statistic of two groups over the same cells."""
    n, m = first.total, second.total
    u, below, ties = 0.0, 0.0, 0.0
    for mine, theirs in zip(first.counts, second.counts, strict=True):
        u += mine * (below + theirs / 2)
        below += theirs
        tied = mine + theirs
        ties += tied**3 - tied
    total = n + m
    if total < 2:
        return Ranks(u, n * m, n * m / 2, 0.0)
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    return Ranks(u, n * m, n * m / 2, max(0.0, variance))


def together(first: Histogram, second: Histogram) -> tuple[Histogram, Histogram]:
    """Both over the bounds of either."""
    bounds = tuple(sorted({*first.bounds, *second.bounds}))
    return _spread(first, bounds), _spread(second, bounds)


def shift(first: Histogram, second: Histogram) -> float | None:
    """Hodges and Lehmann's shift: the median of all differences first - second, None if a group is empty.

    It is no finer than a fifth of the buckets are wide.
    """
    differences = sorted(
        (mine - theirs, count * times) for mine, count in first.points() for theirs, times in second.points()
    )
    total = sum(weight for _, weight in differences)
    if not differences:
        return None
    reached = 0.0
    for place, (value, weight) in enumerate(differences):
        reached += weight
        if reached * 2 == total and place + 1 < len(differences):
            return (value + differences[place + 1][0]) / 2
        if reached * 2 > total:
            return value
    return differences[-1][0]


def _spread(histogram: Histogram, bounds: tuple[float, ...]) -> Histogram:
    known = dict(zip(histogram.bounds, histogram.counts, strict=True))
    return Histogram(bounds, tuple(known.get(bound, 0.0) for bound in bounds), histogram.exact)


def _inside(below: float, bound: float, share: float) -> float:
    if math.isinf(bound):
        return below
    low = min(below, bound)
    return low + (bound - low) * share
