"""The objects of a namespace that can be looked at, each with its state in a few words: pure functions of raw JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cockpit.adapters.kubernetes.jobs import job_state
from cockpit.adapters.kubernetes.nginx import PREFIX
from cockpit.adapters.kubernetes.objects import deployment_state
from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.errors import NotFound
from cockpit.model.lens import DescribedKind, WorkloadRow
from cockpit.model.text import clean


def deployment_row(obj: Json) -> WorkloadRow:
    """A Deployment: ready pods, and what stands in the way of the newest version."""
    try:
        state = deployment_state(obj, None)
    except NotFound:
        return _row("deployment", obj, "has no container", False)
    words = f"{state.ready}/{state.wanted} ready"
    if state.problem:
        return _row("deployment", obj, f"{words}, {state.problem}", False)
    if not state.rolled_out:
        words += f", {state.updated} of {state.wanted} updated"
    return _row("deployment", obj, words, state.rolled_out and state.ready >= state.wanted)


def service_row(obj: Json, ready: int | None) -> WorkloadRow:
    """A Service: its type and ready endpoints (None: not known)."""
    kind = text(obj, "spec", "type") or "ClusterIP"
    if ready is None or not mapping(obj, "spec", "selector"):
        return _row("service", obj, kind)
    return _row("service", obj, f"{kind}, {ready} ready endpoint{'' if ready == 1 else 's'}", ready > 0)


def ingress_row(obj: Json) -> WorkloadRow:
    """An Ingress: its hosts, or its canary weight."""
    notes = mapping(obj, "metadata", "annotations")
    hosts = ", ".join(filter(None, (text(rule, "host") for rule in items(obj, "spec", "rules")))) or "all hosts"
    if text(notes, PREFIX + "canary") == "true":
        return _row("ingress", obj, f"canary, weight {text(notes, PREFIX + 'canary-weight') or '0'}, {hosts}")
    return _row("ingress", obj, hosts)


def http_route_row(obj: Json) -> WorkloadRow:
    """An HTTPRoute: its backends' weights, and whether a parent refuses it."""
    refs = [ref for rule in items(obj, "spec", "rules") for ref in items(rule, "backendRefs")]
    weights = ", ".join(f"{text(ref, 'name')} {number(ref, 'weight') if 'weight' in ref else 1}" for ref in refs)
    conditions = [each for parent in items(obj, "status", "parents") for each in items(parent, "conditions")]
    bad = [each for each in conditions if text(each, "type") in ("Accepted", "ResolvedRefs")]
    refused = next((text(each, "reason") for each in bad if text(each, "status") == "False"), "")
    return _row("httproute", obj, f"{weights}, {refused}" if refused else weights or "no backends", not refused)


def job_row(obj: Json) -> WorkloadRow:
    """A Job and how it ended."""
    state = job_state(obj)
    if state.succeeded is None:
        return _row("job", obj, f"running, {number(obj, 'status', 'active')} active")
    words = "complete" if state.succeeded else f"failed: {state.message}"
    return _row("job", obj, words, state.succeeded)


def ready_by_service(slices: Sequence[Json]) -> Counter[str]:
    """The number of different ready endpoints of each Service."""
    found = {
        (text(each, "metadata", "labels", "kubernetes.io/service-name"), _identity(endpoint))
        for each in slices
        for endpoint in items(each, "endpoints")
        if dig(endpoint, "conditions", "ready") is not False
    }
    return Counter(service for service, _ in found)


def _identity(endpoint: Json) -> str:
    return text(endpoint, "targetRef", "name") or text(endpoint, "addresses", 0)


def _row(kind: DescribedKind, obj: Json, state: str, healthy: bool = True) -> WorkloadRow:
    return WorkloadRow(kind=kind, name=clean(text(obj, "metadata", "name"), 253), state=clean(state), healthy=healthy)
