"""Pod logs: lines that are a function of the pod and of run time."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from cockpit.simulator.faults import Fault
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
_NUMBERS = ("tailLines", "limitBytes", "sinceSeconds")


@dataclass(frozen=True, slots=True)
class Life:
    """One run of a container, in run seconds; `ended` is None while it runs."""

    began: float
    ended: float | None = None
    failed: bool = False

    def lines(self, pod: Obj, now: float, since: float) -> list[tuple[float, str]]:
        """What it has said since then."""
        end = now if self.ended is None else min(now, self.ended)
        due = _due(self.began, end)
        said = [_line(pod, self.began, number) for number in range(max(0, due - _KEPT_LINES), due)]
        found = _job_lines(pod, self.began) or said
        if self.failed and self.ended is not None:
            found.append((self.ended, _last_words(self.ended)))
        return [(at, text) for at, text in found if at >= since]


class Logs:
    """Serves `pods/log`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every followed log."""
        self._closing.set()

    async def serve(self, request: web.Request, target: Target, pod: Obj) -> web.StreamResponse:
        """Answer one log request; raises ApiError 400 when the container has no log yet, 422 for a bad query."""
        query = request.query
        _check(pod, query)
        life = _life(pod, query)
        strike = self._world.faults.strike("log", self._world.cluster.now)
        if strike and strike.mode == "error":
            raise ApiError(strike.status, "the kubelet is away")
        body = self._written(pod, life, query)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        with suppress(ConnectionError):
            if strike:
                await self._suffer(request, response, strike, body)
            await response.write(body)
            if query.get("follow") == "true" and life.ended is None and "limitBytes" not in query:
                await self._follow(request, response, target, pod)
            await response.write_eof()
        return response

    def _written(self, pod: Obj, life: Life, query: Mapping[str, str]) -> bytes:
        """What was said before now, as the query narrows it."""
        lines = life.lines(pod, self._world.cluster.now, _since(query, self._world.cluster.now))
        if "tailLines" in query:
            lines = lines[len(lines) - min(int(query["tailLines"]), len(lines)) :]
        body = b"".join(_shown(at, text, query) for at, text in lines)
        return body[: int(query["limitBytes"])] if "limitBytes" in query else body

    async def _suffer(self, request: web.Request, response: web.StreamResponse, strike: Fault, body: bytes) -> None:
        """Answer late, or break off in the middle of a line."""
        if strike.mode == "delay":
            await self._world.sleep(strike.delay)
            return
        await response.write(body[: len(body) - 5])
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError

    async def _follow(self, request: web.Request, response: web.StreamResponse, target: Target, pod: Obj) -> None:
        """Write each line when its time comes, until the container ends, the client goes or all closes."""
        life = _life(pod, request.query)
        number = _due(life.began, self._world.cluster.now)
        uid, count = pod["metadata"]["uid"], restarts(pod)
        while request.transport is not None and not request.transport.is_closing():
            wait = self._world.clock.real_seconds(life.began + number * LINE_SECONDS - self._world.clock.timestamp())
            try:
                await asyncio.wait_for(self._closing.wait(), timeout=min(1.0, max(0.02, wait)))
                return
            except TimeoutError:
                pass
            now = self._world.advance()
            current = self._world.cluster.store.get(POD, target.namespace, name_of(pod))
            if current is None or current["metadata"]["uid"] != uid or restarts(current) != count:
                return
            state = _life(current, request.query)
            now = now if state.ended is None else state.ended
            while life.began + number * LINE_SECONDS <= now:
                at, text = _line(pod, life.began, number)
                await response.write(_shown(at, text, request.query))
                number += 1
            if state.ended is not None:
                if state.failed:
                    await response.write(_shown(state.ended, _last_words(state.ended), request.query))
                return


def _check(pod: Obj, query: Mapping[str, str]) -> None:
    """Refuse what the API's validation refuses."""
    invalid = f'PodLogOptions "{name_of(pod)}" is invalid'
    for name in _NUMBERS:
        value = query.get(name, "1")
        if not value.isascii() or not value.isdecimal() or (value == "0" and name != "tailLines"):
            raise ApiError(422, f"{invalid}: {name}: Invalid value: {value}")
    if "sinceTime" in query and "sinceSeconds" in query:
        raise ApiError(422, f"{invalid}: at most one of `sinceTime` or `sinceSeconds` may be specified")


def _since(query: Mapping[str, str], now: float) -> float:
    """The first run second that is asked for; the API keeps whole seconds only; raises ApiError 400."""
    if "sinceSeconds" in query:
        return now - int(query["sinceSeconds"])
    try:
        return math.floor(parse_time(query["sinceTime"])) if "sinceTime" in query else -math.inf
    except ValueError as error:
        raise ApiError(400, f"converting sinceTime: {error}") from error


def _life(pod: Obj, query: Mapping[str, str]) -> Life:
    """The run of the asked container; raises ApiError 400 when there was none."""
    names = [container["name"] for container in pod["spec"]["containers"]]
    name = query.get("container") or (names[0] if len(names) == 1 else "")
    if not name:
        text = f"a container name must be specified for pod {name_of(pod)}, choose one of: [{' '.join(names)}]"
        raise ApiError(400, text)
    if name not in names:
        raise ApiError(400, f"container {name} is not valid for pod {name_of(pod)}")
    status: Obj = dig(pod, "status", "containerStatuses", names.index(name), default={})
    state: Obj = dig(status, "state", default={})
    last = dig(status, "lastState", "terminated")
    if query.get("previous") == "true":
        if not last:
            raise ApiError(400, f'previous terminated container "{name}" in pod "{name_of(pod)}" not found')
        return _ended(last)
    if started := dig(state, "running", "startedAt"):
        return Life(parse_time(started))
    ended = dig(state, "terminated") or last
    if not ended:
        why = dig(state, "waiting", "reason", default="ContainerCreating")
        raise ApiError(400, f'container "{name}" in pod "{name_of(pod)}" is waiting to start: {why}')
    return _ended(ended)


def _ended(terminated: Obj) -> Life:
    began, ended = parse_time(terminated["startedAt"]), parse_time(terminated["finishedAt"])
    return Life(began, ended, terminated["exitCode"] != 0)


def _due(began: float, now: float) -> int:
    """The number of the first line that is not yet written."""
    return max(0, math.floor((now - began) / LINE_SECONDS) + 1)


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


def _last_words(at: float) -> str:
    text = "cannot read configuration: DATABASE_URL is not set"
    return json.dumps({"level": "fatal", "time": rfc3339(at), "msg": text})


def _shown(at: float, text: str, query: Mapping[str, str]) -> bytes:
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ")
    return f"{stamp if query.get('timestamps') == 'true' else ''}{text}\n".encode()
