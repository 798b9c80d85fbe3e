"""The application's own HTTP endpoints, by track and through the front door."""

from __future__ import annotations

from aiohttp import web

from cockpit.simulator.world.application import answer_from
from cockpit.simulator.world.endpoints import pods_behind
from cockpit.simulator.world.kinds import SERVICE
from cockpit.simulator.world.pods import is_ready
from cockpit.simulator.world.values import Obj
from cockpit.simulator.world.world import World

ACTIVE = "active"
"""The name under which the active Service answers."""


class Tracks:
    """Answers for the pods behind a track's Service."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def serve(self, request: web.Request) -> web.Response:
        """One request to `/app/<track>/<path>`."""
        spec, name = self._world.spec, request.match_info["track"]
        if name == ACTIVE:
            service = spec.active_service
        elif name in spec.tracks:
            service = spec.tracks[name].service
        else:
            return web.json_response({"error": f"no track {name}"}, status=404)
        pods = self._ready(service)
        if not pods:
            return web.json_response({"status": "unavailable"}, status=503)
        status, body = answer_from(self._world, pods, "/" + request.match_info["path"])
        return web.json_response(body, status=status)

    def _ready(self, service: str) -> list[Obj]:
        found = self._world.cluster.store.get(SERVICE, self._world.spec.namespace, service)
        return [pod for pod in pods_behind(self._world.cluster, found) if is_ready(pod)] if found else []
