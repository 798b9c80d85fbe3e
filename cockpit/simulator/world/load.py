"""The load: how many requests came in a slice of time, who served them and how well."""

from __future__ import annotations

import math
import random

from cockpit.simulator.blueprint import WorldSpec
from cockpit.simulator.scenario import Scenario
from cockpit.simulator.world.history import TrackSample
from cockpit.simulator.world.traffic import NOBODY, Split

BASE_ERRORS = 0.045
BASE_SERVER_ERRORS = 0.0035
BASE_P95 = 86.0
SERVER_SHARE_OF_EXTRA = 0.85
"""Which part of a scenario's extra errors are 5xx."""

_NOBODY_P95 = 12.0
_FULL_LOAD = 120.0


def wave(time: float, phase: float) -> float:
    """A smooth, never quite repeating unrest between -1 and 1."""
    slow = math.sin(time / 71.0 + phase)
    quick = math.sin(time / 23.0 + 2.3 * phase)
    return 0.6 * slow + 0.4 * quick


def poisson(source: random.Random, mean: float) -> int:
    """A Poisson draw: exact for small means, its normal neighbour for large ones."""
    if mean > 40.0:
        return max(0, round(source.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, source.random()
    while product > limit:
        count += 1
        product *= source.random()
    return count


def binomial(source: random.Random, count: int, share: float) -> int:
    """A binomial draw: exact for small counts, its normal neighbour for large ones."""
    if share <= 0.0 or count <= 0:
        return 0
    if share >= 1.0:
        return count
    if count <= 40:
        return sum(source.random() < share for _ in range(count))
    drawn = source.gauss(count * share, math.sqrt(count * share * (1.0 - share)))
    return min(count, max(0, round(drawn)))


class Load:
    """Makes the samples of each slice of time."""

    def __init__(self, spec: WorldSpec) -> None:
        self._spec = spec
        self._random = random.Random(f"load-{spec.seed}")
        self._phases = {name: 1.7 * index for index, name in enumerate([*spec.tracks, NOBODY])}

    def slice(
        self, end: float, seconds: float, scenario: Scenario, split: Split, heavy_for: float | None
    ) -> dict[str, TrackSample]:
        """What each track served in the `seconds` before `end`."""
        rate = self._spec.load * scenario.load_factor * (1.0 + 0.04 * wave(end, 0.3))
        left, share_left = poisson(self._random, rate * seconds), 1.0
        found = {}
        for track in [*self._spec.tracks, NOBODY]:
            share = split.of(track)
            count = binomial(self._random, left, share / share_left if share_left > 1e-9 else 0.0)
            left, share_left = left - count, share_left - share
            sample = self._track(track, end, count, scenario, heavy_for, count / seconds)
            canary = count if track == self._spec.candidate and share > 0 else 0
            if canary:
                canary = binomial(self._random, count, min(1.0, split.canary / share))
            found[track] = _with_canary(sample, canary)
        return found

    def _track(
        self, track: str, end: float, count: int, scenario: Scenario, heavy_for: float | None, rate: float
    ) -> TrackSample:
        if track == NOBODY:
            return TrackSample(count, float(count), float(count), _NOBODY_P95, 0.0, 0.0)
        unrest = wave(end, self._phases[track])
        extra = scenario.errors.at(heavy_for) if track == self._spec.candidate else 0.0
        slower = scenario.latency.at(heavy_for) if track == self._spec.candidate else 0.0
        errors = (BASE_ERRORS + 0.012 * unrest + extra) / 100.0
        server = (BASE_SERVER_ERRORS + 0.001 * unrest + extra * SERVER_SHARE_OF_EXTRA) / 100.0
        busy = rate / _FULL_LOAD
        return TrackSample(
            requests=count,
            errors=count * errors,
            server_errors=count * server,
            p95=BASE_P95 + 4.0 * unrest + slower,
            cpu=max(2.0, 11.0 + 19.0 * min(1.0, busy / 0.05) + 10.0 * busy + 1.5 * unrest),
            memory=50.0 + 2.5 * unrest,
        )


def _with_canary(sample: TrackSample, canary: int) -> TrackSample:
    return TrackSample(
        sample.requests,
        sample.errors,
        sample.server_errors,
        sample.p95,
        sample.cpu,
        sample.memory,
        canary,
    )
