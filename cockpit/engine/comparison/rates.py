"""Events per request of two tracks, compared look by look: a sequential, exact two-sample test.

Source: Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional
stopping", J. Stat. Plan. Inference 230 (2024), and Turner and Grünwald, "Exact anytime-valid confidence intervals for
contingency tables and beyond", Stat. Probab. Lett. 198 (2023). Here in the Poisson form, where the nearest point of
the null hypothesis is a square root instead of a search.

With rates `a` of an alternative and `b` of the nearest point of a convex null hypothesis, one look with n requests and
x events per track has the evidence prod (a/b)^x exp(-n (a - b)). Its expectation for any rates p of the null is, for
Bernoulli and for Poisson events alike, at most exp(sum n (a - b)(p - b)/b), and that exponent is at most 0, which is
the condition for b to be nearest. Each look may have rates of its own: an outage that hits both tracks alike is no
evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

RISES = tuple(0.0002 * 2.0**step for step in range(12))
"""The rises that are bet on, from 0.02 to 41 points."""

_STEP = 1.25
_EDGES = tuple(2e-5 * _STEP**step for step in range(46))
EDGES = (*(-edge for edge in reversed(_EDGES)), 0.0, *_EDGES)
"""The differences that can be ruled out, from -46 to 46 points, each a quarter greater than the one before."""

_BETS = 2
_CALM = 1.0
_PRIOR_EVENTS, _PRIOR_REQUESTS = 0.5, 500.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests of a track there were, and how many of them were events (errors, slow ones)."""

    events: float
    requests: float

    @property
    def rate(self) -> float:
        """Events per request, 0 without requests."""
        return self.events / self.requests if self.requests else 0.0

    @property
    def usable(self) -> bool:
        """Whether these are numbers that can be counted."""
        return all(math.isfinite(number) and number >= 0 for number in (self.events, self.requests))

    def whole(self) -> Counts:
        """To whole numbers: `increase()` extrapolates to the ends of its window."""
        requests = math.floor(self.requests + 0.5)
        return Counts(min(requests, math.floor(self.events + 0.5)), requests)

    def minus(self, other: Counts) -> Counts:
        """What came since `other`."""
        return Counts(self.events - other.events, self.requests - other.requests)

    def guess(self) -> float:
        """The rate to bet on next, never 0."""
        return (self.events + _PRIOR_EVENTS) / (self.requests + _PRIOR_REQUESTS)


