"""The cluster's objects against what the runbook and this run expect: every difference in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cockpit.engine.actions.targets import listed, ready, shown, strangers, too_few
from cockpit.engine.plan import active_track
from cockpit.model.cluster import CanaryState, DeploymentState, PodPlace, RouteState, ServiceState
from cockpit.model.run import RunState
from cockpit.model.status import ActionStatus
from cockpit.runbook.actions import Deploy, Switch, Workloads
from cockpit.runbook.cluster import Cluster, Track
from cockpit.runbook.schema import Runbook
from cockpit.runbook.walk import actions


@dataclass(slots=True)
class Findings:
    """What differs, and a summary of what was looked at."""

    differences: list[str] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a check compares with. On the way back the candidate may be in any state."""

    book: Runbook
    state: RunState
    action: Workloads
    rollback: bool = False

    @property
    def cluster(self) -> Cluster:
        """The runbook's part about the cluster."""
        return self.book.cluster

    @property
    def tracks(self) -> dict[str, Track]:
        """The tracks that are compared: only the active one when the check names it."""
        active = self.action.active
        return {name: track for name, track in self.cluster.tracks.items() if active in (None, name)}

    def image(self, track: str) -> str:
        """The image that this run last deployed to a track, empty when it deployed none."""
        done = [
            known
            for action in self._all()
            if isinstance(action, Deploy) and action.track == track
            if (known := self.state.action(action.id)).status is ActionStatus.DONE and known.ended_at
        ]
        newest = max(done, key=lambda known: str(known.ended_at), default=None)
        return newest.facts.get("image", "") if newest else ""

    def selector(self, track: str) -> dict[str, str] | None:
        """The whole selector that this run last gave the active Service for a track, None when it gave none."""
        found = [
            self.state.action(action.id).facts.get("selector")
            for action in self._all()
            if isinstance(action, Switch) and action.to == track
        ]
        written = [each for each in found if each]
        return dict(json.loads(written[-1])) if written else None

    def _all(self) -> Iterable[object]:
        return (item.action for item in actions(self.book))


def compare_pods(expected: Expected, places: Sequence[PodPlace], found: Findings) -> None:
    """Each track has its ready pods, none fails, and none belongs to no track."""
    cluster = expected.cluster
    for name, track in expected.tracks.items():
        ours = [place for place in places if place.pod.track == track.selector_value]
        serving = len(ready(ours))
        found.summary.append(f"{name} {serving}{f'/{track.replicas}' * (serving <= track.replicas)} pods ready")
        if missing := too_few(ours, track.replicas):
            found.differences.append(f"{name}: {missing}")
        else:
            failing = [shown(place.pod) for place in ours if place.pod.failing]
            found.differences += [f"{name}: {listed(failing)}"] if failing else []
    values = {track.selector_value for track in cluster.tracks.values()}
    unknown = [place.pod for place in places if place.pod.track not in values and not place.pod.over]
    if unknown and not expected.rollback:
        key = cluster.active_service.selector_key
        named = listed(f"{pod.name} ({key}={pod.track or 'none'})" for pod in unknown)
        found.differences.append(f"pods of no track: {named}")


def compare_deployments(expected: Expected, deployments: Mapping[str, DeploymentState | None], found: Findings) -> None:
    """Each Deployment exists, has rolled out, asks for enough pods, and runs what this run deployed."""
    for name, track in expected.tracks.items():
        seen = deployments.get(name)
        if seen is None:
            found.differences.append(f"deployment/{track.deployment} is missing")
            continue
        found.differences += [f"deployment/{seen.name} {words}" for words in _deployment(expected, name, seen)]
        found.summary.append(f"{name} runs {seen.image}")


