"""The candidate's share by the weights of an HTTPRoute.

Source: Gateway API v1, HTTPRoute `backendRefs[].weight` (default 1, a share of the rule's sum) and
`status.parents[].conditions`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.patch import Change, pointer, swap, test
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, mapping, number, text
from cockpit.errors import BadAnswer
from cockpit.model.cluster import CanaryState
from cockpit.model.guarded import ENABLED, WEIGHT, weight_facts
from cockpit.model.text import clean

GROUP = "gateway.networking.k8s.io"
_VERSION = "/metadata/resourceVersion"


@dataclass(frozen=True, slots=True)
class _Pair:
    """A rule that has both backends: its index, theirs, and their raw weights (None: absent, which means 1)."""

    rule: int
    candidate: int
    stable: int
    weights: tuple[int | None, int | None]

    @property
    def percent(self) -> int:
        """The candidate's weight of the two."""
        candidate, stable = (1 if weight is None else weight for weight in self.weights)
        return round(100 * candidate / (candidate + stable)) if candidate + stable else 0


class GatewayTraffic:
    """Writes both weights of every rule with both backends; see `cockpit.engine.ports.TrafficControl`."""

    backend = "gateway"

    def __init__(self, client: KubeClient, namespace: str, route: str, candidate: str, stable: str) -> None:
        """`candidate` and `stable` are names of Services."""
        self._client = client
        self._namespace, self._route = namespace, route
        self._candidate, self._stable = candidate, stable
        self._known: Json = {}

    async def read(self) -> CanaryState:
        """The route; `enabled` while the candidate has any weight. Raises BadAnswer when it lacks a backend."""
        self._known = await self._client.get(await self._resource())
        return self._state(self._known)

    async def set_weight(self, seen: CanaryState, weight: int, dry_run: bool = False) -> None:
        """Write `weight` (percent) and 100 - weight."""
        if not self._known or self._differs(self._known, seen):
            await self.read()
        change = Change(
            resource=await self._resource(),
            field=("f:spec", "f:rules"),
            operations=lambda obj: self._operations(obj, weight),
            differs=lambda obj: self._differs(obj, seen),
            done=lambda obj: self._is_written(obj, weight),
        )
        written = await swap(self._client, change, dry_run, self._known)
        if not dry_run:
            self._known = written

    async def disable(self, seen: CanaryState, dry_run: bool = False) -> None:
        """Write 0 and 100: a route with one backend would send everything there."""
        await self.set_weight(seen, 0, dry_run)

    def commands(self, weight: int) -> tuple[str, ...]:
        """One `kubectl patch` for the route as last read; before that, the way to edit it by hand."""
        context = f" --context {shlex.quote(self._client.context)}" if self._client.context else ""
        name, namespace = shlex.quote(self._route), shlex.quote(self._namespace)
        if not self._known:
            return (f"kubectl{context} edit httproute {name} -n {namespace}",)
        changes = [each for each in self._operations(self._known, weight) if each["path"] != _VERSION]
        patch = shlex.quote(json.dumps(changes, separators=(",", ":")))
        return (f"kubectl{context} patch httproute {name} -n {namespace} --type=json -p {patch}",)

    async def resource(self) -> Resource:
        """The route, in the version of the Gateway API that the server offers."""
        return await self._resource()

    def facts(self, route: Json) -> dict[str, str]:
        """What is guarded of the route; empty texts when it has lost a backend."""
        try:
            state = self._state(route)
        except BadAnswer:
            return {WEIGHT: "", ENABLED: ""}
        return weight_facts(state.weight, state.enabled)

    def fields(self, route: Json) -> dict[str, tuple[str, ...]]:
        """The managed fields behind the facts."""
        return dict.fromkeys((WEIGHT, ENABLED), ("f:spec", "f:rules"))

    async def _resource(self) -> Resource:
        versions = await self._client.versions(GROUP)
        version = "v1" if "v1" in versions or not versions else versions[0]
        return Resource(GROUP, version, "httproutes", self._namespace, self._route)

    def _pairs(self, route: Json) -> list[_Pair]:
        pairs = [pair for index, rule in enumerate(items(route, "spec", "rules")) if (pair := self._pair(index, rule))]
        if not pairs:
            both = f"{clean(self._candidate)} and {clean(self._stable)}"
            hint = "Name both in backendRefs of one rule."
            raise BadAnswer(f"No rule of the HTTPRoute {clean(self._route)} has the backends {both}.", hint)
        return pairs

    def _pair(self, index: int, rule: Json) -> _Pair | None:
        refs = items(rule, "backendRefs")
        names = [text(ref, "name") if text(ref, "kind") in ("", "Service") else "" for ref in refs]
        if self._candidate not in names or self._stable not in names:
            return None
        candidate, stable = names.index(self._candidate), names.index(self._stable)
        raw = tuple(number(refs[at], "weight") if "weight" in refs[at] else None for at in (candidate, stable))
        return _Pair(index, candidate, stable, (raw[0], raw[1]))

    def _state(self, route: Json) -> CanaryState:
        pairs = self._pairs(route)
        weight = pairs[0].percent
        return CanaryState(clean(self._route), weight, weight > 0, tuple(self._notes(route, pairs)))

    def _notes(self, route: Json, pairs: list[_Pair]) -> Iterator[str]:
        if len({pair.percent for pair in pairs}) > 1:
            yield "the rules have different weights: " + ", ".join(str(pair.percent) for pair in pairs)
        if any(None in pair.weights or sum(weight or 0 for weight in pair.weights) != 100 for pair in pairs):
            yield "the weights do not sum to 100"
        others = {len(items(route, "spec", "rules", pair.rule, "backendRefs")) for pair in pairs}
        if others != {2}:
            yield "other backends take a share too"
        if len(pairs) < len(items(route, "spec", "rules")):
            yield "some rules do not have both backends"
        yield from _not_programmed(route)

    def _operations(self, route: Json, weight: int) -> list[Json]:
        tests: list[Json] = []
        changes: list[Json] = []
        for pair in self._pairs(route):
            sides = ((pair.candidate, self._candidate, weight), (pair.stable, self._stable, 100 - weight))
            for (at, name, new), old in zip(sides, pair.weights, strict=True):
                base = ("spec", "rules", pair.rule, "backendRefs", at)
                tests.append(test(pointer(*base, "name"), name))
                tests += [test(pointer(*base, "weight"), old)] if old is not None else [_version_test(route)]
                changes.append({"op": "add", "path": pointer(*base, "weight"), "value": new})
        return tests + changes

    def _differs(self, route: Json, seen: CanaryState) -> str:
        now = self._state(route)
        return "" if now.weight == seen.weight else f"the weight is {now.weight}, expected {seen.weight}"

    def _is_written(self, route: Json, weight: int) -> bool:
        return all(pair.weights == (weight, 100 - weight) for pair in self._pairs(route))


def _version_test(route: Json) -> Json:
    # A JSON Patch cannot test that a key is absent.
    return test(_VERSION, text(route, "metadata", "resourceVersion"))


def _not_programmed(route: Json) -> Iterator[str]:
    generation = number(route, "metadata", "generation")
    for parent in items(route, "status", "parents"):
        name = clean(text(parent, "parentRef", "name"), 100)
        for condition in items(parent, "conditions"):
            kind = text(condition, "type")
            if kind not in ("Accepted", "ResolvedRefs"):
                continue
            if text(condition, "status") != "True":
                yield clean(f"{name}: not {kind}: {text(condition, 'message')}", 200)
            elif dig(condition, "observedGeneration") not in (None, generation):
                yield f"{name}: the newest route is not {kind} yet"
    if not items(route, "status", "parents") and mapping(route, "spec"):
        yield "no gateway has accepted the route"
