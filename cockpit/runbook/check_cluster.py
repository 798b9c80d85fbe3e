"""Whether the tracks, the traffic and the names of the cluster's objects hold together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cockpit.runbook.actions import Deploy, Exec, HttpChecks, Switch, Traffic, Workloads
from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.schema import Runbook
from cockpit.runbook.walk import actions, actions_of, placed

_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_OBJECT = re.compile(_NAME + r"\Z")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_WORKLOAD = re.compile(r"(deployment|statefulset|daemonset|pod)/" + _NAME + r"\Z")
_LABEL_KEY = rf"({_NAME}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
_LABEL_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"
_REQUIREMENT = (
    rf"(!\s*{_LABEL_KEY}|{_LABEL_KEY}(\s*(=|==|!=)\s*{_LABEL_VALUE}"
    rf"|\s+(in|notin)\s+\(\s*{_LABEL_VALUE}(\s*,\s*{_LABEL_VALUE})*\s*\))?)"
)
_SELECTOR = re.compile(rf"\s*{_REQUIREMENT}(\s*,\s*{_REQUIREMENT})*\s*\Z")


def roles(runbook: Runbook) -> Iterator[Problem]:
    """The candidate and the stable track exist and are two."""
    cluster = runbook.cluster
    for role in ("candidate", "stable"):
        if getattr(cluster, role) not in cluster.tracks:
            yield Problem(("cluster", role), "is not one of the tracks", _tracks_hint(runbook))
    if cluster.candidate == cluster.stable:
        hint = "The candidate receives the new version, the stable track is the way back."
        yield Problem(("cluster", "stable"), "is the same track as the candidate", hint)


def tracks_apart(runbook: Runbook) -> Iterator[Problem]:
    """The tracks share no Deployment, Service or selector value."""
    (_, first), (name, second) = runbook.cluster.tracks.items()
    for field in ("deployment", "service", "selector_value"):
        if getattr(first, field) == getattr(second, field):
            yield Problem(("cluster", "tracks", name, field), "is the same in both tracks", "Give each its own.")


def track_references(runbook: Runbook) -> Iterator[Problem]:
    """Actions name tracks that exist."""
    for path, track in _used_tracks(runbook):
        if track not in runbook.cluster.tracks:
            yield Problem(path, f"the track `{track}` does not exist", _tracks_hint(runbook))


def backend(runbook: Runbook) -> Iterator[Problem]:
    """The traffic backend has the object that it works on."""
    traffic = runbook.cluster.traffic
    field = {"nginx": "canary_ingress", "gateway": "http_route"}[traffic.backend]
    if not getattr(traffic, field):
        path = ("cluster", "traffic", field)
        yield Problem(path, f"is missing for the backend {traffic.backend}", f"Add `{field}:` with the object's name.")


def weights_rise(runbook: Runbook) -> Iterator[Problem]:
    """Each forward traffic action gives the candidate more than the one before."""
    before = 0
    for item in actions(runbook):
        if item.rollback or not isinstance(item.action, Traffic):
            continue
        if item.action.weight <= before:
            problem = f"{item.action.weight} % does not rise above the {before} % before it"
            yield Problem((*item.path, "weight"), problem, "Going back is the rollback's work.")
        before = item.action.weight


def way_back(runbook: Runbook) -> Iterator[Problem]:
    """The rollback gives all traffic to the stable track, and none to the candidate."""
    back = [item for item in actions(runbook) if item.rollback]
    for path, action, _ in back:
        if isinstance(action, Traffic) and action.weight:
            yield Problem((*path, "weight"), "a rollback leaves traffic on the candidate", "Write `weight: 0`.")
        if isinstance(action, Switch) and action.to == runbook.cluster.candidate:
            hint = f"Write `to: {runbook.cluster.stable}`."
            yield Problem((*path, "to"), "a rollback switches to the candidate", hint)
    if not any(isinstance(item.action, Switch | Traffic) for item in back):
        hint = "Add a `switch` to the stable track and a `traffic` action with weight 0."
        yield Problem(("rollback", "steps"), "no step takes the traffic back", hint)


def object_names(runbook: Runbook) -> Iterator[Problem]:
    """Names of objects, workloads and labels are such that Kubernetes can have them."""
    for path, name in _objects(runbook):
        if not _OBJECT.match(name):
            yield Problem(path, "is no name of a Kubernetes object", "Use small letters, digits, . and - only.")
    for path, workload in _workloads(runbook):
        if not _WORKLOAD.match(workload):
            yield Problem(path, "is no workload", "Write KIND/NAME, such as deployment/redis.")
    if not _NAMESPACE.match(runbook.cluster.namespace):
        yield Problem(("cluster", "namespace"), "is no name of a namespace", "Use small letters, digits and - only.")


def selector(runbook: Runbook) -> Iterator[Problem]:
    """The label selector can be understood, and the labels of the tracks can exist."""
    if not _SELECTOR.match(runbook.cluster.app_label):
        hint = "Write requirements such as app=moshimoshi, separated by commas."
        yield Problem(("cluster", "app_label"), "is no label selector", hint)
    for name, track in runbook.cluster.tracks.items():
        if not re.fullmatch(_LABEL_VALUE, track.selector_value) or not track.selector_value:
            value_path = ("cluster", "tracks", name, "selector_value")
            yield Problem(value_path, "is no label value", "Use letters, digits and . _ - only.")
    if not re.fullmatch(_LABEL_KEY, runbook.cluster.active_service.selector_key):
        path = ("cluster", "active_service", "selector_key")
        yield Problem(path, "is no label key", "Write a key such as version.")


def _tracks_hint(runbook: Runbook) -> str:
    return f"The tracks are {' and '.join(runbook.cluster.tracks)}."


def _used_tracks(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    for path, action, _ in actions(runbook):
        if isinstance(action, Deploy | HttpChecks):
            yield (*path, "track"), action.track
        elif isinstance(action, Switch):
            yield (*path, "to"), action.to
        elif isinstance(action, Workloads) and action.active is not None:
            yield (*path, "active"), action.active


def _objects(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    cluster, traffic = runbook.cluster, runbook.cluster.traffic
    for track_name, track in cluster.tracks.items():
        for field in ("deployment", "service"):
            yield ("cluster", "tracks", track_name, field), getattr(track, field)
    yield ("cluster", "active_service", "name"), cluster.active_service.name
    for field, value in (("canary_ingress", traffic.canary_ingress), ("http_route", traffic.http_route)):
        if value:
            yield ("cluster", "traffic", field), value
    yield from placed(cluster.expected_services, "cluster", "expected_services")
    yield from placed(cluster.expected_routes, "cluster", "expected_routes")


def _workloads(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    if runbook.cluster.redis is not None:
        yield ("cluster", "redis"), runbook.cluster.redis
    for path, action in actions_of(runbook, Exec):
        yield (*path, "workload"), action.workload
