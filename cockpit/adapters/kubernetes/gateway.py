"""The candidate's share by the weights of an HTTPRoute."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from cockpit.adapters.kubernetes import route_rules as rules
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.patch import Change, pointer, swap, test
from cockpit.adapters.kubernetes.resource import Json, Resource, text
from cockpit.adapters.kubernetes.route_status import standing
from cockpit.errors import BadAnswer, OutsideError
from cockpit.model.cluster import CanaryState, Note
from cockpit.model.guarded import ENABLED, WEIGHT, weight_facts
from cockpit.model.text import clean

GROUP = "gateway.networking.k8s.io"
_VERSION = "/metadata/resourceVersion"
_SPOKEN = ("v1", "v1beta1")


class GatewayTraffic:
    """Writes both weights of every rule with both backends; see `cockpit.engine.ports.TrafficControl`."""

    backend = "gateway"

    def __init__(self, client: KubeClient, namespace: str, route: str, candidate: str, mains: Sequence[str]) -> None:
        """`candidate` and `mains` are names of Services: the route's other backend is the first of `mains` it has.

        The active Service comes first among them, so that weight 0 leaves all traffic wherever it points.
        """
        self._client = client
        self._namespace, self._route = namespace, route
        self._candidate, self._mains = candidate, tuple(mains)
        self._known: Json = {}
        self._version = ""
        self._around: tuple[Note, ...] | None = None

    async def read(self, whole: bool = False) -> CanaryState:
        """The route; `enabled` while the candidate has any weight. Raises BadAnswer when it lacks a backend."""
        self._known = await self._client.get(await self._resource())
        if whole or self._around is None:
            self._around = await self._look_around()
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
            done=lambda obj: all(pair.is_written(weight) for pair in self._pairs(obj)),
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
        """The route, in the version that the server was found to offer at the first look."""
        if not self._version:
            offered = await self._client.versions(GROUP)
            self._version = next((each for each in _SPOKEN if each in offered), _SPOKEN[0])
        return Resource(GROUP, self._version, "httproutes", self._namespace, self._route)

    async def _look_around(self) -> tuple[Note, ...]:
        """What the namespace's other routes mean for the candidate."""
        try:
            found = await self._client.all_of((await self._resource()).named(""))
        except OutsideError as error:
            return (Note(text=f"the other routes could not be looked at: {error}"),)
        others = [each for each in found if text(each, "metadata", "name") != self._route]
        return tuple(note for other in others if (note := self._other(other)))

    def _other(self, route: Json) -> Note | None:
        if self._candidate not in rules.services(route, self._namespace):
            return None
        name = clean(text(route, "metadata", "name"))
        what = f"the HTTPRoute {name} leads to {self._candidate} as well"
        return Note(text=f"{what}: neither this weight nor a rollback changes that", evades=True)

    def _pairs(self, route: Json) -> list[rules.Pair]:
        found = rules.pairs(route, self._namespace, self._candidate, self._mains)
        if not found:
            both = f"{clean(self._candidate)} and {clean(' or '.join(self._mains))}"
            hint = "Name the candidate's Service and the active Service in backendRefs of one rule."
            raise BadAnswer(f"No rule of the HTTPRoute {clean(self._route)} has the backends {both}.", hint)
        return found

    def _state(self, route: Json) -> CanaryState:
        found, now = self._pairs(route), standing(route)
        weight = max(pair.percent for pair in found)
        about = rules.notes(route, self._namespace, self._candidate, found, self._mains[0])
        return CanaryState(
            name=clean(self._route),
            weight=weight,
            enabled=weight > 0,
            exact=all(pair.is_written(weight) for pair in found),
            notes=(*about, *(self._around or ())),
            main=found[0].main.service,
            pending=now.pending,
            rejected=now.rejected,
            fields=rules.fields(clean(self._route), found),
            off="weight 0 for the candidate, 100 for the other",
            evicts=False,
        )

    def _operations(self, route: Json, weight: int) -> list[Json]:
        tests: list[Json] = []
        changes: list[Json] = []
        for pair in self._pairs(route):
            for ref, new in ((pair.candidate, weight), (pair.main, 100 - weight)):
                base = ("spec", "rules", ref.rule, "backendRefs", ref.at)
                tests.append(test(pointer(*base, "name"), ref.service))
                tests.append(test(pointer(*base, "weight"), ref.raw) if ref.raw is not None else _version_test(route))
                changes.append({"op": "add", "path": pointer(*base, "weight"), "value": new})
        return tests + changes

    def _differs(self, route: Json, seen: CanaryState) -> str:
        weight = max(pair.percent for pair in self._pairs(route))
        return "" if weight == seen.weight else f"the weight is {weight}, expected {seen.weight}"


def _version_test(route: Json) -> Json:
    # A JSON Patch cannot test that a key is absent.
    return test(_VERSION, text(route, "metadata", "resourceVersion"))
