"""Counters that only grow, as a Prometheus exporter shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cockpit.simulator.world.history import TrackSample
from cockpit.simulator.world.latency import BUCKETS, share_below

OK_STATUS, CLIENT_STATUS, SERVER_STATUS = "200", "429", "502"


@dataclass(slots=True)
class RouteCounters:
    """One (track, through the canary or not) pair: requests by status, and the latency histogram."""

    statuses: dict[str, float] = field(default_factory=dict)
    below: list[float] = field(default_factory=lambda: [0.0] * len(BUCKETS))
    count: float = 0.0
    seconds: float = 0.0

    def add(self, requests: float, sample: TrackSample) -> None:
        """Count a part of a sample's requests."""
        part = requests / sample.requests
        server, client = sample.server_errors * part, (sample.errors - sample.server_errors) * part
        for status, number in (
            (SERVER_STATUS, server), (CLIENT_STATUS, client), (OK_STATUS, requests - server - client),
        ):  # fmt: skip
            self.statuses[status] = self.statuses.get(status, 0.0) + number
        for index, bound in enumerate(BUCKETS):
            self.below[index] += requests * share_below(bound * 1000.0, sample.p95)
        self.count += requests
        self.seconds += requests * sample.p95 / 2000.0


class Counters:
    """The counters of every route, and the CPU seconds of every track's pods."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, bool], RouteCounters] = {}
        self.cpu_seconds: dict[str, float] = {}

    def add(self, tracks: Iterable[tuple[str, TrackSample]], seconds: float, cores: float) -> None:
        """Count one slice of time; `cores` is the CPU limit of one pod."""
        for track, sample in tracks:
            self.cpu_seconds[track] = self.cpu_seconds.get(track, 0.0) + sample.cpu / 100.0 * cores * seconds
            for through_canary in (False, True):
                requests = sample.canary if through_canary else sample.requests - sample.canary
                if requests:
                    key = (track, through_canary)
                    self.routes.setdefault(key, RouteCounters()).add(float(requests), sample)
