"""What world to build: the application, its tracks, its routes and the meaning of its metric queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Signal = Literal[
    "error_rate", "success_rate", "latency_p95", "cpu", "memory", "restarts", "server_errors", "requests",
    "alerts_critical", "candidate_share", "canary_requests", "canary_rate", "failed_requests", "latency_buckets",
    "constant",
]  # fmt: skip
Scope = Literal["all", "candidate", "stable"]
Backend = Literal["nginx", "gateway"]


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """One colour: its Deployment, its Service and what it runs when the world begins.

    `labels` are those of its pods; the selector key is among them. `port` is its Service's.
    """

    name: str
    deployment: str
    service: str
    image: str
    replicas: int = 3
    container: str = "web"
    port: int = 80
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A PromQL text and the signal it stands for.

    The text of every range (`[5m]`, `[${window}]`) is a wildcard; so is every `${name}` elsewhere. `scope` limits
    the signal to one track's requests. `value` is what `constant` answers.
    """

    query: str
    signal: Signal
    scope: Scope = "all"
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """Everything that differs from one simulated application to another.

    `load` is requests a second. `answers` are the application's answers by path, each a map of dotted JSON fields,
    in which `${version}` stands for the version of the pod that answers. The extra names are created as well.
    """

    namespace: str
    app: str
    tracks: Mapping[str, TrackSpec]
    stable: str
    candidate: str
    active_service: str
    main_ingress: str
    canary_ingress: str
    route: str
    host: str
    candidate_image: str
    metrics: tuple[MetricQuery, ...]
    images: tuple[str, ...]
    selector_key: str = "version"
    backend: Backend = "nginx"
    redis: str = "redis"
    port: int = 3000
    load: float = 120.0
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    extra_deployments: tuple[str, ...] = ()
    extra_services: tuple[str, ...] = ()
    extra_routes: tuple[str, ...] = ()
    cron_jobs: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    leases: tuple[str, ...] = ()
    seed: int = 7

    def knows_image(self, image: str) -> bool:
        """Whether the registry has this image."""
        return image in self.images
