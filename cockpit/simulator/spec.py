"""What world to build: the application, its tracks, its routes and the meaning of its metric queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Signal = Literal[
    "error_rate", "latency_p95", "cpu", "memory", "restarts", "server_errors", "requests",
    "alerts_critical", "candidate_share", "canary_requests", "constant",
]  # fmt: skip
Scope = Literal["all", "candidate", "stable"]
Backend = Literal["nginx", "gateway"]


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """One colour: its Deployment, its Service and what it runs when the world begins."""

    name: str
    deployment: str
    service: str
    image: str
    replicas: int = 3
    container: str = "web"
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
    """Everything that differs from one simulated application to another. `load` is requests a second."""

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
    candidate_version: str
    metrics: tuple[MetricQuery, ...]
    images: tuple[str, ...]
    selector_key: str = "version"
    backend: Backend = "nginx"
    redis: str = "redis"
    port: int = 3000
    load: float = 120.0
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    extra_deployments: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    leases: tuple[str, ...] = ()
    seed: int = 7

    @property
    def candidate_image(self) -> str:
        """The image that the deployment brings: the candidate's repository at `candidate_version`."""
        repository = self.tracks[self.candidate].image.rsplit(":", 1)[0]
        return f"{repository}:{self.candidate_version}"

    def knows_image(self, image: str) -> bool:
        """Whether the registry has this image."""
        return image in self.images


_REQUESTS = 'nginx_ingress_controller_requests{namespace="production"'

DEFAULT_METRICS = (
    MetricQuery(
        f'100 * sum(rate({_REQUESTS},status=~"[45].."}}[${{window}}])) / sum(rate({_REQUESTS}}}[${{window}}]))',
        "error_rate",
    ),
    MetricQuery(
        "1000 * histogram_quantile(0.95, sum by (le) (rate(nginx_ingress_controller_request_duration_seconds_bucket"
        '{namespace="production"}[${window}])))',
        "latency_p95",
    ),
    MetricQuery(
        '100 * avg(rate(container_cpu_usage_seconds_total{namespace="production",container="web"}[${window}])'
        ' / on(pod) kube_pod_container_resource_limits{resource="cpu"})',
        "cpu",
    ),
    MetricQuery(
        '100 * avg(container_memory_working_set_bytes{namespace="production",container="web"}'
        ' / on(pod) kube_pod_container_resource_limits{resource="memory"})',
        "memory",
    ),
    MetricQuery(
        'sum(increase(kube_pod_container_status_restarts_total{namespace="production"}[${window}]))', "restarts"
    ),
    MetricQuery(
        f'100 * sum(rate({_REQUESTS},status=~"5.."}}[${{window}}])) / sum(rate({_REQUESTS}}}[${{window}}]))',
        "server_errors",
    ),
    MetricQuery(f"sum(increase({_REQUESTS}}}[${{window}}]))", "requests"),
    MetricQuery('count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)', "alerts_critical"),
    MetricQuery(
        f'100 * sum(rate({_REQUESTS},service="moshimoshi-blue"}}[${{window}}]))'
        f" / sum(rate({_REQUESTS}}}[${{window}}]))",
        "candidate_share",
    ),
    MetricQuery(f'sum(increase({_REQUESTS},canary!=""}}[${{window}}]))', "canary_requests"),
)


def default_spec(backend: Backend = "nginx", load: float = 120.0, seed: int = 7) -> WorldSpec:
    """The world of the source runbook: moshimoshi, green active at 0.9.4, blue to become 1.0.0."""
    repository = "gcr.io/moshimoshi-prod/moshimoshi"
    old = f"{repository}:0.9.4"
    tracks = {
        colour: TrackSpec(
            name=colour,
            deployment=f"moshimoshi-{colour}",
            service=f"moshimoshi-{colour}",
            image=old,
            labels={"app": "moshimoshi", "version": colour},
        )
        for colour in ("blue", "green")
    }
    return WorldSpec(
        namespace="production",
        app="moshimoshi",
        tracks=tracks,
        stable="green",
        candidate="blue",
        active_service="moshimoshi-active",
        main_ingress="moshimoshi-ingress",
        canary_ingress="moshimoshi-ingress-canary",
        route="moshimoshi-route",
        host="moshimoshi.app",
        candidate_version="1.0.0",
        metrics=DEFAULT_METRICS,
        images=(old, f"{repository}:1.0.0"),
        backend=backend,
        load=load,
        seed=seed,
    )
