"""The signals behind metric queries, computed from the history."""

from __future__ import annotations

import math
from collections.abc import Callable

from cockpit.simulator.blueprint import MetricQuery, Scope, WorldSpec
from cockpit.simulator.world.history import History, Sample, TrackSample
from cockpit.simulator.world.latency import BUCKETS, mixed_p95, share_below

DEFAULT_WINDOW = 60.0
"""The window, in seconds, of a query that names none."""

_ALERT_WINDOW = 60.0
_ALERT_ERRORS = 1.0
_ALERT_P95 = 500.0
_ALERT_RESTARTS = 2.0


class Signals:
    """Reads signals at a time over a window; NaN is what dividing by no requests gives."""

    def __init__(self, spec: WorldSpec, history: History) -> None:
        self._spec = spec
        self._history = history
        self._readers: dict[str, Callable[[Scope, list[Sample]], float]] = {
            "error_rate": lambda scope, samples: self._rate(scope, samples, "errors"),
            "success_rate": lambda scope, samples: 100.0 - self._rate(scope, samples, "errors"),
            "server_errors": lambda scope, samples: self._rate(scope, samples, "server_errors"),
            "latency_p95": self._latency,
            "cpu": lambda scope, samples: self._usage(scope, samples, "cpu"),
            "memory": lambda scope, samples: self._usage(scope, samples, "memory"),
            "requests": lambda scope, samples: float(sum(part.requests for part in self._parts(scope, samples))),
            "failed_requests": lambda scope, samples: float(sum(part.errors for part in self._parts(scope, samples))),
            "candidate_share": self._share,
            "canary_requests": lambda scope, samples: float(
                sum(part.canary for part in self._parts("candidate", samples))
            ),
        }

    def read(self, metric: MetricQuery, at: float, window: float) -> float | None:
        """The metric's value, or None where Prometheus would have no series."""
        begin, end = self._history.bounds()
        if not begin <= at <= end + 300.0:
            return None
        if metric.signal == "constant":
            return metric.value
        if metric.signal == "alerts_critical":
            count = float(len(self.alerts(at)))
            return count if count or "vector(0)" in metric.query.replace(" ", "") else None
        if metric.signal == "restarts":
            return self._restarts(metric.scope, at, window)
        if metric.signal == "canary_rate":
            return self._canary_rate(self._history.window(at, window))
        return self._readers[metric.signal](metric.scope, self._history.window(at, window))

    def buckets(self, metric: MetricQuery, at: float, window: float) -> dict[str, float]:
        """The increase of a latency histogram's cumulative buckets by their label `le`; empty without requests."""
        parts = [part for part in self._parts(metric.scope, self._history.window(at, window)) if part.requests]
        if not parts:
            return {}
        found = {
            f"{bound:g}": sum(part.requests * share_below(bound * 1000.0, part.p95) for part in parts)
            for bound in BUCKETS
        }
        return {**found, "+Inf": float(sum(part.requests for part in parts))}

    def alerts(self, at: float) -> list[str]:
        """The names of the critical alerts that fire at a time."""
        samples = self._history.window(at, _ALERT_WINDOW)
        found = []
        if self._rate("all", samples, "errors") > _ALERT_ERRORS:
            found.append("HighErrorRate")
        if self._latency("all", samples) > _ALERT_P95:
            found.append("HighLatency")
        if self._restarts("all", at, 600.0) > _ALERT_RESTARTS:
            found.append("PodsCrashLooping")
        return found

    def _canary_rate(self, samples: list[Sample]) -> float:
        """Requests a second through the canary route."""
        seconds = sum(sample.seconds for sample in samples)
        return sum(part.canary for part in self._parts("candidate", samples)) / seconds if seconds else math.nan

    def _tracks(self, scope: Scope) -> list[str]:
        if scope == "all":
            return [*self._spec.tracks, ""]
        return [self._spec.candidate if scope == "candidate" else self._spec.stable]

    def _parts(self, scope: Scope, samples: list[Sample]) -> list[TrackSample]:
        tracks = self._tracks(scope)
        return [sample.tracks[track] for sample in samples for track in tracks if track in sample.tracks]

    def _rate(self, scope: Scope, samples: list[Sample], field: str) -> float:
        parts = self._parts(scope, samples)
        total = sum(part.requests for part in parts)
        return 100.0 * sum(getattr(part, field) for part in parts) / total if total else math.nan

    def _latency(self, scope: Scope, samples: list[Sample]) -> float:
        mixture = []
        for track in self._tracks(scope):
            parts = [sample.tracks[track] for sample in samples if track in sample.tracks]
            requests = sum(part.requests for part in parts)
            if requests:
                mixture.append((float(requests), sum(part.requests * part.p95 for part in parts) / requests))
        return mixed_p95(mixture)

    def _usage(self, scope: Scope, samples: list[Sample], field: str) -> float:
        """The mean usage, weighed by who serves the requests; of the named tracks when nobody does."""
        parts = [part for part in self._parts(scope, samples) if part.cpu > 0]
        total = sum(part.requests for part in parts)
        if total:
            return float(sum(getattr(part, field) * part.requests for part in parts) / total)
        return float(sum(getattr(part, field) for part in parts) / len(parts)) if parts else math.nan

    def _restarts(self, scope: Scope, at: float, window: float) -> float:
        tracks = self._tracks(scope)
        return float(sum(track in tracks for track in self._history.restarts(at, window)))

    def _share(self, scope: Scope, samples: list[Sample]) -> float:
        total = sum(part.requests for part in self._parts("all", samples))
        mine = sum(part.requests for part in self._parts("candidate", samples))
        return 100.0 * mine / total if total else math.nan
