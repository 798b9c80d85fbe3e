"""Point the active Service at a track."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, TrafficChange, World
from cockpit.errors import Conflict, DeadlineExceeded
from cockpit.model.run import RunState
from cockpit.runbook.actions import Switch
from cockpit.runbook.schema import Runbook

TRIES = 3


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


def active_track(book: Runbook, selector: Mapping[str, str]) -> str:
    """The track that a selector points at, or the selector's value when it is none of the tracks."""
    value = selector.get(book.cluster.active_service.selector_key, "")
    return next((name for name, track in book.cluster.tracks.items() if track.selector_value == value), value)


class SwitchHandler:
    """`switch`: proved by the selector read back and ready endpoints."""

    async def plan(self, world: World, action: Switch) -> Planned:
        """Read the Service; a forward switch needs the target's pods ready."""
        await self._require_endpoints(world, action)
        name = world.book.cluster.active_service.name
        seen = await world.outside.workloads.service(name)
        after = selector_for(world.book, world.state, action.to, seen.selector)
        patch = json.dumps([{"op": "replace", "path": "/spec/selector", "value": dict(seen.selector)}])
        return Planned(
            request=f"point service/{name} at {action.to} (now {active_track(world.book, seen.selector)})",
            before={"selector": selector_text(seen.selector)},
            after={"selector": selector_text(after)},
            inverse=f"kubectl -n {world.book.cluster.namespace} patch service {name} --type=json -p '{patch}'",
        )

    async def _require_endpoints(self, world: World, action: Switch) -> None:
        track = world.book.cluster.tracks[action.to]
        seen = await world.outside.workloads.service(track.service, endpoints=True)
        if not seen.ready_endpoints and not world.rollback:
            raise ActionFailure(
                f"service/{track.service} has no ready endpoints", f"{action.to} cannot take the traffic yet."
            )

    async def execute(self, world: World, action: Switch, planned: Planned) -> Done:
        """Replace the whole selector if it is not there yet, then wait for ready endpoints."""
        name = world.book.cluster.active_service.name
        wanted: dict[str, str] = json.loads(planned.after["selector"])
        for attempt in range(TRIES):
            seen = await world.outside.workloads.service(name)
            if dict(seen.selector) == wanted:
                return await self._with_endpoints(world, action, name)
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

    async def _with_endpoints(self, world: World, action: Switch, name: str) -> Done:
        while True:
            seen = await world.outside.workloads.service(name, endpoints=True)
            if seen.ready_endpoints:
                message = f"service/{name} points at {action.to}, {seen.ready_endpoints} endpoints ready"
                facts = {"selector": selector_text(seen.selector)}
                return Done(message, facts, TrafficChange(active=action.to))
            await world.say("waiting for ready endpoints")
            await world.pause()

    async def recover(self, world: World, action: Switch, planned: Planned) -> Found:
        """Safe when the selector is the old or the new one."""
        seen = await world.outside.workloads.service(world.book.cluster.active_service.name)
        known = (planned.before.get("selector"), planned.after.get("selector"))
        return Found.SAFE if selector_text(seen.selector) in known or world.rollback else Found.UNKNOWN
