"""Whether the objects of the runbook exist, and are as they must be before the first step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cockpit.cli.preflight.finding import Check, Note, State, fail, ok, warning
from cockpit.cli.preflight.ground import Ground
from cockpit.model.cluster import CanaryState, Severity
from cockpit.runbook.actions import Exec, HttpChecks
from cockpit.runbook.cluster import Cluster, Track
from cockpit.runbook.walk import actions_of

if TYPE_CHECKING:
    from cockpit.adapters.kubernetes.survey import ServiceFacts, WorkloadFacts

GROUP = "objects"
_PLURALS = {"deployment": "deployments", "deploy": "deployments", "statefulset": "statefulsets", "sts": "statefulsets"}


def checks(ground: Ground) -> list[Check]:
    """The checks of this group."""
    cluster = ground.book.cluster
    found = [
        Check(GROUP, f"deployment {track.deployment}", partial(track_workload, ground, name))
        for name, track in cluster.tracks.items()
    ]
    found += [
        Check(GROUP, f"service {track.service}", partial(track_service, ground, name))
        for name, track in cluster.tracks.items()
    ]
    found += [
        Check(GROUP, f"service {cluster.active_service.name}", partial(active_service, ground)),
        Check(GROUP, "route", partial(route, ground)),
        Check(GROUP, "expected objects", partial(expected, ground)),
    ]
    return found + [
        Check(GROUP, workload, partial(exec_workload, ground, workload), broken)
        for workload, broken in _exec_workloads(ground).items()
    ]


async def track_workload(ground: Ground, name: str) -> Sequence[Note]:
    """A track's Deployment."""
    track = ground.book.cluster.tracks[name]
    seen = await ground.outside.survey.workload("deployments", track.deployment, track.container)
    return [*judge_workload(ground.book.cluster, name, seen)]


def judge_workload(cluster: Cluster, name: str, seen: WorkloadFacts) -> Iterator[Note]:
    """Stable must be warm, both must carry the labels by which they are found. Pure."""
    track = cluster.tracks[name]
    kubectl = f"kubectl -n {cluster.namespace}"
    if track.container and track.container not in seen.containers:
        has = ", ".join(seen.containers) or "none"
        yield fail(f"has no container {track.container}", f"It has {has}: correct cluster.tracks.{name}.container.")
    wanted = {**_equalities(cluster.app_label), cluster.active_service.selector_key: track.selector_value}
    if wrong := _missing(wanted, seen.labels):
        yield fail(f"its pods lack the labels {wrong}", "Add them to spec.template.metadata.labels of the Deployment.")
    scale = f"{kubectl} scale deployment {seen.name} --replicas={track.replicas}"
    if name == cluster.stable and min(seen.available, seen.wanted) < track.replicas:
        text = f"stable is not warm: scaled to {seen.wanted}, {seen.available} of {track.replicas} pods are available"
        yield fail(text, scale if seen.wanted < track.replicas else f"{kubectl} describe deployment {seen.name}")
    elif seen.wanted < track.replicas:
        yield warning(f"is scaled to {seen.wanted}, the runbook counts on {track.replicas}", f"{scale}, in time.")
    else:
        role = "stable, warm" if name == cluster.stable else "candidate"
        yield ok(f"{role}: {seen.available} of {seen.wanted} available")


async def track_service(ground: Ground, name: str) -> Sequence[Note]:
    """The Service that reaches a track alone."""
    track = ground.book.cluster.tracks[name]
    seen = await ground.outside.survey.service(track.service)
    proxied = any(action.track == name and action.way == "proxy" for _, action in actions_of(ground.book, HttpChecks))
    return [*judge_service(ground.book.cluster, track, seen, proxied)]


def judge_service(cluster: Cluster, track: Track, seen: ServiceFacts, proxied: bool) -> Iterator[Note]:
    """It must select this track's pods and no others; `proxied` checks need its port. Pure."""
    key = cluster.active_service.selector_key
    if seen.selector.get(key) != track.selector_value:
        has = f"{key}={seen.selector[key]}" if key in seen.selector else f"no {key}"
        fix = f"Let its selector hold {key}={track.selector_value}: checks and the canary would reach other pods."
        yield fail(f"its selector has {has}, the track is {track.selector_value}", fix)
    elif track.port not in seen.ports and proxied:
        has = ", ".join(map(str, seen.ports)) or "none"
        yield fail(f"has no port {track.port}", f"It has {has}: write the track's `port:`.")
    else:
        yield ok(f"{_labels(seen.selector)}, ports {', '.join(map(str, seen.ports))}")


