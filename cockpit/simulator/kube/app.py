"""The HTTP application of the Kubernetes API: authentication, faults, discovery, resources."""

from __future__ import annotations

from aiohttp import web

from cockpit.simulator.faults import Fault
from cockpit.simulator.kube import discovery, openapi
from cockpit.simulator.kube.redis_cli import RedisCli
from cockpit.simulator.kube.request import Actor, parse_target
from cockpit.simulator.kube.resources import Resources
from cockpit.simulator.kube.reviews import Access, verbs_of
from cockpit.simulator.kube.status import ApiError, no_such_path
from cockpit.simulator.world.values import Obj
from cockpit.simulator.world.world import World

_HEALTH = ("/healthz", "/livez", "/readyz")
_LATE_FAULTS = ("lose", "delay")


class KubeApi:
    """The Kubernetes API of one world."""

    def __init__(self, world: World, redis_cli: RedisCli | None = None) -> None:
        self.access = Access()
        self.resources = Resources(world, self.access, redis_cli)
        self._world = world

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(client_max_size=8 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    def close(self) -> None:
        """End the watches and followed logs."""
        self.resources.watches.close()
        self.resources.logs.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self._world.advance()
        strike = self._world.faults.strike("kube", self._world.cluster.now)
        try:
            if strike and strike.mode not in _LATE_FAULTS:
                return _fail(request, strike)
            if strike and strike.mode == "delay":
                await self._world.sleep(strike.delay)
            response = await self._answer(request)
        except ApiError as error:
            response = _error_response(error)
        if strike and strike.mode == "lose":
            return _drop(request)
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in _HEALTH:
            return web.Response(text="ok")
        user = self.access.user(request.headers.get("Authorization"))
        document = _document(request.path)
        if document is not None:
            return web.json_response(document)
        target = parse_target(request.rel_url.raw_path.split("?", 1)[0])
        watching = request.query.get("watch") in ("true", "1")
        for verb in verbs_of(request.method, target, watching):
            self.access.check(user, verb, target)
        return await self.resources.serve(request, target, _actor(request, user))


def _actor(request: web.Request, user: str) -> Actor:
    agent = request.headers.get("User-Agent", "unknown")
    manager = request.query.get("fieldManager") or agent.partition("/")[0] or "unknown"
    return Actor(user, agent, manager[:128])


def _document(path: str) -> Obj | None:
    """A discovery document, or None where the path is no such document's."""
    fixed = {
        "/version": lambda: discovery.VERSION,
        "/api": discovery.core_versions,
        "/apis": discovery.groups,
        "/openapi/v2": openapi.swagger,
        "/openapi/v3": openapi.index,
    }
    path = path.rstrip("/")
    if path in fixed:
        return fixed[path]()
    parts = path.strip("/").split("/")
    if path.startswith("/openapi/v3/"):
        found = openapi.document("/".join(parts[2:]))
    elif parts[0] == "api" and len(parts) == 2:
        found = discovery.resources("", parts[1])
    elif parts[0] == "apis" and len(parts) in (2, 3):
        found = discovery.resources(parts[1], parts[2]) if len(parts) == 3 else discovery.group(parts[1])
    else:
        return None
    if found is None:
        raise no_such_path()
    return found


def _error_response(error: ApiError) -> web.Response:
    headers = {"Retry-After": "1"} if error.code == 429 else {}
    return web.json_response(error.body(), status=error.code, headers=headers)


def _fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    """The answer to a request that a fault hits before anything is done."""
    if fault.mode == "close":
        return _drop(request)
    text = {429: "Too many requests, please try again later."}.get(fault.status)
    raise ApiError(fault.status, text or "the server is currently unable to handle the request")


def _drop(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
