"""The world that a runbook describes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from cockpit.runbook.actions import Action, Deploy, Exec, HttpChecks, Job
from cockpit.runbook.compare import CompareKind, TrackQueries
from cockpit.runbook.gate import Measures, Metric, Monitoring
from cockpit.runbook.schema import Runbook
from cockpit.simulator.blueprint import MetricQuery, Scope, Signal, TrackSpec, WorldSpec

_SIGNALS: dict[str, Signal] = {signal: signal for signal in get_args(Signal)}
_FALLBACK_IMAGE = "registry.example/application:1.0.0"


def from_runbook(runbook: Runbook, *, load: float = 120.0, seed: int = 7, previous_version: str = "0.9.4") -> WorldSpec:
    """A world in which the runbook can be rehearsed.

    Both tracks run `previous_version` of the image that the runbook deploys, and the stable one is active. `load` is
    requests a second; equal seeds make equal worlds.
    """
    cluster = runbook.cluster
    image = _candidate_image(runbook)
    before = f"{_repository(image)}:{previous_version}"
    routes = _routes(runbook)
    return WorldSpec(
        namespace=cluster.namespace,
        app=_labels(cluster.app_label).get("app", runbook.metadata.name),
        tracks=_tracks(runbook, before),
        stable=cluster.stable,
        candidate=cluster.candidate,
        active_service=cluster.active_service.name,
        main_ingress=routes[0],
        canary_ingress=cluster.traffic.canary_ingress or f"{runbook.metadata.name}-canary",
        route=cluster.traffic.http_route or f"{runbook.metadata.name}-route",
        host=f"{runbook.metadata.name}.app",
        candidate_image=image,
        metrics=tuple(_queries(runbook.monitoring)),
        images=tuple(dict.fromkeys([before, image, *_other_images(runbook)])),
        selector_key=cluster.active_service.selector_key,
        backend=cluster.traffic.backend,
        redis=(cluster.redis or "redis").rpartition("/")[2],
        load=load,
        answers=_answers(runbook),
        extra_deployments=_other_workloads(runbook),
        extra_services=_other_services(runbook),
        extra_routes=routes[1:],
        cron_jobs=tuple(
            action.from_cronjob for action in _actions(runbook) if isinstance(action, Job) and action.from_cronjob
        ),
        seed=seed,
    )


def _actions(runbook: Runbook) -> Iterator[Action]:
    for step in runbook.steps:
        yield from step.actions
    for back in runbook.rollback.steps:
        yield from back.actions


def _candidate_image(runbook: Runbook) -> str:
    """What the runbook deploys to the candidate."""
    images = (
        action.image
        for action in _actions(runbook)
        if isinstance(action, Deploy) and action.track == runbook.cluster.candidate
    )
    return next(images, _FALLBACK_IMAGE)


def _repository(image: str) -> str:
    name = image.split("@", 1)[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.split(":", 1)[0]


def _other_images(runbook: Runbook) -> list[str]:
    return [action.image for action in _actions(runbook) if isinstance(action, Deploy | Job) and action.image]


def _labels(selector: str) -> dict[str, str]:
    """The pairs of an equality selector."""
    pairs = (part.replace("==", "=").partition("=") for part in selector.split(",") if "=" in part)
    return {key.strip(): value.strip() for key, _, value in pairs if not key.endswith("!")}


def _tracks(runbook: Runbook, image: str) -> dict[str, TrackSpec]:
    cluster = runbook.cluster
    common = _labels(cluster.app_label)
    return {
        name: TrackSpec(
            name=name,
            deployment=track.deployment,
            service=track.service,
            image=image,
            replicas=track.replicas,
            container=track.container or "web",
            port=track.port,
            labels={**common, cluster.active_service.selector_key: track.selector_value},
        )
        for name, track in cluster.tracks.items()
    }


def _routes(runbook: Runbook) -> tuple[str, ...]:
    """The main route and then the other expected ones, without the one that the traffic is shifted by."""
    traffic = runbook.cluster.traffic
    others = [
        name for name in runbook.cluster.expected_routes if name not in (traffic.canary_ingress, traffic.http_route)
    ]
    if traffic.backend == "gateway":
        return (f"{runbook.metadata.name}-ingress", *others)
    return tuple(others) or (f"{runbook.metadata.name}-ingress",)


def _other_services(runbook: Runbook) -> tuple[str, ...]:
    cluster = runbook.cluster
    known = {cluster.active_service.name, *(track.service for track in cluster.tracks.values())}
    return tuple(name for name in cluster.expected_services if name not in known)


def _other_workloads(runbook: Runbook) -> tuple[str, ...]:
    cluster = runbook.cluster
    known = {track.deployment for track in cluster.tracks.values()}
    names = [action.workload.rpartition("/")[2] for action in _actions(runbook) if isinstance(action, Exec)]
    return tuple(dict.fromkeys(name for name in names if name not in known))


def _answers(runbook: Runbook) -> dict[str, dict[str, str]]:
    """What the runbook's checks expect, so that a healthy application passes them; the version stays its own."""
    found: dict[str, dict[str, str]] = {}
    version = runbook.metadata.version
    for action in _actions(runbook):
        if isinstance(action, HttpChecks):
            for check in action.checks:
                if check.status == 200:
                    fields = {key: _own_version(value, version) for key, value in check.fields.items()}
                    place = "/" + check.path.split("?", 1)[0].strip("/")
                    found.setdefault(place, {"status": "ok"}).update(fields)
    return found


def _own_version(value: str, version: str) -> str:
    return "${version}" if value == version else value


def _queries(monitoring: Monitoring) -> Iterator[MetricQuery]:
    for metric in monitoring.metrics:
        yield _query(metric.query, metric.measures, _calm_value(metric))
        if metric.samples is not None:
            yield _query(metric.samples.query, Measures.REQUESTS, 0.0)
        if metric.age is not None:
            yield MetricQuery(metric.age, "constant", "all", 0.0)
        if metric.compare is not None:
            yield from _track_queries(metric.compare.kind, metric.compare.candidate, "candidate")
            yield from _track_queries(metric.compare.kind, metric.compare.stable, "stable")
    for signal in (monitoring.alerts_critical, monitoring.candidate_share, monitoring.residual):
        if signal is not None:
            yield _query(signal.query, signal.measures, 0.0)


def _track_queries(kind: CompareKind, track: TrackQueries, scope: Scope) -> Iterator[MetricQuery]:
    signals: tuple[Signal, ...] = (
        ("failed_requests", "requests") if kind is CompareKind.COUNTS else ("latency_buckets",)
    )
    for query, signal in zip(track.asked(kind), signals, strict=True):
        yield MetricQuery(query, signal, scope)


def _query(query: str, measures: Measures, value: float) -> MetricQuery:
    scope: Scope = "candidate" if 'canary!=""' in query else "all"
    return MetricQuery(query, _SIGNALS.get(measures.value, "constant"), scope, value)


def _calm_value(metric: Metric) -> float:
    """A value inside the normal band, for what the world does not model."""
    if not metric.bands.low_is_bad:
        return metric.bands.warning_from / 2.0
    highest = 100.0 if metric.unit == "%" else 2.0 * abs(metric.bands.warning_from) + 1.0
    return (metric.bands.warning_from + highest) / 2.0
