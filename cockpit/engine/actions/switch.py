"""Point the active Service at a track."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, TrafficChange, World
from cockpit.engine.actions.progress import Progress
from cockpit.engine.actions.targets import label_selector, listed, ready, strangers, too_few, unreached
from cockpit.engine.plan import active_track
from cockpit.errors import Conflict, DeadlineExceeded, Unreachable
from cockpit.model.cluster import Endpoint, PodPlace, ServiceState
from cockpit.model.run import RunState
from cockpit.runbook.actions import Switch
from cockpit.runbook.schema import Runbook

TRIES = 4
"""So many looks at the target, that of the plan among them; each is its proof, or a write follows."""


def selector_text(selector: Mapping[str, str]) -> str:
    """A selector as the journal keeps it."""
    return json.dumps(dict(selector), sort_keys=True)


def selector_for(book: Runbook, state: RunState, track: str, seen: Mapping[str, str]) -> dict[str, str]:
    """The whole selector for a track: a journaled before-value when there is one, else the key replaced."""
    key = book.cluster.active_service.selector_key
    value = book.cluster.tracks[track].selector_value
    for step in book.steps:
        for action in step.actions:
            before = state.action(action.id).before.get("selector")
            if isinstance(action, Switch) and before and json.loads(before).get(key) == value:
                return dict(json.loads(before))
    return {**seen, key: value}


class SwitchHandler:
    """`switch`: proved by the selector read back, and by endpoints that are the target's pods and no others."""

    async def plan(self, world: World, action: Switch) -> Planned:
        """Read the Service; a forward switch needs the pods that the new selector matches."""
        name = world.book.cluster.active_service.name
        seen = await world.outside.workloads.service(name)
        after = selector_for(world.book, world.state, action.to, seen.selector)
        if not world.rollback:
            await self._require_pods(world, action, after)
        patch = json.dumps([{"op": "replace", "path": "/spec/selector", "value": dict(seen.selector)}])
        return Planned(
            request=f"point service/{name} at {action.to} (now {active_track(world.book, seen.selector)})",
            before={"selector": selector_text(seen.selector)},
            after={"selector": selector_text(after)},
            inverse=f"kubectl -n {world.book.cluster.namespace} patch service {name} --type=json -p '{patch}'",
            seen=seen if world.rollback else None,
        )

    async def _require_pods(self, world: World, action: Switch, selector: Mapping[str, str]) -> None:
        """As many ready pods as the runbook says, and a Service of the track that reaches them."""
        track, labels = world.book.cluster.tracks[action.to], label_selector(selector)
        service, places = await asyncio.gather(
            world.outside.workloads.service(track.service, endpoints=True), world.outside.workloads.pods(labels)
        )
        missing = too_few(places, track.replicas)
        if missing or not service.endpoints:
            why = f"{labels} has {missing}" if missing else f"service/{track.service} has no ready endpoints"
            raise ActionFailure(
                f"{action.to} cannot take the traffic yet: {why}; nothing was changed",
                f"`kubectl -n {world.book.cluster.namespace} get pods -l {labels}`; try again when they are ready.",
            )

    async def execute(self, world: World, action: Switch, planned: Planned) -> Done:
        """Replace the whole selector if it is not there yet, then wait until the endpoints have followed."""
        name = world.book.cluster.active_service.name
        wanted: dict[str, str] = json.loads(planned.after["selector"])

        def is_there(seen: ServiceState) -> bool:
            return dict(seen.selector) == wanted

        for attempt in range(TRIES):
            seen = await planned.look(attempt, partial(world.outside.workloads.service, name), is_there)
            if is_there(seen):
                return await self._with_endpoints(world, action, wanted)
            if not world.rollback and selector_text(seen.selector) != planned.before["selector"]:
                raise Conflict(
                    f"service/{name} selects {selector_text(seen.selector)}, expected {planned.before['selector']}",
                    "Somebody else switched it: find out who, then try again or roll back.",
                )
            try:
                await world.outside.workloads.set_selector(seen, wanted)
            except DeadlineExceeded:
                await world.say("no answer to the write; reading back")
            except Conflict:
                if attempt + 1 == TRIES or not world.rollback:
                    raise
        raise DeadlineExceeded(f"service/{name} could not be read back", "Look at the Service, then try again.")

    async def _with_endpoints(self, world: World, action: Switch, wanted: Mapping[str, str]) -> Done:
        workloads, name = world.outside.workloads, world.book.cluster.active_service.name
        progress = Progress(world, action)
        hint = f"`kubectl -n {world.book.cluster.namespace} get endpointslices -l kubernetes.io/service-name={name}`"
        while True:
            try:
                seen, places = await asyncio.gather(
                    workloads.service(name, endpoints=True), workloads.pods(label_selector(wanted))
                )
            except Unreachable as error:
                await progress.wait(f"the endpoints of service/{name} cannot be seen: {error}", error.hint)
                continue
            if dict(seen.selector) != dict(wanted):
                raise Conflict(
                    f"service/{name} selects {selector_text(seen.selector)} again, expected {selector_text(wanted)}",
                    "Somebody else switched it: find out who, then try again or roll back.",
                )
            if waiting := self._waiting(world, action, seen.endpoints or (), places):
                await progress.wait(f"service/{name} is switched; {waiting}", hint)
                continue
            reached = len(ready(places)) - len(unreached(seen.endpoints or (), places))
            message = f"service/{name} points at {action.to}, {reached} endpoints ready"
            return Done(message, {"selector": selector_text(seen.selector)}, TrafficChange(active=action.to))

    def _waiting(self, world: World, action: Switch, endpoints: Sequence[Endpoint], places: Sequence[PodPlace]) -> str:
        """What the endpoints still lack. On the way back one pod is enough: half of stable is better than none."""
        if others := strangers(endpoints, places):
            return f"its endpoints are not all of {action.to} yet: {listed(others)}"
        needed = 1 if world.rollback else world.book.cluster.tracks[action.to].replicas
        if missing := too_few(places, needed):
            return f"{action.to} has {missing}"
        left = unreached(endpoints, places)
        if len(ready(places)) - len(left) < needed:
            return f"its endpoints do not have {listed(left)} yet"
        return ""

    async def recover(self, world: World, action: Switch, planned: Planned) -> Found:
        """Safe when the selector is the old or the new one."""
        seen = await world.outside.workloads.service(world.book.cluster.active_service.name)
        known = (planned.before.get("selector"), planned.after.get("selector"))
        return Found.SAFE if selector_text(seen.selector) in known or world.rollback else Found.UNKNOWN
