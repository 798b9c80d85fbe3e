"""Pod logs: lines that are a function of the pod and of run time."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress

from aiohttp import web

from cockpit.simulator.kube.request import Target
from cockpit.simulator.kube.status import ApiError
from cockpit.simulator.world.kinds import POD
from cockpit.simulator.world.pods import restarts
from cockpit.simulator.world.values import Obj, dig, name_of, parse_time, rfc3339, suffix
from cockpit.simulator.world.world import World

LINE_SECONDS = 4.0
"""Run seconds between two lines of a pod's log."""

LOG = "cockpit.simulator/log"
"""What a Job's pod with this annotation prints."""

_KEPT_LINES = 2000
_ROUTES = ("/", "/api/kanji", "/api/reviews", "/api/session", "/static/app.js")


class Logs:
    """Serves `pods/log`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every followed log."""
        self._closing.set()

    async def serve(self, request: web.Request, target: Target, pod: Obj) -> web.StreamResponse:
        """Answer one log request; raises ApiError 400 when the container has no log yet."""
        query = request.query
        began = _began(pod, query)
        end = self._world.cluster.now
        lines = _job_lines(pod, began) or [_line(pod, began, number) for number in _numbers(began, end, query)]
        if query.get("previous") == "true":
            lines = [_crash_line(pod, began)]
        tail = query.get("tailLines")
        if tail is not None:
            lines = lines[len(lines) - min(int(tail), len(lines)) :]
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        stamped = query.get("timestamps") == "true"
        with suppress(ConnectionError):
            await response.write(b"".join(_shown(at, text, stamped) for at, text in lines))
            if query.get("follow") == "true" and query.get("previous") != "true":
                await self._follow(request, response, target, pod)
            await response.write_eof()
        return response

    async def _follow(self, request: web.Request, response: web.StreamResponse, target: Target, pod: Obj) -> None:
        """Write each line when its time comes, until the pod is replaced, the client goes or all closes."""
        began = _began(pod, request.query)
        number = _due(began, self._world.cluster.now)
        uid, count = pod["metadata"]["uid"], restarts(pod)
        while request.transport is not None and not request.transport.is_closing():
            wait = self._world.clock.real_seconds(began + number * LINE_SECONDS - self._world.clock.timestamp())
            try:
                await asyncio.wait_for(self._closing.wait(), timeout=min(1.0, max(0.02, wait)))
                return
            except TimeoutError:
                pass
            now = self._world.advance()
            current = self._world.cluster.store.get(POD, target.namespace, name_of(pod))
            if current is None or current["metadata"]["uid"] != uid or restarts(current) != count:
                return
            while began + number * LINE_SECONDS <= now:
                at, text = _line(pod, began, number)
                await response.write(_shown(at, text, request.query.get("timestamps") == "true"))
                number += 1


def _began(pod: Obj, query: Mapping[str, str]) -> float:
    """When the asked container started; raises ApiError 400 when it has not."""
    names = [container["name"] for container in pod["spec"]["containers"]]
    name = query.get("container") or names[0]
    if name not in names:
        raise ApiError(400, f"container {name} is not valid for pod {name_of(pod)}")
    status: Obj = dig(pod, "status", "containerStatuses", names.index(name), default={})
    if query.get("previous") == "true":
        last = dig(status, "lastState", "terminated", "startedAt")
        if not last:
            raise ApiError(400, f'previous terminated container "{name}" in pod "{name_of(pod)}" not found')
        return parse_time(last)
    state = dig(status, "state", default={})
    started = dig(state, "running", "startedAt") or dig(state, "terminated", "startedAt")
    started = started or dig(status, "lastState", "terminated", "startedAt")
    if not started:
        why = dig(state, "waiting", "reason", default="ContainerCreating")
        text = f'container "{name}" in pod "{name_of(pod)}" is waiting to start: {why}'
        raise ApiError(400, text)
    return parse_time(started)


def _due(began: float, now: float) -> int:
    """The number of the first line that is not yet written."""
    return max(0, math.floor((now - began) / LINE_SECONDS) + 1)


def _numbers(began: float, end: float, query: Mapping[str, str]) -> Iterator[int]:
    since = float(query.get("sinceSeconds", "inf"))
    first = max(0, _due(began, end) - _KEPT_LINES)
    for number in range(first, _due(began, end)):
        if began + number * LINE_SECONDS >= end - since:
            yield number


def _line(pod: Obj, began: float, number: int) -> tuple[float, str]:
    at = began + number * LINE_SECONDS
    if number == 0:
        image = pod["spec"]["containers"][0]["image"]
        return at, json.dumps({"level": "info", "time": rfc3339(at), "msg": "listening", "image": image})
    seed = suffix(f"{name_of(pod)}/{number}", 6)
    spread = sum(ord(letter) for letter in seed)
    entry = {
        "level": "info",
        "time": rfc3339(at),
        "msg": "request",
        "path": _ROUTES[spread % len(_ROUTES)],
        "status": 200,
        "ms": 20 + spread % 70,
        "id": seed,
    }
    return at, json.dumps(entry)


def _job_lines(pod: Obj, began: float) -> list[tuple[float, str]]:
    """What the pod of a Job prints: its annotation's lines, or what it runs; nothing for any other pod."""
    if "job-name" not in pod["metadata"].get("labels", {}):
        return []
    container = pod["spec"]["containers"][0]
    said = " ".join([*container.get("command", []), *container.get("args", [])]) or container["image"]
    text = dig(pod, "metadata", "annotations", LOG) or f"running {said}"
    return [(began, line) for line in str(text).split("\n")]


def _crash_line(pod: Obj, began: float) -> tuple[float, str]:
    text = "cannot read configuration: DATABASE_URL is not set"
    return began, json.dumps({"level": "fatal", "time": rfc3339(began), "msg": text})


def _shown(at: float, text: str, stamped: bool) -> bytes:
    return f"{rfc3339(at)} {text}\n".encode() if stamped else f"{text}\n".encode()
