"""The candidate's share by the canary annotations of ingress-nginx.

Source: ingress-nginx, user guide "Annotations", section "Canary": header, cookie, then weight of a total.
"""

from __future__ import annotations

import json
import shlex

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.objects import strings
from cockpit.adapters.kubernetes.patch import Change, pointer, swap, test
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping, text
from cockpit.model.cluster import CanaryState
from cockpit.model.guarded import ENABLED, WEIGHT, weight_facts
from cockpit.model.text import clean

PREFIX = "nginx.ingress.kubernetes.io/"
_CANARY, _WEIGHT, _TOTAL = PREFIX + "canary", PREFIX + "canary-weight", PREFIX + "canary-weight-total"


class NginxTraffic:
    """Writes the weight of one canary Ingress; see `cockpit.engine.ports.TrafficControl`."""

    backend = "nginx"

    def __init__(self, client: KubeClient, namespace: str, ingress: str) -> None:
        self._client = client
        self._resource = Resource("networking.k8s.io", "v1", "ingresses", namespace, ingress)
        self._known: Json = {}

    async def read(self) -> CanaryState:
        """The canary Ingress; its notes tell of what overrides the weight."""
        self._known = await self._client.get(self._resource)
        return state_of(self._known)

    async def set_weight(self, seen: CanaryState, weight: int, dry_run: bool = False) -> None:
        """Write the weight (percent) and canary "true"."""
        await self._write(seen, weight, True, dry_run)

    async def disable(self, seen: CanaryState, dry_run: bool = False) -> None:
        """Write weight 0 and canary "false"."""
        await self._write(seen, 0, False, dry_run)

    def commands(self, weight: int) -> tuple[str, ...]:
        """One `kubectl patch`, as an operator would write it."""
        values = _values(weight, weight > 0, _total(self._known))
        patch = json.dumps({"metadata": {"annotations": values}}, separators=(",", ":"))
        context = f" --context {shlex.quote(self._client.context)}" if self._client.context else ""
        name, namespace = shlex.quote(self._resource.name), shlex.quote(self._resource.namespace)
        return (f"kubectl{context} patch ingress {name} -n {namespace} -p {shlex.quote(patch)}",)

    async def resource(self) -> Resource:
        """The canary Ingress."""
        return self._resource

    def facts(self, ingress: Json) -> dict[str, str]:
        """What is guarded of the Ingress."""
        state = state_of(ingress)
        return weight_facts(state.weight, state.enabled)

    def fields(self, ingress: Json) -> dict[str, tuple[str, ...]]:
        """The managed fields behind the facts."""
        annotations = ("f:metadata", "f:annotations")
        return {WEIGHT: (*annotations, f"f:{_WEIGHT}"), ENABLED: (*annotations, f"f:{_CANARY}")}

    async def _write(self, seen: CanaryState, weight: int, enabled: bool, dry_run: bool) -> None:
        # The patch tests the raw annotations, so it needs the object; as a rule `read` has just fetched it.
        if not self._known or _differs(self._known, seen):
            await self.read()
        change = Change(
            resource=self._resource,
            field=("f:metadata", "f:annotations", f"f:{_WEIGHT}"),
            operations=lambda obj: _operations(obj, seen, weight, enabled),
            differs=lambda obj: _differs(obj, seen),
            done=lambda obj: _is(state_of(obj), weight, enabled),
        )
        written = await swap(self._client, change, dry_run, self._known)
        if not dry_run:
            self._known = written


def state_of(ingress: Json) -> CanaryState:
    """What the annotations say. A weight of a total other than 100 is turned into percent."""
    notes = strings(mapping(ingress, "metadata", "annotations"))
    total, raw = _total(ingress), notes.get(_WEIGHT, "0")
    weight = round(int(raw) * 100 / total) if raw.isdecimal() else 0
    return CanaryState(
        name=clean(text(ingress, "metadata", "name")),
        weight=min(weight, 100),
        enabled=notes.get(_CANARY) == "true",
        notes=tuple(_notes(notes, total)),
    )


def _notes(annotations: dict[str, str], total: int) -> list[str]:
    found = []
    for rule in ("canary-by-header", "canary-by-cookie"):
        if value := annotations.get(PREFIX + rule):
            found.append(f"{rule}={value} reaches the candidate at every weight")
    if total != 100:
        found.append(f"canary-weight is of {total}, not of 100")
    if not annotations.get(_WEIGHT, "0").isdecimal():
        found.append(f"canary-weight {annotations[_WEIGHT]!r} is not a number")
    if PREFIX + "affinity" in annotations:
        found.append("session affinity keeps users where they are at every weight")
    return found


def _total(ingress: Json) -> int:
    value = text(ingress, "metadata", "annotations", _TOTAL)
    return int(value) if value.isdecimal() and int(value) > 0 else 100


def _values(weight: int, enabled: bool, total: int) -> dict[str, str]:
    return {_CANARY: "true" if enabled else "false", _WEIGHT: str(round(weight * total / 100))}


def _operations(ingress: Json, seen: CanaryState, weight: int, enabled: bool) -> list[Json]:
    annotations = mapping(ingress, "metadata", "annotations")
    base = ("metadata", "annotations")
    tests: list[Json] = []
    changes: list[Json] = []
    for key, value in _values(weight, enabled, _total(ingress)).items():
        if key in annotations:
            tests.append(test(pointer(*base, key), annotations[key]))
        changes.append({"op": "add", "path": pointer(*base, key), "value": value})
    if len(tests) < 2:
        # A JSON Patch cannot test that a key is absent.
        tests.append(test("/metadata/resourceVersion", text(ingress, "metadata", "resourceVersion")))
    if not annotations:
        changes.insert(0, {"op": "add", "path": pointer(*base), "value": {}})
    return tests + changes


def _differs(ingress: Json, seen: CanaryState) -> str:
    now = state_of(ingress)
    if _is(now, seen.weight, seen.enabled):
        return ""
    return f"the canary is {_words(now)}, expected {_words(seen)}"


def _is(state: CanaryState, weight: int, enabled: bool) -> bool:
    return (state.weight, state.enabled) == (weight, enabled)


def _words(state: CanaryState) -> str:
    return f"{'on' if state.enabled else 'off'} at weight {state.weight}"
