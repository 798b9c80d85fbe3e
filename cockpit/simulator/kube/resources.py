"""Resource requests: which verb on which object, and its answer."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from cockpit.simulator.kube.exec import Exec
from cockpit.simulator.kube.legacy_events import as_events_v1
from cockpit.simulator.kube.logs import Logs
from cockpit.simulator.kube.patch import apply_patch
from cockpit.simulator.kube.portforward import PortForward
from cockpit.simulator.kube.proxy import serve_proxy
from cockpit.simulator.kube.query import page, stored_kind
from cockpit.simulator.kube.redis_cli import RedisCli
from cockpit.simulator.kube.request import Actor, Target
from cockpit.simulator.kube.reviews import Access, answer
from cockpit.simulator.kube.scale import scale_of, with_scale
from cockpit.simulator.kube.status import ApiError, no_such_path
from cockpit.simulator.kube.table import choose_form, present, present_list
from cockpit.simulator.kube.watch import Watches
from cockpit.simulator.kube.write import Writer
from cockpit.simulator.world.kinds import ACCESS_REVIEW, EVENT_V1, RULES_REVIEW, SELF_REVIEW
from cockpit.simulator.world.values import Obj
from cockpit.simulator.world.world import World


class Resources:
    """Answers authorised resource requests."""

    def __init__(self, world: World, access: Access, redis_cli: RedisCli | None = None) -> None:
        self.watches = Watches(world)
        self.logs = Logs(world)
        self._world = world
        self._access = access
        self._writer = Writer(world)
        self._exec = Exec(world, redis_cli)
        self._portforward = PortForward(world)

    async def serve(self, request: web.Request, target: Target, actor: Actor) -> web.StreamResponse:
        """Answer one request; raises ApiError."""
        if target.kind in (ACCESS_REVIEW, RULES_REVIEW, SELF_REVIEW):
            return _json(answer(self._access, target, await _body(request), actor.user), 201)
        if target.subresource in ("exec", "log", "portforward", "proxy"):
            return await self._pod_things(request, target, actor)
        if request.method in ("GET", "HEAD"):
            return await self._read(request, target)
        return await self._write(request, target, actor)

    async def _pod_things(self, request: web.Request, target: Target, actor: Actor) -> web.StreamResponse:
        if target.subresource == "proxy":
            return await serve_proxy(self._world, request, target)
        pod = self._writer.find(target)
        if target.subresource == "log":
            return await self.logs.serve(request, target, pod)
        if target.subresource == "portforward":
            return await self._portforward.serve(request, pod, actor)
        return await self._exec.serve(request, pod, actor)

    async def _read(self, request: web.Request, target: Target) -> web.StreamResponse:
        query, now = request.query, self._world.cluster.now
        form = choose_form(request.headers.get("Accept", ""), query.get("includeObject"))
        if query.get("watch") in ("true", "1"):
            return await self.watches.serve(request, target, form)
        if not target.name:
            found, metadata = page(self._world.cluster.store, target, query)
            if target.kind is EVENT_V1 and not form.name:
                found = [as_events_v1(obj) for obj in found]
            kind = stored_kind(target.kind) if form.name else target.kind
            return _json(present_list(kind, found, metadata, form, now))
        obj = self._writer.find(target)
        if target.subresource == "scale":
            return _json(scale_of(obj))
        return _json(present(target.kind, obj, form, now))

    async def _write(self, request: web.Request, target: Target, actor: Actor) -> web.StreamResponse:
        dry = _dry_run(request)
        now = self._world.cluster.now
        form = choose_form(request.headers.get("Accept", ""), request.query.get("includeObject"))
        if request.method == "DELETE":
            if not target.name:
                raise ApiError(405, "the server does not allow this method on the requested resource")
            gone = self._writer.delete(target, actor, _delete_options(request, await _body(request)), dry)
            return _json(present(target.kind, gone, form, now))
        if request.method == "POST":
            if target.name:
                raise ApiError(405, "the server does not allow this method on the requested resource")
            made = self._writer.create(target, await _body(request), actor, dry)
            return _json(present(target.kind, made, form, now), 201)
        changed = await self._change(request, target, actor, dry)
        if target.subresource == "scale":
            return _json(scale_of(changed))
        return _json(present(target.kind, changed, form, now))

    async def _change(self, request: web.Request, target: Target, actor: Actor, dry: bool) -> Obj:
        if request.method not in ("PUT", "PATCH"):
            raise no_such_path()
        raw = await request.read()
        current = self._writer.find(target)
        shown = scale_of(current) if target.subresource == "scale" else current
        body = apply_patch(request.content_type, raw, shown) if request.method == "PATCH" else _parse(raw)
        if target.subresource == "scale":
            body = with_scale(current, body)
        return self._writer.replace(target, body, actor, dry)


def _dry_run(request: web.Request) -> bool:
    values = request.query.getall("dryRun", [])
    if any(value != "All" for value in values):
        raise ApiError(422, f'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "{values[0]}"')
    return bool(values)


def _delete_options(request: web.Request, body: Obj) -> Obj:
    query: Obj = dict(request.query)
    if "gracePeriodSeconds" in query:
        query["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
    return {**query, **body}


def _parse(raw: bytes) -> Obj:
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as error:
        raise ApiError(400, f"the object provided is unrecognized: couldn't parse JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "the object provided is unrecognized: it is no JSON object")
    return body


async def _body(request: web.Request) -> Obj:
    if request.content_type == "application/vnd.kubernetes.protobuf":
        text = "the body of the request was in an unknown format - accepted media types include: application/json"
        raise ApiError(415, text)
    return _parse(await request.read())


def _json(body: Any, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)
