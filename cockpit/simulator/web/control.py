"""The simulator's own door: its record, its state, and what a rehearsal or a test may change."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from aiohttp import web

from cockpit.simulator.faults import SURFACES, Fault
from cockpit.simulator.kube.app import KubeApi
from cockpit.simulator.scenario import SCENARIOS
from cockpit.simulator.world.kinds import DEPLOYMENT, POD
from cockpit.simulator.world.pods import restarts
from cockpit.simulator.world.values import Obj, dig
from cockpit.simulator.world.world import World

_MODES = ("error", "close", "lose", "delay")


class Control:
    """The `/sim` endpoints."""

    def __init__(self, world: World, kube: KubeApi) -> None:
        self._world = world
        self._kube = kube

    async def record(self, request: web.Request) -> web.Response:
        """Every effect so far, of one kind when `?kind=` says so."""
        effects = self._world.record.all(request.query.get("kind"))
        return web.json_response([effect.as_json() for effect in effects])

    async def state(self, request: web.Request) -> web.Response:
        """The truth in short."""
        return web.json_response(world_state(self._world))

    async def scenario(self, request: web.Request) -> web.Response:
        """Switch the scenario."""
        body = await _body(request)
        found = SCENARIOS.get(str(body.get("name")))
        if found is None:
            return _refused(f"no such scenario; there are {', '.join(SCENARIOS)}")
        self._world.use(found)
        return web.json_response({"scenario": found.name})

    async def fault(self, request: web.Request) -> web.Response:
        """Set a fault from now on."""
        body = await _body(request)
        if body.get("surface") not in SURFACES or body.get("mode", "error") not in _MODES:
            return _refused(f"surface is one of {', '.join(SURFACES)}; mode one of {', '.join(_MODES)}")
        known = {field.name for field in fields(Fault)} - {"trigger"}
        numbers = [value for key, value in body.items() if key in known - {"surface", "mode"}]
        if not all(isinstance(value, int | float) for value in numbers):
            return _refused("status, rate, after, lasts and delay are numbers")
        fault = Fault(**{key: value for key, value in body.items() if key in known}, trigger="set")
        self._world.faults.set(fault, self._world.cluster.now)
        return web.json_response(asdict(fault))

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Take away the faults that were set, of `?surface=` or all."""
        self._world.faults.clear(request.query.get("surface"))
        return web.json_response({})

    async def deny(self, request: web.Request) -> web.Response:
        """Take a right away: `{"verb": "patch", "resource": "ingresses"}`; an empty body gives all back."""
        body = await _body(request)
        if body:
            self._kube.access.denied.add((str(body.get("verb", "*")), str(body.get("resource", "*"))))
        else:
            self._kube.access.denied.clear()
        return web.json_response(sorted(self._kube.access.denied))

    async def compact(self, request: web.Request) -> web.Response:
        """Forget the watch history and cut the watches: older resource versions are gone."""
        self._world.cluster.store.forget_history()
        self._kube.resources.watches.cut()
        return web.json_response({})


def world_state(world: World) -> Obj:
    """Weights, tracks, counts: what a test wants to know."""
    record, router, now = world.record, world.router, world.cluster.now
    return {
        "time": now,
        "scenario": world.scenario.name,
        "weight": router.commanded_weight(),
        "canary_enabled": router.canary_enabled(),
        "active": router.active_track(),
        "share": round(100.0 * router.split.of(world.spec.candidate), 3),
        "tracks": {name: _track_state(world, name) for name in world.spec.tracks},
        "purges": record.count("purge"),
        "redis_flushes": world.redis.flushes,
        "messages": {
            "slack": record.count("slack"),
            "mail": record.count("mail"),
            "incidents": record.count("incident"),
            "annotations": record.count("annotation"),
            "datadog": record.count("datadog_event"),
            "sentry": record.count("sentry_release"),
        },
        "effects": len(record.all()),
    }


def _track_state(world: World, name: str) -> Obj:
    track = world.spec.tracks[name]
    found = world.cluster.store.get(DEPLOYMENT, world.spec.namespace, track.deployment)
    pods = [pod for pod in world.cluster.store.select(POD, world.spec.namespace) if world.router.track_of(pod) == name]
    return {
        "ready": dig(found, "status", "readyReplicas", default=0),
        "updated": dig(found, "status", "updatedReplicas", default=0),
        "replicas": dig(found, "spec", "replicas", default=0),
        "image": dig(found, "spec", "template", "spec", "containers", 0, "image", default=""),
        "restarts": sum(restarts(pod) for pod in pods),
    }


async def _body(request: web.Request) -> dict[str, Any]:
    """The request's JSON object, empty when it has none."""
    try:
        found = await request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refused(text: str) -> web.Response:
    return web.json_response({"error": text}, status=400)