async def active_service(ground: Ground) -> Sequence[Note]:
    """The Service with the live traffic."""
    seen = await ground.outside.survey.service(ground.book.cluster.active_service.name)
    return [*judge_active(ground.book.cluster, seen)]


def judge_active(cluster: Cluster, seen: ServiceFacts) -> Iterator[Note]:
    """It must point at stable: deploying to the track that serves everybody would be an outage. Pure."""
    key = cluster.active_service.selector_key
    stable, candidate = (cluster.tracks[name].selector_value for name in (cluster.stable, cluster.candidate))
    points_at = seen.selector.get(key, "")
    if points_at == stable:
        yield ok(f"points at {cluster.stable} ({_labels(seen.selector)})")
        return
    fix = f"Exchange candidate and stable in the runbook, or switch the Service to {key}={stable}."
    if points_at == candidate:
        yield fail(f"points at {cluster.candidate}, the candidate: the run would deploy to the live track", fix)
    else:
        yield fail(f"{key} is {points_at or 'missing'}: the Service points at neither track", fix)


async def route(ground: Ground) -> Sequence[Note]:
    """The route that gives the candidate its share."""
    traffic = ground.outside.traffic
    seen = await traffic.read()
    return [*judge_route(seen, ground.book.cluster.traffic.backend, traffic.commands(0))]


def judge_route(seen: CanaryState, backend: str, off: Sequence[str]) -> Iterator[Note]:
    """The candidate must have no traffic yet; `off` are the commands that take it away. Pure."""
    if seen.share:
        yield fail(f"{seen.name} gives the candidate {seen.share} % already", " && ".join(off))
    else:
        yield ok(f"{seen.name}, weight {seen.weight} %, {'on' if seen.enabled else 'off'}")
    for note in seen.notes:
        known = ok(note.text) if note.severity is Severity.INFO else None
        yield known or warning(note.text, note.hint or "Look at the route before you trust its weight.")
    if backend == "nginx":
        text = "ingress-nginx was retired in March 2026: no more fixes, not even for security"
        yield warning(text, "Plan to move to the Gateway API: `traffic: {backend: gateway, http_route: …}`.")


async def expected(ground: Ground) -> Sequence[Note]:
    """The Services and routes that a `workloads` action will look for."""
    cluster, workloads = ground.book.cluster, ground.outside.workloads
    services = {each.name for each in await workloads.services()}
    routes = {each.name for each in await workloads.routes()}
    missing = [f"service/{name}" for name in cluster.expected_services if name not in services]
    missing += [f"route {name}" for name in cluster.expected_routes if name not in routes]
    if missing:
        where = ground.line("cluster", "expected_services")
        return [fail(f"missing: {', '.join(missing)}", f"Create them, or correct expected_… at {where}.")]
    return [ok(f"{len(cluster.expected_services)} services and {len(cluster.expected_routes)} routes are there")]


def _exec_workloads(ground: Ground) -> dict[str, State]:
    """Workloads that commands run in, and how bad it is when one is not there."""
    found: dict[str, State] = {}
    if ground.book.cluster.redis:
        found[ground.book.cluster.redis] = State.WARNING
    for _, action in actions_of(ground.book, Exec):
        state = State.WARNING if action.optional else State.FAIL
        found[action.workload] = State.FAIL if State.FAIL in (state, found.get(action.workload)) else state
    return {name: state for name, state in found.items() if name.partition("/")[0] in _PLURALS}


async def exec_workload(ground: Ground, workload: str) -> Sequence[Note]:
    """A workload that a command runs in has a ready pod."""
    kind, _, name = workload.partition("/")
    seen = await ground.outside.survey.workload(_PLURALS[kind], name)
    if seen.available:
        return [ok(f"{seen.available} of {seen.wanted} pods ready")]
    state = _exec_workloads(ground)[workload]
    return [Note(state, "has no ready pod to run a command in", f"kubectl -n {ground.namespace} describe {workload}")]


def _equalities(selector: str) -> dict[str, str]:
    """The plain `key=value` requirements of a label selector."""
    pairs = (part.replace("==", "=").partition("=") for part in selector.split(",") if "=" in part and "!" not in part)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _missing(wanted: Mapping[str, str], labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in wanted.items() if labels.get(key) != value)


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "selects nothing"
