"""Smoke tests of one track over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.engine.ports import Forwarded, HttpAnswer
from cockpit.errors import OutsideError, Unreachable
from cockpit.model.text import clean
from cockpit.runbook.actions import HttpCheck, HttpChecks

Get = Callable[[HttpCheck], Awaitable[HttpAnswer]]
QUOTED = 120
"""Characters of an answer that a failure quotes."""


class HttpChecksHandler:
    """`http_checks`: proved by status and JSON fields; changes nothing."""

    async def plan(self, world: World, action: HttpChecks) -> Planned:
        """Name what is checked."""
        names = ", ".join(check.name for check in action.checks)
        return Planned(request=f"check {action.track} ({_target(world, action)}): {names}")

    async def execute(self, world: World, action: HttpChecks, planned: Planned) -> Done:
        """Make all checks at the same time; raises ActionFailure that names every one that is not met."""
        async with _reached(world, action) as get:
            answers = await asyncio.gather(*(_check(world, check, get) for check in action.checks))
        wrong = [f"{check.name}: {problem}" for check, problem in zip(action.checks, answers, strict=True) if problem]
        if wrong:
            raise ActionFailure("; ".join(wrong), f"Look at the logs of {action.track}.")
        names = ", ".join(check.name for check in action.checks)
        return Done(f"{len(action.checks)} checks passed: {names}")

    async def recover(self, world: World, action: HttpChecks, planned: Planned) -> Found:
        """Checks can always be made again."""
        return Found.SAFE


def judge(check: HttpCheck, answer: HttpAnswer) -> str:
    """What was expected and what came instead; empty when the answer is as it should be."""
    if answer.status != check.status:
        return f"expected HTTP {check.status}, got {_came(answer)}"
    if not check.fields:
        return ""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return f"expected JSON, got {_came(answer)}"
    wrong = []
    for path, expected in check.fields.items():
        found = field(body, path)
        if found is None:
            wrong.append(f"expected {path} to be {expected}, got no such field in {_quoted(answer.body)}")
        elif found != expected:
            wrong.append(f"expected {path} to be {expected}, got {_quoted(found)}")
    return ", ".join(wrong)


def field(body: object, path: str) -> str | None:
    """The text of a dotted field, None when it is missing; a number selects from a list."""
    for key in path.split("."):
        if isinstance(body, list) and key.isascii() and key.isdecimal() and int(key) < len(body):
            body = body[int(key)]
        elif isinstance(body, dict) and key in body:
            body = body[key]
        else:
            return None
    return body if isinstance(body, str) else json.dumps(body)


def _target(world: World, action: HttpChecks) -> str:
    """How the track is reached, in words."""
    track = world.book.cluster.tracks[action.track]
    service = f"service/{track.service}:{track.port}"
    if action.way == "url":
        return action.url or ""
    if action.way == "proxy":
        return f"{service} through the API server"
    return f"port-forward to {f'deployment/{track.deployment}:{action.port}' if action.port else service}"


@asynccontextmanager
async def _reached(world: World, action: HttpChecks) -> AsyncIterator[Get]:
    """A way to make requests of the track alone; what it needs is open only meanwhile."""
    http, workloads = world.outside.http, world.outside.workloads
    track = world.book.cluster.tracks[action.track]
    if action.way == "port_forward":
        target, port = f"service/{track.service}", track.port
        if action.port:
            target, port = f"deployment/{track.deployment}", action.port
        async with workloads.forwarded(target, port) as forward:
            await world.say(f"port-forward to the pod {forward.pod}")
            yield lambda check: _get_forwarded(world, forward, check)
    elif action.way == "url":
        base = (action.url or "").rstrip("/")
        yield lambda check: http.get(base + check.path, check.timeout.total_seconds())
    else:
        yield lambda check: workloads.get_through_proxy(
            track.service, track.port, check.path, check.timeout.total_seconds()
        )


async def _get_forwarded(world: World, forward: Forwarded, check: HttpCheck) -> HttpAnswer:
    try:
        return await world.outside.http.get(forward.url + check.path, check.timeout.total_seconds())
    except OutsideError as error:
        # All that the request itself sees is that the local connection was cut.
        if not forward.problem:
            raise
        raise Unreachable(forward.problem) from error


async def _check(world: World, check: HttpCheck, get: Get) -> str:
    """What is wrong after all tries, empty when nothing is."""
    problem = ""
    for attempt in range(check.retries + 1):
        if attempt:
            await world.pause()
        try:
            problem = judge(check, await get(check))
        except OutsideError as error:
            problem = f"expected HTTP {check.status}, got no answer: {error}"
        if not problem:
            return ""
    return f"{problem} ({check.retries + 1} tries)" if check.retries else problem


def _came(answer: HttpAnswer) -> str:
    said = _quoted(answer.body)
    return f"HTTP {answer.status}: {said}" if said else f"HTTP {answer.status} without a body"


def _quoted(text: str) -> str:
    return clean(" ".join(text.split()), QUOTED)
