"""From the evidence to a comparison in one plain sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from cockpit.engine.comparison.ranks import mann_whitney, shift
from cockpit.engine.comparison.rates import Rates
from cockpit.engine.comparison.slowness import Slowness
from cockpit.model.comparison import Comparison, Interval, Standing

LOOKS = 5
"""Fewer looks than this decide nothing: how far errors come in bursts is not known before."""

_LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Terms:
    """What is compared and by which measure.

    `tolerance`, `ceiling` and `rules_out` are in the metric's unit, percentage points for counts: a difference up to
    `tolerance` is not worse; a candidate above `ceiling` is worse whatever the stable track does; a rise of `rules_out`
    must be ruled out before the candidate counts as not worse. `at_least` is a number of requests of each track.
    """

    metric: str
    at: datetime
    since: datetime
    candidate: str = "candidate"
    stable: str = "stable"
    what: str = "errors"
    unit: str = "%"
    decimals: int = 2
    chance: float = 0.01
    tolerance: float = 0.0
    at_least: int = 100
    ceiling: float | None = None
    rules_out: float | None = None
    queries: tuple[str, ...] = ()

    def number(self, value: float, decimals: int | None = None) -> str:
        """A value with its unit."""
        places = self.decimals if decimals is None else decimals
        return f"{value:.{places}f}{f' {self.unit}' if self.unit else ''}"


def compare_counts(terms: Terms, rates: Rates) -> Comparison:
    """The share of requests that failed, candidate against stable. `rates` was made with `terms.tolerance / 100`."""
    mine, theirs = 100 * rates.candidate.rate, 100 * rates.stable.rate
    lower, upper = rates.interval(terms.chance)
    interval = Interval(lower=_points(lower), upper=_points(upper))
    said = (
        f"{terms.candidate} {terms.number(mine)} {terms.what} of {rates.candidate.requests:,.0f} requests, "
        f"{terms.stable} {terms.number(theirs)} of {rates.stable.requests:,.0f}"
    )
    few = _too_few(terms, rates.candidate.requests, rates.stable.requests, rates.looks)
    if few:
        standing, words = Standing.TOO_FEW, few
    elif rates.shows(rates.worse, terms.chance):
        standing, words = Standing.WORSE, f"worse{_tolerated(terms)}, {_chance(terms)}"
    elif terms.ceiling is not None and mine > terms.ceiling:
        standing, words = Standing.WORSE, f"over the ceiling of {terms.ceiling:g} {terms.unit}".rstrip()
    elif rates.shows(rates.better, terms.chance):
        standing, words = Standing.BETTER, f"better{_tolerated(terms)}, {_chance(terms)}"
    else:
        standing, words = _no_difference(terms, rates, interval)
    return _comparison(
        terms, standing, f"{said}: {words}", mine, theirs, rates.candidate.requests, rates.stable.requests,
        rates.looks, interval,
    )  # fmt: skip


def compare_latency(terms: Terms, slowness: Slowness) -> Comparison:
    """How slow requests are, candidate against stable, in the unit of the histograms' bounds."""
    candidate, stable = slowness.candidate, slowness.stable
    mine, theirs = candidate.quantile(0.95), stable.quantile(0.95)
    counted = (candidate.total, stable.total)
    few = _too_few(terms, *counted, slowness.looks)
    if mine is None or theirs is None or few:
        words = few or "nothing was measured"
        return _comparison(terms, Standing.TOO_FEW, words, mine, theirs, *counted, slowness.looks, Interval())
    moved = shift(candidate, stable) or 0.0
    pairs = mann_whitney(candidate, stable).superiority
    difference = max(mine - theirs, moved, key=abs)
    said = (
        f"{terms.candidate} P95 {terms.number(mine)} over {counted[0]:,.0f} requests, "
        f"{terms.stable} {terms.number(theirs)} over {counted[1]:,.0f}"
    )
    standing, words = _how_slow(terms, slowness, mine, max(mine - theirs, moved), min(mine - theirs, moved))
    if standing is not Standing.NOT_WORSE:
        words += f"; slower in {100 * pairs:.0f} of 100 pairs of requests, typically by {_signed(terms, moved)}"
    return _comparison(
        terms, standing, f"{said}: {words}", mine, theirs, *counted, slowness.looks, Interval(),
        difference, pairs, moved,
    )  # fmt: skip


def unknown(terms: Terms, reason: str) -> Comparison:
    """The comparison that could not be made."""
    return _comparison(terms, Standing.UNKNOWN, reason, None, None, 0, 0, 0, Interval())


def nothing_to_compare(terms: Terms, reason: str) -> Comparison:
    """The comparison for which one of the tracks has no traffic (yet)."""
    return _comparison(terms, Standing.TOO_FEW, reason, None, None, 0, 0, 0, Interval())


