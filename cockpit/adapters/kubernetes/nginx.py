"""The candidate's share by the canary annotations of ingress-nginx.

Source: ingress-nginx, user guide "Annotations", section "Canary": header, cookie, then weight of a total.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Iterator
from dataclasses import replace

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.nginx_around import (
    CANARY,
    PREFIX,
    Around,
    around,
    around_notes,
    is_canary,
    rule_notes,
    service_of,
)
from cockpit.adapters.kubernetes.objects import strings
from cockpit.adapters.kubernetes.patch import Change, pointer, swap, test
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping, text
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.errors import NotFound, OutsideError
from cockpit.model.cluster import CanaryState, Note, Severity, WeightField
from cockpit.model.guarded import ENABLED, WEIGHT, weight_facts
from cockpit.model.text import clean

__all__ = ["PREFIX", "NginxTraffic"]

_WEIGHT, _TOTAL = PREFIX + "canary-weight", PREFIX + "canary-weight-total"


class NginxTraffic:
    """Writes the weight of one canary Ingress; see `cockpit.engine.ports.TrafficControl`."""

    backend = "nginx"

    def __init__(self, client: KubeClient, namespace: str, ingress: str) -> None:
        self._client = client
        self._resource = Resource("networking.k8s.io", "v1", "ingresses", namespace, ingress)
        self._workloads = KubeWorkloads(client, namespace)
        self._known: Json = {}
        self._near = Around()

    async def read(self, whole: bool = False) -> CanaryState:
        """The canary Ingress; its notes tell of what overrides the weight. In force as soon as it is written."""
        self._known = await self._client.get(self._resource)
        if whole or not self._near.looked:
            self._near = await self._look_around()
        return _state(self._known, self._near)

    async def set_weight(self, seen: CanaryState, weight: int, dry_run: bool = False) -> None:
        """Write the weight (percent) and canary "true"."""
        await self._write(seen, weight, True, dry_run)

    async def disable(self, seen: CanaryState, dry_run: bool = False) -> None:
        """Write weight 0 and canary "false".

        The annotation stays "true" when the Ingress would take its host over from the primary: see `Around.takes_over`.
        """
        await self._write(seen, 0, self._near.takes_over, dry_run)

    def commands(self, weight: int) -> tuple[str, ...]:
        """One `kubectl patch`, as an operator would write it."""
        values = _values(weight, weight > 0 or self._near.takes_over, _total(self._known))
        patch = json.dumps({"metadata": {"annotations": values}}, separators=(",", ":"))
        context = f" --context {shlex.quote(self._client.context)}" if self._client.context else ""
        name, namespace = shlex.quote(self._resource.name), shlex.quote(self._resource.namespace)
        return (f"kubectl{context} patch ingress {name} -n {namespace} -p {shlex.quote(patch)}",)

    async def resource(self) -> Resource:
        """The canary Ingress."""
        return self._resource

    def facts(self, ingress: Json) -> dict[str, str]:
        """What is guarded of the Ingress."""
        state = _state(ingress, Around())
        return weight_facts(state.weight, state.enabled)

    def fields(self, ingress: Json) -> dict[str, tuple[str, ...]]:
        """The managed fields behind the facts."""
        annotations = ("f:metadata", "f:annotations")
        return {WEIGHT: (*annotations, f"f:{_WEIGHT}"), ENABLED: (*annotations, f"f:{CANARY}")}

    async def _look_around(self) -> Around:
        """The other Ingresses of the namespace and the endpoints behind them; what was known stays when that fails."""
        try:
            near = around(self._known, await self._client.all_of(replace(self._resource, name="")))
            services = sorted({service_of(each) for each in (self._known, *near.primaries)} - {""})
            counted = await asyncio.gather(*map(self._ready, services))
        except OutsideError as error:
            return replace(self._near, canary=self._known, problem=str(error))
        return replace(near, ready=dict(zip(services, counted, strict=True)))

    async def _ready(self, service: str) -> int:
        try:
            return (await self._workloads.service(service, endpoints=True)).ready_endpoints or 0
        except NotFound:
            return 0

    async def _write(self, seen: CanaryState, weight: int, enabled: bool, dry_run: bool) -> None:
        # The patch tests the raw annotations, so it needs the object; as a rule `read` has just fetched it.
        if not self._known or self._differs(self._known, seen):
            await self.read()
        change = Change(
            resource=self._resource,
            field=("f:metadata", "f:annotations", f"f:{_WEIGHT}"),
            operations=lambda obj: _operations(obj, weight, enabled),
            differs=lambda obj: self._differs(obj, seen),
            done=lambda obj: _is_written(obj, weight, enabled),
        )
        written = await swap(self._client, change, dry_run, self._known)
        if not dry_run:
            self._known = written

    def _differs(self, ingress: Json, seen: CanaryState) -> str:
        now = _state(ingress, self._near)
        if (now.weight, now.enabled) == (seen.weight, seen.enabled):
            return ""
        return f"the canary is {_words(now)}, expected {_words(seen)}"


def _state(ingress: Json, near: Around) -> CanaryState:
    """What the annotations say. A weight of a total other than 100 is turned into percent."""
    annotations = strings(mapping(ingress, "metadata", "annotations"))
    total, raw = _total(ingress), annotations.get(_WEIGHT, "")
    weight = min(100, round(int(raw) * 100 / total)) if raw.isdecimal() else 0
    enabled, took_over = is_canary(ingress), False
    near = replace(near, canary=ingress)
    if near.takes_over:
        took_over = not enabled
        weight, enabled = (100, True) if took_over else (weight, weight > 0)
    share = weight if enabled else 0
    name = clean(text(ingress, "metadata", "name"))
    field = WeightField(target=f"ingress/{name}", field="canary-weight", value=raw or "absent", total=total)
    return CanaryState(
        name=name,
        weight=weight,
        enabled=enabled,
        exact=raw.isdecimal() and not took_over,
        notes=(*_taken_over(took_over), *_notes(annotations, total), *around_notes(near, share)),
        main=near.main,
        fields=(field,),
        off="canary-weight 0" if near.takes_over else 'canary "false" and canary-weight 0',
        evicts=not near.takes_over,
    )


def _taken_over(happened: bool) -> Iterator[Note]:
    if happened:
        yield Note(
            text='canary "false" has made this Ingress the main route of its host: everybody goes to the candidate',
            severity=Severity.FAULT,
            hint="Take the canary out of service (a rollback does it) or delete the Ingress.",
        )


def _notes(annotations: dict[str, str], total: int) -> Iterator[Note]:
    yield from rule_notes(annotations)
    if (wanted := annotations.get(_TOTAL)) is not None:
        counts = f"canary-weight counts of {total}, not of 100: 10 % is written as {round(total / 10)}"
        ignored = f"canary-weight-total {wanted} has no effect: ingress-nginx takes only what is above 100"
        yield Note(text=counts if total != 100 else ignored, severity=Severity.INFO)
    if not annotations.get(_WEIGHT, "0").isdecimal():
        said = f"canary-weight {annotations[_WEIGHT]!r} is not a number"
        yield Note(text=said, hint="The next change of the weight repairs it.")


def _total(ingress: Json) -> int:
    """What the weight is a part of; ingress-nginx takes a total into account only above 100."""
    value = text(ingress, "metadata", "annotations", _TOTAL)
    return max(100, int(value)) if value.isdecimal() else 100


def _values(weight: int, enabled: bool, total: int) -> dict[str, str]:
    return {CANARY: "true" if enabled else "false", _WEIGHT: str(round(weight * total / 100))}


def _operations(ingress: Json, weight: int, enabled: bool) -> list[Json]:
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


def _is_written(ingress: Json, weight: int, enabled: bool) -> bool:
    annotations = mapping(ingress, "metadata", "annotations")
    wanted = _values(weight, enabled, _total(ingress))
    return all(annotations.get(key) == value for key, value in wanted.items())


def _words(state: CanaryState) -> str:
    return f"{'on' if state.enabled else 'off'} at weight {state.weight}"
