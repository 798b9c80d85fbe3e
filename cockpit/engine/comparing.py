"""Asks for the counts of both tracks and keeps the evidence of their comparison, from one weight change to the next."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cockpit.engine.comparison.judge import Terms, compare_counts, compare_latency, nothing_to_compare, unknown
from cockpit.engine.comparison.ranks import Histogram
from cockpit.engine.comparison.rates import Counts, Rates
from cockpit.engine.comparison.slowness import Slowness
from cockpit.engine.core import Core
from cockpit.engine.ports import QueryAnswer
from cockpit.model.comparison import Comparison
from cockpit.runbook.compare import Compare, CompareKind
from cockpit.runbook.gate import Metric

Ask = Callable[[str], Awaitable[QueryAnswer | str]]
PATIENCE = 8
"""So many intervals without a single new request of a track, and the comparison cannot be told any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The evidence of one metric since the comparison began.

    For candidate and stable: how much was counted at most, and when that last grew.
    """

    since: datetime
    evidence: Rates | Slowness
    grew_at: tuple[datetime, datetime]
    counted: tuple[int, int] = (-1, -1)

    def grown(self, counted: tuple[int, int], now: datetime) -> Kept:
        """With what is counted now."""
        mine, theirs = (
            (now, new) if new > old else (at, old)
            for new, old, at in zip(counted, self.counted, self.grew_at, strict=True)
        )
        return replace(self, grew_at=(mine[0], theirs[0]), counted=(mine[1], theirs[1]))


class Comparing:
    """A part of the measuring task: one comparison per metric that declares one, at every look."""

    def __init__(self, core: Core, ask: Ask) -> None:
        self._core = core
        self._ask = ask
        self._kept: dict[str, Kept] = {}

    async def look(self, now: datetime) -> tuple[Comparison, ...]:
        """The comparisons as of now."""
        metrics = [metric for metric in self._core.setting.book.monitoring.metrics if metric.compare is not None]
        found = await asyncio.gather(
            *(self._metric(metric, metric.compare, now) for metric in metrics if metric.compare)
        )
        return tuple(found)

    def _absent(self, now: datetime) -> tuple[datetime, str]:
        """Since when both tracks can be compared, and why they cannot be now."""
        cluster, traffic = self._core.setting.book.cluster, self._core.state.traffic
        if traffic is None:
            return now, "the route has not been read yet"
        since = traffic.changed_at + self._core.setting.book.monitoring.shortest_window
        share = traffic.weight if traffic.canary else 0
        if traffic.active == cluster.candidate or share >= 100:
            return since, f"{cluster.stable} gets no traffic: nothing to compare with"
        if share <= 0:
            return since, f"{cluster.candidate} gets no traffic: nothing to compare"
        if now <= since:
            return since, f"begins {(since - now).total_seconds():.0f} s from now, after the weight change"
        return since, ""

    async def _metric(self, metric: Metric, compare: Compare, now: datetime) -> Comparison:
        since, absent = self._absent(now)
        queries = [
            query.replace("${window}", f"{max(1, int((now - since).total_seconds()))}s")
            for track in (compare.candidate, compare.stable)
            for query in track.asked(compare.kind)
        ]
        terms = self._terms(metric, compare, now, since, tuple(queries))
        if absent:
            self._kept.pop(metric.id, None)
            return nothing_to_compare(terms, absent)
        answers = await asyncio.gather(*(self._ask(query) for query in queries))
        kept = self._kept.get(metric.id)
        if kept is None or kept.since != since:
            kept = Kept(since, _fresh(compare.kind, terms.tolerance), (now, now))
        half = len(answers) // 2
        try:
            seen = _add(kept.evidence, answers[:half], answers[half:], metric, compare)
        except _Unreadable as error:
            return unknown(terms, str(error))
        kept = replace(kept, evidence=seen).grown((_counted(answers[:half]), _counted(answers[half:])), now)
        self._kept[metric.id] = kept
        for track, grew_at in zip((terms.candidate, terms.stable), kept.grew_at, strict=True):
            if now - grew_at > self._patience():
                return unknown(terms, f"no request of {track} was counted for {(now - grew_at).total_seconds():.0f} s")
        if isinstance(seen, Rates):
            return compare_counts(terms, seen)
        return compare_latency(terms, seen)

    def _patience(self) -> timedelta:
        """How long the counts may stand still: evidence of long ago says nothing about now."""
        monitoring = self._core.setting.book.monitoring
        return max(PATIENCE * monitoring.interval, monitoring.stale_limit)

    def _terms(
        self, metric: Metric, compare: Compare, now: datetime, since: datetime, queries: tuple[str, ...]
    ) -> Terms:
        cluster = self._core.setting.book.cluster
        counts = compare.kind is CompareKind.COUNTS
        return Terms(
            metric=metric.id,
            at=now,
            since=since,
            candidate=cluster.candidate,
            stable=cluster.stable,
            unit="%" if counts else metric.unit,
            decimals=metric.decimals,
            chance=compare.alpha,
            tolerance=compare.tolerance,
            at_least=compare.at_least,
            ceiling=metric.bands.critical_above if compare.ceiling is None else compare.ceiling,
            rules_out=compare.rules_out,
            queries=queries,
        )


class _Unreadable(Exception):
    """Answers from which nothing can be counted; the message says why."""


def _fresh(kind: CompareKind, tolerance: float) -> Rates | Slowness:
    return Rates(tolerance=tolerance / 100) if kind is CompareKind.COUNTS else Slowness()


def _add(
    evidence: Rates | Slowness,
    candidate: list[QueryAnswer | str],
    stable: list[QueryAnswer | str],
    metric: Metric,
    compare: Compare,
) -> Rates | Slowness:
    """The evidence with one more look; raises _Unreadable."""
    if isinstance(evidence, Rates):
        return evidence.look(_counts(candidate), _counts(stable))
    factor = {("s", "ms"): 1000.0, ("ms", "s"): 0.001}.get((compare.buckets_in, metric.unit), 1.0)
    mine, theirs = _buckets(candidate[0], factor), _buckets(stable[0], factor)
    return evidence.look(*_aligned(mine, theirs))


def _counted(answers: list[QueryAnswer | str]) -> int:
    """All that was counted, whole: `increase()` extrapolates, and so moves a little though nothing comes."""
    samples = [sample.value for answer in answers if not isinstance(answer, str) for sample in answer.samples]
    return sum(math.floor(value + 0.5) for value in samples)


def _answered(answer: QueryAnswer | str) -> QueryAnswer:
    if isinstance(answer, str):
        raise _Unreadable(answer)
    if answer.warnings:
        raise _Unreadable(f"data may be missing, the server warns: {answer.warnings[0]}")
    return answer


def _counts(answers: list[QueryAnswer | str]) -> Counts:
    """Errors and requests; no series are none, which is what a counter that nothing has touched looks like."""
    numbers = []
    for answer in answers:
        samples = _answered(answer).samples
        if len(samples) > 1:
            raise _Unreadable(f"{len(samples)} series where one is expected")
        value = samples[0].value if samples else 0.0
        if not math.isfinite(value) or value < 0:
            raise _Unreadable(f"{value} is no number of requests")
        numbers.append(value)
    return Counts(numbers[0], numbers[1])


def _buckets(answer: QueryAnswer | str, factor: float) -> dict[float, float]:
    """Cumulative counts by bound, in the metric's unit."""
    found: dict[float, float] = {}
    for sample in _answered(answer).samples:
        try:
            bound = float(sample.labels["le"]) * factor
        except (KeyError, ValueError):
            raise _Unreadable("a series without a number in its label le; aggregate by (le)") from None
        if bound in found:
            raise _Unreadable(f"several series for le={sample.labels['le']}; aggregate by (le)")
        if not math.isfinite(sample.value) or sample.value < 0 or math.isnan(bound):
            raise _Unreadable(f"{sample.value} is no number of requests")
        found[bound] = sample.value
    return found


def _aligned(mine: dict[float, float], theirs: dict[float, float]) -> tuple[Histogram, Histogram]:
    """Both over the bounds that both have; a track without any series has no requests yet."""
    bounds = tuple(sorted(mine.keys() & theirs.keys() if mine and theirs else mine.keys() | theirs.keys()))
    return _histogram(mine, bounds), _histogram(theirs, bounds)


def _histogram(cumulative: dict[float, float], bounds: tuple[float, ...]) -> Histogram:
    """Counts by bucket; extrapolation can let a cumulative count fall a little, which is none."""
    highest, counts = 0.0, []
    for bound in bounds:
        now = max(highest, cumulative.get(bound, 0.0))
        counts.append(now - highest)
        highest = now
    return Histogram(bounds, tuple(counts))
