"""Run a Kubernetes Job and follow it to its condition."""

from __future__ import annotations

import asyncio
import re

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.errors import DeadlineExceeded, NotFound, OutsideError, Unreachable
from cockpit.model.cluster import JobOrder, JobState
from cockpit.model.outside import Printed
from cockpit.model.text import clean
from cockpit.runbook.actions import Job

LOG_LINES = 50


def job_name(run: str, action_id: str) -> str:
    """The name of the one Job of an action in a run: a DNS label, at most 63 characters."""
    tail = re.sub(r"[^a-z0-9]+", "-", f"-{run[-18:]}".lower())
    head = re.sub(r"[^a-z0-9]+", "-", action_id.lower())
    return f"{head[: 63 - len(tail)]}{tail}".strip("-")


class JobHandler:
    """`job`: proved by the Job's condition. One name for each run and action, so that it exists at most once."""

    async def plan(self, world: World, action: Job) -> Planned:
        """Name the Job, and let the API server say whether it would take it."""
        order = _order(world, action)
        runs = await world.outside.workloads.jobs.create(order, dry_run=True)
        return Planned(
            request=f"create job/{order.name}: {runs}",
            after={"job": order.name},
            inverse=f"kubectl -n {world.book.cluster.namespace} delete job {order.name}",
        )

    async def execute(self, world: World, action: Job, planned: Planned) -> Done:
        """Create it unless it exists, wait for Complete or Failed, and keep the end of its log."""
        order = _order(world, action)
        until = asyncio.get_running_loop().time() + world.deadline
        try:
            await world.outside.workloads.jobs.create(order)
        except DeadlineExceeded:
            await world.say("no answer to the write; reading back")
        state = await self._follow(world, order.name, until)
        last = await self._keep_log(world, order.name)
        log = f" · log: {last}" if last else ""
        if state.succeeded:
            return Done(f"job/{order.name} is complete: {state.words}{log}"[:400], {"job": order.name})
        hint = f"It is not run twice: delete job/{order.name}, then try again."
        raise ActionFailure(f"job/{order.name} failed: {state.message or state.words}{log}"[:400], hint)

    async def _follow(self, world: World, name: str, until: float) -> JobState:
        """The Job when it has ended; raises DeadlineExceeded with how far it is."""
        jobs, shown, state = world.outside.workloads.jobs, "", JobState(name, None)
        while True:
            try:
                state = await jobs.state(name)
                words = state.words if state.succeeded is not None else await self._progress(world, state)
            except NotFound:
                raise ActionFailure(f"job/{name} was deleted while it ran", "Find out who did that.") from None
            except (Unreachable, DeadlineExceeded) as error:
                words = f"{error}; the Job goes on in the cluster"
            if state.succeeded is not None:
                return state
            if words != shown:
                shown = words
                await world.say(words)
            if asyncio.get_running_loop().time() >= until:
                raise DeadlineExceeded(f"job/{name} has not ended: {words}", "It goes on in the cluster: look at it.")
            await world.pause()

    async def _progress(self, world: World, state: JobState) -> str:
        """How far the Job is, and what keeps it from going on."""
        try:
            trouble = await world.outside.workloads.jobs.trouble(state.name)
        except OutsideError:
            trouble = ""
        return f"{state.words}{f': {trouble}' if trouble else ''}"

    async def _keep_log(self, world: World, name: str) -> str:
        """Put the end of the log into the journal; returns its last line. A log that cannot be read fails nothing."""
        try:
            logs = await world.outside.workloads.jobs.logs(name, LOG_LINES)
        except OutsideError as error:
            await world.say(f"its log cannot be read: {error}{f' {error.hint}' if error.hint else ''}")
            return ""
        mask, last = world.mask(), ""
        for log in logs:
            lines = tuple(clean(mask(line), 500) for line in log.lines)
            if lines:
                await world.emit(Printed("log", (f"— {log.pod}, its last lines —", *lines)))
                last = next((line for line in reversed(lines) if line.strip()), last)
            if log.problem:
                await world.say(f"the log of {log.pod} cannot be read: {log.problem}")
        return last

    async def recover(self, world: World, action: Job, planned: Planned) -> Found:
        """The Job's name says whether it was created: following it is safe in both cases."""
        return Found.SAFE


def _order(world: World, action: Job) -> JobOrder:
    return JobOrder(
        name=job_name(world.run, action.id),
        run=world.run,
        action=action.id,
        deadline_s=max(1, int(action.deadline.total_seconds())),
        image=action.image or "",
        argv=action.argv,
        service_account=action.service_account,
        template=action.template,
        cronjob=action.from_cronjob,
    )