def _how_slow(terms: Terms, slowness: Slowness, mine: float, rise: float, fall: float) -> tuple[Standing, str]:
    if slowness.slower(terms.chance) and rise > terms.tolerance:
        return Standing.WORSE, f"slower, {_chance(terms)}{_and_more(terms)}"
    if terms.ceiling is not None and mine > terms.ceiling:
        return Standing.WORSE, f"over the ceiling of {terms.ceiling:g} {terms.unit}".rstrip()
    if slowness.faster(terms.chance) and -fall > terms.tolerance:
        return Standing.BETTER, f"faster, {_chance(terms)}{_and_more(terms)}"
    if slowness.slower(terms.chance):
        return Standing.NOT_WORSE, f"slower by no more than the {terms.tolerance:g} {terms.unit} that are tolerated"
    bound, upper = slowness.bound, slowness.slow.interval(terms.chance / 2)[1]
    words = "no difference that this many requests could show"
    if bound is None or upper is None or not math.isfinite(bound):
        return Standing.NOT_WORSE, words
    more = f"a rise of {_short(100 * upper)} points in requests over {bound:g} {terms.unit} would have been seen"
    return Standing.NOT_WORSE, f"{words}; {more}"


def _no_difference(terms: Terms, rates: Rates, interval: Interval) -> tuple[Standing, str]:
    words = "no difference that this many requests could show"
    if interval.lower is not None and interval.lower >= 0 and terms.tolerance:
        words = f"a rise that is not shown to exceed the {terms.tolerance:g} points that are tolerated"
    seen = (
        f"a rise of {_short(interval.upper)} points would have been seen"
        if interval.upper is not None and interval.upper > 0
        else "no rise is ruled out yet"
    )
    if interval.upper is not None and interval.upper <= 0:
        seen = "any rise would have been seen"
    wanted = terms.rules_out
    if wanted is None or (interval.upper is not None and interval.upper <= wanted):
        return Standing.NOT_WORSE, f"{words}; {seen}"
    more = rates.candidate.requests * max(_LEAST, rates.factor_to_rule_out(wanted / 100, terms.chance) - 1)
    needs = _needs(terms, more, rates.candidate.requests, terms.candidate)
    return Standing.TOO_FEW, f"{words}; {needs} to rule out a rise of {wanted:g} points"


def _too_few(terms: Terms, candidate: float, stable: float, looks: int) -> str:
    if candidate < terms.at_least:
        return _needs(terms, terms.at_least - candidate, candidate, terms.candidate)
    if stable < terms.at_least:
        return _needs(terms, terms.at_least - stable, stable, terms.stable)
    if looks < LOOKS:
        return f"needs {LOOKS - looks} more looks; fewer than {LOOKS} decide nothing"
    return ""


def _needs(terms: Terms, missing: float, so_far: float, track: str) -> str:
    """How many more requests, and about how long they take at the rate so far."""
    elapsed = (terms.at - terms.since).total_seconds()
    if not math.isfinite(missing):
        return f"needs more requests of {track}"
    words = f"needs {max(1, math.ceil(missing)):,} more requests of {track}"
    if so_far <= 0 or elapsed <= 0:
        return words
    seconds = missing * elapsed / so_far
    return f"{words}, about {f'{seconds:.0f} s' if seconds < 120 else f'{seconds / 60:.0f} min'}"


def _tolerated(terms: Terms) -> str:
    return f" by more than the {terms.tolerance:g} points that are tolerated" if terms.tolerance else ""


def _and_more(terms: Terms) -> str:
    return f", and by more than the {terms.tolerance:g} {terms.unit} that are tolerated" if terms.tolerance else ""


def _signed(terms: Terms, value: float) -> str:
    return f"{'+' if value >= 0 else ''}{terms.number(value)}"


def _chance(terms: Terms) -> str:
    return f"with at most {100 * terms.chance:g} % chance of a false alarm"


def _points(rate: float | None) -> float | None:
    return None if rate is None else 100 * rate


def _short(value: float) -> str:
    """Two digits are all that a bound is worth."""
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def _comparison(
    terms: Terms,
    standing: Standing,
    sentence: str,
    candidate: float | None,
    stable: float | None,
    candidate_samples: float,
    stable_samples: float,
    looks: int,
    interval: Interval,
    effect: float | None = None,
    superiority: float | None = None,
    moved: float | None = None,
) -> Comparison:
    known = candidate is not None and stable is not None
    return Comparison(
        metric=terms.metric,
        at=terms.at,
        standing=standing,
        sentence=sentence,
        candidate=candidate,
        stable=stable,
        candidate_samples=int(candidate_samples),
        stable_samples=int(stable_samples),
        effect=(candidate - stable if known and candidate is not None and stable is not None else None)
        if effect is None
        else effect,
        interval=interval,
        superiority=superiority,
        shift=moved,
        chance=terms.chance,
        looks=looks,
        since=terms.since,
        queries=terms.queries,
    )