NONE = Counts(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Bursts:
    """How far the events of one track jump from look to look: the last look, the sum of squared steps, their number."""

    last: Counts = NONE
    squares: float = 0.0
    steps: int = 0

    def look(self, new: Counts, rate: float) -> Bursts:
        """With one more look; `rate` is that of both tracks, by which independent events would jump."""
        if not self.last.requests:
            return replace(self, last=new)
        usual = rate * (1 / new.requests + 1 / self.last.requests)
        step = (new.rate - self.last.rate) ** 2 / usual if usual else 0.0
        return Bursts(new, self.squares + step, self.steps + 1)

    @property
    def dispersion(self) -> float:
        """By how much they jump more than independent events would; about 1 without bursts."""
        return (self.squares + _CALM) / (self.steps + _CALM)


_NO_BURSTS = Bursts()


@dataclass(frozen=True, slots=True)
class Rates:
    """The evidence of all looks so far. Logarithms; a tuple has one entry per bet.

    `at_most` and `at_least` have, for each of `EDGES`, the evidence against a difference of at most and of at least so
    much. The rest is what `dispersion` needs: `wobble` is the last look's contrast, the sum of squared steps, their
    number; `bursts` the same of each track alone.
    """

    tolerance: float = 0.0
    candidate: Counts = NONE
    stable: Counts = NONE
    worse: tuple[float, ...] = (0.0,) * len(RISES)
    better: tuple[float, ...] = (0.0,) * len(RISES)
    at_most: tuple[tuple[float, ...], ...] = ((0.0,) * _BETS,) * len(EDGES)
    at_least: tuple[tuple[float, ...], ...] = ((0.0,) * _BETS,) * len(EDGES)
    looks: int = 0
    wobble: tuple[float, float, int] = (0.0, 0.0, -1)
    bursts: tuple[Bursts, Bursts] = (_NO_BURSTS, _NO_BURSTS)

    def look(self, candidate: Counts, stable: Counts) -> Rates:
        """With the counts as they are now, both since the comparison began; unchanged if they cannot be counted.

        Counts that went backwards are left out until they have passed those already seen.
        """
        if not (candidate.usable and stable.usable):
            return self
        new, old = candidate.whole().minus(self.candidate), stable.whole().minus(self.stable)
        if not (new.usable and old.usable) or not (new.requests or old.requests):
            return self
        seen = replace(self, candidate=candidate.whole(), stable=stable.whole())
        if not new.requests or not old.requests:
            return seen
        return self._bet(seen, new, old)

    def _bet(self, seen: Rates, new: Counts, old: Counts) -> Rates:
        base, other = self.stable.guess(), self.candidate.guess()
        pooled = Counts(
            self.candidate.events + self.stable.events, self.candidate.requests + self.stable.requests
        ).guess()
        bets = ((pooled, pooled), (other, base))
        edge = self.tolerance
        return replace(
            seen,
            worse=tuple(
                log + evidence(new, old, base + edge + rise, base, edge)
                for log, rise in zip(self.worse, RISES, strict=True)
            ),
            better=tuple(
                log + evidence(old, new, other + edge + rise, other, edge)
                for log, rise in zip(self.better, RISES, strict=True)
            ),
            at_most=tuple(
                tuple(log + evidence(new, old, a, b, difference) for log, (a, b) in zip(logs, bets, strict=True))
                for logs, difference in zip(self.at_most, EDGES, strict=True)
            ),
            at_least=tuple(
                tuple(log + evidence(old, new, b, a, -difference) for log, (a, b) in zip(logs, bets, strict=True))
                for logs, difference in zip(self.at_least, EDGES, strict=True)
            ),
            looks=self.looks + 1,
            wobble=_wobble(self.wobble, new, old, seen),
            bursts=(self.bursts[0].look(new, _pooled(seen)), self.bursts[1].look(old, _pooled(seen))),
        )

    @property
    def dispersion(self) -> float:
        """By how much the tracks, or their contrast, jump more from look to look than independent requests would, >= 1.

        Errors come in bursts. Half the mean square of successive differences (von Neumann 1941) measures that, and a
        lasting difference between the tracks does not change it. The contrast alone would not do: a track with a tenth
        of the requests has seen no burst yet when the other one has seen several.
        """
        _, squares, steps = self.wobble
        contrast = (squares + 2 * _CALM) / (2 * max(0, steps) + 2 * _CALM)
        return max(1.0, contrast, *(track.dispersion for track in self.bursts))

    def shows(self, logs: tuple[float, ...], chance: float) -> bool:
        """Whether evidence of these bets ever occurs with at most that chance if there is nothing to show.

        Dividing a logarithm by a dispersion d >= 1, whatever d is, makes no bet greater than max(1, bet): reaching
        1 + 1/chance afterwards means at least 1/chance before, so the chance still holds.
        """
        return log_mean(tuple(log / self.dispersion for log in logs)) >= math.log(1 + 1 / chance)

    def interval(self, chance: float) -> tuple[float | None, float | None]:
        """Between which differences of the rates the true one lies; None where nothing is ruled out.

        Each end is wrong at any look with at most that chance.
        """
        over = [edge for edge, logs in zip(EDGES, self.at_most, strict=True) if self.shows(logs, chance)]
        under = [edge for edge, logs in zip(EDGES, self.at_least, strict=True) if self.shows(logs, chance)]
        return (max(over) if over else None), (min(under) if under else None)

    def factor_to_rule_out(self, rise: float, chance: float) -> float:
        """How many times the requests so far it takes to rule out a rise if there is none; about, never less than 1."""
        together = Counts(
            self.candidate.events + self.stable.events, self.candidate.requests + self.stable.requests
        ).guess()
        a, b = nearest(self.stable.requests, self.candidate.requests, together, together, -rise)
        growth = self.stable.requests * _distance(together, a) + self.candidate.requests * _distance(together, b)
        needed = self.dispersion * (math.log(1 + 1 / chance) + math.log(_BETS))
        return max(1.0, needed / growth) if growth > 0 else math.inf


def nearest(more: float, less: float, a: float, b: float, difference: float) -> tuple[float, float]:
    """The rates (x + difference, x) that are nearest to (a, b), for `more` and `less` requests.

    Nearest by sum n (rate log(rate/x) - rate + x): the positive root of a quadratic.
    """
    if difference < 0:
        other, one = nearest(less, more, b, a, -difference)
        return one, other
    total = more + less
    linear = total * difference - more * a - less * b
    root = math.sqrt(linear * linear + 4 * total * less * b * difference)
    x = 2 * less * b * difference / (linear + root) if linear > 0 else (root - linear) / (2 * total)
    return x + difference, x


def evidence(first: Counts, second: Counts, a: float, b: float, difference: float) -> float:
    """The log evidence of one look for rates (a, b) against a first rate at most `difference` above the second."""
    if a - b <= difference:
        return 0.0
    x, y = nearest(first.requests, second.requests, a, b, difference)
    return (
        first.events * math.log(a / x)
        - first.requests * (a - x)
        + second.events * math.log(b / y)
        - second.requests * (b - y)
    )


def log_mean(logs: tuple[float, ...]) -> float:
    """The logarithm of the mean of what these are the logarithms of."""
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs) / len(logs))


def _distance(rate: float, x: float) -> float:
    return rate * math.log(rate / x) - rate + x


def _pooled(seen: Rates) -> float:
    return (seen.candidate.events + seen.stable.events) / (seen.candidate.requests + seen.stable.requests)


def _wobble(before: tuple[float, float, int], new: Counts, old: Counts, seen: Rates) -> tuple[float, float, int]:
    last, squares, steps = before
    rate = _pooled(seen)
    spread = math.sqrt(rate * (1 / new.requests + 1 / old.requests))
    contrast = (new.rate - old.rate) / spread if spread else 0.0
    step = contrast - last
    return contrast, squares + (step * step if steps >= 0 else 0.0), steps + 1
