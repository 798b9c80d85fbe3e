"""Smoke tests of one track over HTTP."""

from __future__ import annotations

import asyncio
import json

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.engine.ports import HttpAnswer
from cockpit.errors import OutsideError
from cockpit.runbook.actions import HttpCheck, HttpChecks


class HttpChecksHandler:
    """`http_checks`: proved by status and JSON fields; changes nothing."""

    async def plan(self, world: World, action: HttpChecks) -> Planned:
        """Name what is checked."""
        names = ", ".join(check.name for check in action.checks)
        return Planned(request=f"check {action.track} ({self._target(world, action)}): {names}")

    async def execute(self, world: World, action: HttpChecks, planned: Planned) -> Done:
        """Make all checks at the same time; raises ActionFailure that names every one that is not met."""
        answers = await asyncio.gather(*(self._check(world, action, check) for check in action.checks))
        wrong = [f"{check.name}: {problem}" for check, problem in zip(action.checks, answers, strict=True) if problem]
        if wrong:
            raise ActionFailure("; ".join(wrong), f"Look at the logs of {action.track}.")
        names = ", ".join(check.name for check in action.checks)
        return Done(f"{len(action.checks)} checks passed: {names}")

    async def recover(self, world: World, action: HttpChecks, planned: Planned) -> Found:
        """Checks can always be made again."""
        return Found.SAFE

    def _target(self, world: World, action: HttpChecks) -> str:
        track = world.book.cluster.tracks[action.track]
        return action.url or f"service/{track.service}:{track.port} through the API server"

    async def _check(self, world: World, action: HttpChecks, check: HttpCheck) -> str:
        """What is wrong after all tries, empty when nothing is."""
        problem = ""
        for attempt in range(check.retries + 1):
            if attempt:
                await world.pause()
            try:
                problem = judge(check, await self._get(world, action, check))
            except OutsideError as error:
                problem = str(error)
            if not problem:
                return ""
        return problem

    async def _get(self, world: World, action: HttpChecks, check: HttpCheck) -> HttpAnswer:
        timeout = check.timeout.total_seconds()
        if action.url:
            return await world.outside.http.get(action.url.rstrip("/") + check.path, timeout)
        track = world.book.cluster.tracks[action.track]
        return await world.outside.workloads.get_through_proxy(track.service, track.port, check.path, timeout)


def judge(check: HttpCheck, answer: HttpAnswer) -> str:
    """What is wrong with an answer, empty when nothing is."""
    if answer.status != check.status:
        return f"HTTP {answer.status}, expected {check.status}"
    if not check.fields:
        return ""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return "the answer is not JSON"
    for path, expected in check.fields.items():
        found = field(body, path)
        if found != expected:
            return f"{path} is {found if found is not None else 'missing'}, expected {expected}"
    return ""


def field(body: object, path: str) -> str | None:
    """The text of a dotted field, None when it is missing."""
    for key in path.split("."):
        if not isinstance(body, dict) or key not in body:
            return None
        body = body[key]
    return body if isinstance(body, str) else json.dumps(body)
