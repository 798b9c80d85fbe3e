"""How slow the requests of two tracks are, compared look by look, by their ranks.

Each look is a stratum with its own Mann–Whitney statistic, weighted by 1/(requests + 1) (van Elteren 1960), so that
only requests of the same seconds are compared. While both tracks are alike, the sum S of their deviations is a
martingale, and V adds up the variances that the ties of each look leave it. Against that stands a mixture of bets with
half normal weights (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
confidence sequences", Ann. Statist. 49 (2021), one-sided normal mixture). It rests on the statistic of a look being
about normal, which is why a look with fewer than `FEWEST` requests of a track waits for the next one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cockpit.engine.comparison.ranks import Histogram, mann_whitney
from cockpit.engine.comparison.rates import Counts, Rates, log_mean

FEWEST = 20
SCALES = (0.6, 4.0)
"""The widths of the bets: 12 times the distance of the superiority from one half, here 0.05 and a third."""

_SLOW = 0.05
_CALM = 1.0
_NOTHING, _NO_RATES = Histogram(), Rates()


@dataclass(frozen=True, slots=True)
class Slowness:
    """The evidence of all looks so far.

    `slow` counts requests over `bound`, which about 5 % of the stable track's first requests exceeded: ranks hardly see
    a tail, and a tail is what a P95 is about. `wobble`: last deviation, squared steps, what these would be, looks.
    """

    candidate: Histogram = _NOTHING
    stable: Histogram = _NOTHING
    bound: float | None = None
    slow: Rates = _NO_RATES
    total: float = 0.0
    variance: float = 0.0
    looks: int = 0
    wobble: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def look(self, candidate: Histogram, stable: Histogram) -> Slowness:
        """With the histograms as they are now, both over the same bounds and since the comparison began.

        Unchanged if they cannot be counted, have other bounds than before, went backwards, or brought too little.
        """
        if not (candidate.usable and stable.usable and candidate.bounds == stable.bounds):
            return self
        if self.candidate.bounds not in ((), candidate.bounds):
            return self
        now, then = candidate.whole(), stable.whole()
        new, old = now.minus(self.candidate), then.minus(self.stable)
        if not (new.usable and old.usable) or min(new.total, old.total) < FEWEST:
            return self
        return self._add(replace(self, candidate=now, stable=then), new, old)

    def _add(self, seen: Slowness, new: Histogram, old: Histogram) -> Slowness:
        ranks = mann_whitney(new, old)
        weight = 1 / (new.total + old.total + 1)
        deviation, variance = weight * (ranks.u - ranks.mean), weight * weight * ranks.variance
        last, squares, expected, before = self.wobble
        if self.looks:
            squares, expected = squares + (deviation - last) ** 2, expected + variance + before
        return replace(
            seen,
            bound=_edge(old) if self.bound is None else self.bound,
            slow=self.slow if self.bound is None else _add_slow(self.slow, self.bound, new, old),
            total=self.total + deviation,
            variance=self.variance + variance,
            looks=self.looks + 1,
            wobble=(deviation, squares, expected, variance),
        )

    @property
    def dispersion(self) -> float:
        """By how much the deviations jump more from look to look than independent requests would, at least 1.

        One pause of a pod slows many requests at once. See `Rates.dispersion`.
        """
        _, squares, expected, _ = self.wobble
        usual = 2 * _CALM * self.variance / self.looks if self.looks else 0.0
        return max(1.0, (squares + usual) / (expected + usual)) if expected + usual > 0 else 1.0

    def slower(self, chance: float) -> bool:
        """Whether the candidate is slower, by its ranks or by its tail, each with half the chance of a false alarm."""
        return self._ranks(self.total, chance / 2) or self.slow.shows(self.slow.worse, chance / 2)

    def faster(self, chance: float) -> bool:
        """Whether the candidate is faster, likewise."""
        return self._ranks(-self.total, chance / 2) or self.slow.shows(self.slow.better, chance / 2)

    def _ranks(self, total: float, chance: float) -> bool:
        variance = self.dispersion * self.variance
        return log_mean(tuple(_bet(total, variance, scale) for scale in SCALES)) >= math.log(1 / chance)


def _bet(total: float, variance: float, scale: float) -> float:
    """The log evidence of half normal bets of that scale."""
    spread = 1 + scale * scale * variance
    side = 0.5 * math.erfc(-scale * total / math.sqrt(2 * spread))
    if side <= 0:
        return -math.inf
    return math.log(2 * side) - 0.5 * math.log(spread) + (scale * total) ** 2 / (2 * spread)


def _edge(stable: Histogram) -> float:
    """The bound that is exceeded by nearest to 5 % of the requests."""
    finite = [bound for bound in stable.bounds if math.isfinite(bound)]
    return min(finite, key=lambda bound: abs(stable.over(bound) - _SLOW * stable.total), default=math.inf)


def _add_slow(slow: Rates, bound: float, new: Histogram, old: Histogram) -> Rates:
    return slow.look(
        Counts(slow.candidate.events + new.over(bound), slow.candidate.requests + new.total),
        Counts(slow.stable.events + old.over(bound), slow.stable.requests + old.total),
    )
