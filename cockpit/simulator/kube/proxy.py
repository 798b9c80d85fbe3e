"""The proxy subresource: the application, reached through the API server."""

from __future__ import annotations

from aiohttp import web

from cockpit.simulator.kube.request import Target
from cockpit.simulator.kube.status import ApiError, not_found
from cockpit.simulator.world.application import answer_from
from cockpit.simulator.world.endpoints import pods_behind
from cockpit.simulator.world.kinds import SERVICE
from cockpit.simulator.world.pods import is_ready
from cockpit.simulator.world.values import Obj, dig
from cockpit.simulator.world.world import World


async def serve_proxy(world: World, request: web.Request, target: Target) -> web.StreamResponse:
    """Answer a proxied request; raises ApiError 404 or 503."""
    obj, port = _find(world, target)
    pods = [obj]
    if target.kind is SERVICE:
        ports: list[Obj] = dig(obj, "spec", "ports", default=[])
        names = {str(item["port"]) for item in ports} | {item.get("name", "") for item in ports} | {""}
        if port not in names:
            raise ApiError(503, f'no service port "{port}" found for service "{target.name}"')
        pods = [pod for pod in pods_behind(world.cluster, obj) if is_ready(pod)]
    if not pods:
        name = dig(obj, "metadata", "name")
        raise ApiError(503, f'no endpoints available for service "{name}"')
    status, body = answer_from(world, pods, f"/{target.rest}")
    return web.json_response(body, status=status)


def _find(world: World, target: Target) -> tuple[Obj, str]:
    """The object and the port of a name such as `web`, `web:80` or `http:web:80`."""
    parts = target.name.split(":")
    name, port = (parts[1], parts[2]) if len(parts) == 3 else (parts[0], parts[1] if len(parts) == 2 else "")
    found = world.cluster.store.get(target.kind, target.namespace, name)
    if found is None:
        raise not_found(target.kind, name)
    return found, port