def _deployment(expected: Expected, name: str, seen: DeploymentState) -> Iterable[str]:
    replicas, image = expected.cluster.tracks[name].replicas, expected.image(name)
    if image and seen.image != image:
        yield f"runs {seen.image}, but this run deployed {image}"
    if seen.wanted < replicas:
        yield f"asks for {seen.wanted} pods, the runbook for {replicas}"
    if seen.paused:
        yield "is paused (spec.paused)"
    if not seen.rolled_out:
        counts = f"{seen.updated} of {seen.wanted} updated, {seen.available} available, {seen.replicas} in all"
        yield f"has not finished its rollout: {counts}"
    if seen.problem:
        yield f"says {seen.problem}"


def compare_services(
    expected: Expected, services: Sequence[ServiceState], places: Sequence[PodPlace], found: Findings
) -> None:
    """Each expected Service exists and leads somewhere, and the active one to the active track alone."""
    cluster, known = expected.cluster, {service.name: service for service in services}
    names = {cluster.active_service.name, *(track.service for track in cluster.tracks.values())}
    names |= set(cluster.expected_services)
    may_be_empty = {track.service for name, track in cluster.tracks.items() if name not in expected.tracks}
    found.differences += [f"service/{name} is missing" for name in sorted(names - set(known))]
    for name in sorted(names & set(known) - may_be_empty):
        # A Service without a selector leads where a person says.
        if known[name].selector and not known[name].endpoints:
            found.differences.append(f"service/{name} has no ready endpoints")
    found.summary.append(f"{len(names & set(known))} services")
    active = known.get(cluster.active_service.name)
    if active is not None and expected.action.active:
        _active(expected, active, expected.action.active, places, found)


def _active(expected: Expected, active: ServiceState, track: str, places: Sequence[PodPlace], found: Findings) -> None:
    pointed, written = active_track(expected.book, active.selector), expected.selector(track)
    found.summary.append(f"{active.name} points at {pointed or 'nothing'}")
    if pointed != track:
        found.differences.append(f"service/{active.name} points at {pointed or 'nothing'}, expected {track}")
    elif written is not None and dict(active.selector) != written:
        now, then = (json.dumps(dict(each), sort_keys=True) for each in (active.selector, written))
        found.differences.append(f"service/{active.name} selects {now}, but this run wrote {then}")
    value = expected.cluster.tracks[track].selector_value
    others = strangers(active.endpoints or (), [place for place in places if place.pod.track == value])
    if others and pointed == track:
        found.differences.append(f"service/{active.name} still has endpoints that are not of {track}: {listed(others)}")


def compare_routes(
    expected: Expected, routes: Sequence[RouteState], services: Sequence[ServiceState], found: Findings
) -> None:
    """Each expected route exists, and it and the candidate's route send requests to Services that exist."""
    traffic, names = expected.cluster.traffic, {service.name for service in services}
    wanted = set(expected.cluster.expected_routes)
    known = {route.name for route in routes}
    found.differences += [f"route {name} is missing" for name in sorted(wanted - known)]
    for route in routes:
        if route.name in {*wanted, traffic.canary_ingress, traffic.http_route}:
            gone = sorted(set(route.backends) - names)
            where = f"{route.kind} {route.name} sends requests to"
            found.differences += [f"{where} service/{name}, which does not exist" for name in gone]
    found.summary.append(f"{len(wanted & known)} of {len(wanted)} expected routes")


def compare_canary(expected: Expected, seen: CanaryState | None, found: Findings) -> None:
    """The candidate's share is what this run last commanded; on the way back it is none. None: the route is gone."""
    commanded = expected.state.traffic
    if commanded is None:
        return
    off = expected.rollback or not commanded.canary
    if off:
        found.summary.append("canary off")
        if seen is not None and seen.enabled:
            said = f"{seen.name} is still on with weight {seen.weight} %"
            found.differences.append(f"{said}, but it should be out of service")
    elif seen is None:
        found.differences.append("the candidate's route is gone")
    else:
        found.summary.append(f"canary at {seen.share} %")
        if seen.share != commanded.weight:
            found.differences.append(f"{seen.name} has weight {seen.share} %, but this run set {commanded.weight} %")
