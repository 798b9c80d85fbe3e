"""Run a Kubernetes Job and follow it to its condition."""

from __future__ import annotations

import re

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.errors import DeadlineExceeded
from cockpit.runbook.actions import Job


def job_name(run: str, action_id: str) -> str:
    """The name of the one Job of an action in a run: a DNS label, at most 63 characters."""
    tail = re.sub(r"[^a-z0-9]+", "-", f"-{run[-18:]}".lower())
    head = re.sub(r"[^a-z0-9]+", "-", action_id.lower())
    return f"{head[: 63 - len(tail)]}{tail}".strip("-")


class JobHandler:
    """`job`: proved by the Job's condition. One name for each run and action, so that it exists at most once."""

    async def plan(self, world: World, action: Job) -> Planned:
        """Name the Job."""
        name = job_name(world.run, action.id)
        return Planned(
            request=f"create job/{name}: {' '.join(action.argv)}",
            after={"job": name},
            inverse=f"kubectl -n {world.book.cluster.namespace} delete job {name}",
        )

    async def execute(self, world: World, action: Job, planned: Planned) -> Done:
        """Create it unless it exists, then wait for Complete or Failed."""
        name = planned.after["job"]
        try:
            await world.outside.workloads.create_job(name, action.image, action.argv, action.service_account)
        except DeadlineExceeded:
            await world.say("no answer to the write; reading back")
        while True:
            state = await world.outside.workloads.job(name)
            if state.succeeded:
                return Done(f"job/{name} is complete", {"job": name})
            if state.succeeded is False:
                raise ActionFailure(f"job/{name} failed: {state.message}", f"Read the logs of job/{name}.")
            await world.pause()

    async def recover(self, world: World, action: Job, planned: Planned) -> Found:
        """The Job's name says whether it was created: following it is safe in both cases."""
        return Found.SAFE
