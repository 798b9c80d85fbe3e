"""Services that take what they are sent and keep it: chat, status page, CDN, dashboards, error tracker."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from cockpit.simulator.world.values import Obj, rfc3339, stable_uid
from cockpit.simulator.world.world import World


class Sinks:
    """The handlers; each books its effect in the world's record."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._incidents: dict[str, Obj] = {}

    async def slack(self, request: web.Request) -> web.Response:
        """An incoming webhook."""
        body = await _json_body(request)
        if not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
            return web.Response(status=400, text="no_text" if isinstance(body, dict) else "invalid_payload")
        self._world.record.add("slack", str(body.get("channel", "webhook")), text=body.get("text", ""), payload=body)
        return web.Response(text="ok")

    async def purge(self, request: web.Request) -> web.Response:
        """Cloudflare's cache purge."""
        if not _has_token(request):
            return _cloudflare_error(403, 9109, "Invalid access token")
        body = await _json_body(request)
        if problem := _purge_problem(body):
            return _cloudflare_error(400, 1012, problem)
        zone = request.match_info["zone"]
        result = stable_uid(f"purge/{zone}/{self._world.record.count('purge')}").replace("-", "")
        self._world.record.add("purge", zone, request=body, result=result)
        return web.json_response({"success": True, "errors": [], "messages": [], "result": {"id": result}})

    async def verify_token(self, request: web.Request) -> web.Response:
        """Cloudflare's check of a token."""
        if not _has_token(request):
            return _cloudflare_error(403, 9109, "Invalid access token")
        result = {"id": stable_uid("token").replace("-", ""), "status": "active"}
        return web.json_response({"success": True, "errors": [], "messages": [], "result": result})

    async def page(self, request: web.Request) -> web.Response:
        """Statuspage: the page itself."""
        if not request.headers.get("Authorization"):
            return web.json_response({"error": "Could not authenticate"}, status=401)
        page = request.match_info["page"]
        return web.json_response({"id": page, "name": page})

    async def open_incident(self, request: web.Request) -> web.Response:
        """Statuspage: a new incident."""
        incident = _incident(await _json_body(request))
        if not request.headers.get("Authorization"):
            return web.json_response({"error": "Could not authenticate"}, status=401)
        if not incident.get("name"):
            return web.json_response({"error": ["Name can't be blank"]}, status=422)
        key = stable_uid(f"incident/{len(self._incidents)}").replace("-", "")[:12]
        now = rfc3339(self._world.cluster.now)
        self._incidents[key] = {"id": key, "created_at": now, "status": "investigating", **incident}
        self._world.record.add("incident", key, action="open", incident=incident)
        return web.json_response(self._incidents[key], status=201)

    async def update_incident(self, request: web.Request) -> web.Response:
        """Statuspage: a change of an incident."""
        key = request.match_info["incident"]
        if not request.headers.get("Authorization"):
            return web.json_response({"error": "Could not authenticate"}, status=401)
        if key not in self._incidents:
            return web.json_response({"error": "Record not found"}, status=404)
        incident = _incident(await _json_body(request))
        self._incidents[key].update(incident, updated_at=rfc3339(self._world.cluster.now))
        self._world.record.add("incident", key, action="update", incident=incident)
        return web.json_response(self._incidents[key])

    async def list_incidents(self, request: web.Request) -> web.Response:
        """Statuspage: all incidents, newest first."""
        return web.json_response(list(reversed(self._incidents.values())))

    async def annotation(self, request: web.Request) -> web.Response:
        """Grafana: an annotation."""
        if not _has_token(request):
            return web.json_response({"message": "Unauthorized"}, status=401)
        effect = self._world.record.add("annotation", "grafana", body=await _json_body(request))
        return web.json_response({"message": "Annotation added", "id": effect.seq})

    async def datadog_event(self, request: web.Request) -> web.Response:
        """Datadog: an event."""
        if not request.headers.get("DD-API-KEY"):
            return web.json_response({"errors": ["Forbidden"]}, status=403)
        body = await _json_body(request)
        effect = self._world.record.add("datadog_event", "datadog", body=body)
        return web.json_response({"status": "ok", "event": {"id": effect.seq}}, status=202)

    async def sentry_release(self, request: web.Request) -> web.Response:
        """Sentry: a release, or a deploy of one."""
        if not _has_token(request):
            return web.json_response({"detail": "Authentication credentials were not provided."}, status=401)
        body = await _json_body(request)
        self._world.record.add("sentry_release", request.path, body=body)
        answer = body if isinstance(body, dict) else {}
        return web.json_response({**answer, "dateCreated": rfc3339(self._world.cluster.now)}, status=201)


_PURGES = ("purge_everything", "files", "tags", "hosts", "prefixes")
_MOST_PURGED = 100


def _purge_problem(body: Any) -> str:
    """What Cloudflare would not take, empty when it would."""
    given = [key for key in _PURGES if isinstance(body, dict) and body.get(key)]
    if len(given) != 1 or len(body) != 1:
        return f"Request must contain one of {', '.join(_PURGES[:-1])} or {_PURGES[-1]}"
    values = body[given[0]]
    if given[0] == "purge_everything":
        return "" if values is True else "purge_everything must be true"
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return f"{given[0]} must be a list of strings"
    return f"at most {_MOST_PURGED} operations are allowed per request" if len(values) > _MOST_PURGED else ""


async def _json_body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        return None


def _has_token(request: web.Request) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(token.strip())


def _incident(body: Any) -> Obj:
    incident = body.get("incident") if isinstance(body, dict) else None
    return incident if isinstance(incident, dict) else {}


def _cloudflare_error(status: int, code: int, message: str) -> web.Response:
    errors = [{"code": code, "message": message}]
    return web.json_response({"success": False, "errors": errors, "messages": [], "result": None}, status=status)
