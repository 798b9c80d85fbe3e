"""A command in a pod; a Redis flush is known as such."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from cockpit.engine.actions import redis
from cockpit.engine.actions.base import ActionFailure, Done, Found, Looked, Planned, World
from cockpit.errors import DeadlineExceeded, OutsideError
from cockpit.model.cluster import ExecResult
from cockpit.runbook.actions import Exec
from cockpit.runbook.redis import Flush, flush_of

READ_S = 8.0
"""Seconds for one command that only reads."""


class ExecHandler:
    """`exec`: proved by the exit code, by what is printed, and by what is read back."""

    async def look(self, world: World, action: Exec) -> Looked:
        """What the command would destroy, and what the runbook's own looks print; raises Refusal for a replica."""
        flush, facts, parts = flush_of(action.argv), {}, []
        if flush is not None:
            server = await self._redis(world, action, flush, action.workload)
            redis.refuse(server, flush)
            facts = redis.facts(server, flush)
            parts.append(redis.words(server, flush))
        for argv in action.look:
            said = _said(await self._run(world, action, argv, facts.get("pod")))
            parts.append(f"{' '.join(argv)}: {said}")
            facts[" ".join(argv)[:100]] = said
        return Looked(" · ".join(parts)[:1500], facts)

    async def plan(self, world: World, action: Exec) -> Planned:
        """Name the command, and look at what it is about to destroy."""
        looked = await self.look(world, action) if action.looks else Looked("")
        seen = f" ({looked.message})" if looked.message else ""
        return Planned(request=f"run {' '.join(action.argv)} in {action.workload}{seen}"[:500], before=looked.facts)

    async def execute(self, world: World, action: Exec, planned: Planned) -> Done:
        """Run it in the pod that was looked at; a lost answer is settled by reading back where that is possible."""
        until = asyncio.get_running_loop().time() + world.deadline
        where = f"pod/{planned.before['pod']}" if planned.before.get("pod") else action.workload
        try:
            result = await world.outside.workloads.run_in_pod(where, action.argv, world.deadline, action.container)
        except DeadlineExceeded as error:
            proof = await self._read_back(world, action, planned)
            if isinstance(proof, Done):
                return proof
            raise DeadlineExceeded(f"{error}; {proof or 'it cannot be read back'}", error.hint) from error
        _judge(action, result)
        proof = await self._prove(world, action, planned, until)
        facts = {"pod": result.pod, "exit_code": "0"}
        return Done(f"exit code 0 in {result.pod}: {_said(result)}{f' · {proof}' if proof else ''}"[:400], facts)

    async def recover(self, world: World, action: Exec, planned: Planned) -> Found | Done:
        """What the target says: that it happened, that it did not, or nothing."""
        proof = await self._read_back(world, action, planned)
        if isinstance(proof, Done):
            return proof
        return Found.SAFE if proof.startswith(_NOT_COUNTED) else Found.UNKNOWN

    async def _prove(self, world: World, action: Exec, planned: Planned, until: float) -> str:
        """What is read after a command that ended well; raises ActionFailure when `verify` does not come to hold."""
        if action.verify is None:
            flush = flush_of(action.argv)
            proof = await self._read_back(world, action, planned) if flush and planned.before else ""
            return proof.message if isinstance(proof, Done) else proof
        while True:
            holds, said = await self._verify(world, action, planned)
            if holds:
                return f"{' '.join(action.verify.argv)}: {said}"
            if asyncio.get_running_loop().time() >= until:
                hint = f"Expected {action.verify.expect}."
                raise ActionFailure(f"exit code 0, but {' '.join(action.verify.argv)} prints: {said}", hint)
            await world.pause()

    async def _read_back(self, world: World, action: Exec, planned: Planned) -> Done | str:
        """A Done when the target proves the effect, else what it says; empty when it cannot be asked."""
        flush = flush_of(action.argv)
        try:
            if action.verify is not None:
                holds, said = await self._verify(world, action, planned)
                words = f"{' '.join(action.verify.argv)}: {said}"
                return Done(f"read back: {words}", {"proof": words}) if holds else f"read back: {words}"
            if flush is None or not planned.before.get("pod"):
                return ""
            server = await self._redis(world, action, flush, f"pod/{planned.before['pod']}")
        except (OutsideError, ActionFailure) as error:
            return f"reading it back failed: {error}"
        happened, why = redis.settle(server, flush, planned.before)
        if happened:
            return Done(why, {"pod": server.pod, "proof": why})
        return f"{_NOT_COUNTED}{why}" if happened is False else why

    async def _verify(self, world: World, action: Exec, planned: Planned) -> tuple[bool, str]:
        assert action.verify is not None
        result = await self._run(world, action, action.verify.argv, planned.before.get("pod"))
        return _fits(action.verify.expect, result.stdout), _said(result)

    async def _redis(self, world: World, action: Exec, flush: Flush, where: str) -> redis.Redis:
        argv = (*flush.client, *redis.INFO)
        return redis.read(await world.outside.workloads.run_in_pod(where, argv, READ_S, action.container), flush)

    async def _run(self, world: World, action: Exec, argv: Sequence[str], pod: str | None) -> ExecResult:
        where = f"pod/{pod}" if pod else action.workload
        result = await world.outside.workloads.run_in_pod(where, argv, READ_S, action.container)
        if result.exit_code != 0:
            raise ActionFailure(f"{' '.join(argv)} ended with exit code {result.exit_code}: {_said(result)}")
        return result


_NOT_COUNTED = "not carried out: "


def _judge(action: Exec, result: ExecResult) -> None:
    """Raises ActionFailure unless the command did what it should, by its exit code and by what it printed."""
    flush = flush_of(action.argv)
    if flush is not None and (error := redis.reply_error(result)) is not None:
        raise error
    if result.exit_code != 0:
        raise ActionFailure(f"exit code {result.exit_code} in {result.pod}: {_said(result, prefer_errors=True)}")
    expected = action.expect if action.expect is not None else "OK" if flush is not None else None
    if expected is not None and not _fits(expected, result.stdout):
        raise ActionFailure(f"exit code 0 in {result.pod}, but it printed: {_said(result)}", f"Expected {expected}.")


def _fits(pattern: str, printed: str) -> bool:
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def _said(result: ExecResult, prefer_errors: bool = False) -> str:
    """The first lines of what was printed, as one."""
    streams = (result.stderr, result.stdout) if prefer_errors else (result.stdout, result.stderr)
    text = next((stream for stream in streams if stream.strip()), "nothing")
    return "; ".join(line.strip() for line in text.split("\n") if line.strip())[:300]
