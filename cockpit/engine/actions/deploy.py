"""Set an image and follow the rollout to its end, or to the reason why it has none."""

from __future__ import annotations

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.engine.actions.progress import Patience, Progress
from cockpit.errors import Conflict, DeadlineExceeded, OutsideError, Unreachable
from cockpit.model.cluster import DeploymentState, RolloutProblem
from cockpit.runbook.actions import Deploy
from cockpit.runbook.cluster import Track

TRIES = 3
_TOLD = 3
_FIND_OUT = "Find out who, then try again."


class DeployHandler:
    """`deploy`: proved by observedGeneration and updated = available = ready = replicas."""

    async def plan(self, world: World, action: Deploy) -> Planned:
        """Look the image up in its registry and read the Deployment, which must be able to roll out."""
        track = world.book.cluster.tracks[action.track]
        digest = await world.outside.registry.digest(action.image) if action.verify_image else ""
        seen = await world.outside.workloads.deployment(track.deployment, track.container)
        self._require_able(world, action, track, seen)
        return Planned(
            request=f"set image of deployment/{seen.name} to {action.image}{f' ({digest[:19]})' if digest else ''}",
            before={"image": seen.image},
            after={"image": action.image},
            inverse=f"kubectl -n {world.book.cluster.namespace} set image deployment/{seen.name} "
            f"{seen.container}={seen.image}",
        )

    def _require_able(self, world: World, action: Deploy, track: Track, seen: DeploymentState) -> None:
        kubectl = f"kubectl -n {world.book.cluster.namespace}"
        if seen.paused and not (seen.image == action.image and _is_out(seen, track)):
            raise ActionFailure(
                f"deployment/{seen.name} is paused (spec.paused): nothing would roll out, nothing was changed",
                f"Ask who paused it, then `{kubectl} rollout resume deployment/{seen.name}`.",
            )
        if seen.wanted < track.replicas:
            raise ActionFailure(
                f"deployment/{seen.name} asks for {seen.wanted} pods and the runbook for {track.replicas}; "
                "nothing was changed",
                f"`{kubectl} scale deployment/{seen.name} --replicas={track.replicas}`, or correct the runbook.",
            )

    async def execute(self, world: World, action: Deploy, planned: Planned) -> Done:
        """Write the image if it is not there yet, then wait until every pod runs it."""
        await self._write(world, action, planned)
        progress, patience = Progress(world, action), Patience(world.clock)
        track = world.book.cluster.tracks[action.track]
        while True:
            try:
                seen = await world.outside.workloads.deployment(track.deployment, track.container)
            except (Unreachable, DeadlineExceeded) as error:
                # The rollout goes on without us.
                await progress.wait(f"the rollout cannot be seen: {error}", error.hint)
                continue
            if seen.image != action.image:
                raise Conflict(f"deployment/{seen.name} was set to {seen.image} by somebody else", _FIND_OUT)
            if _is_out(seen, track):
                return Done(f"{seen.ready}/{seen.wanted} ready with {action.image}", {"image": seen.image})
            problems = await self._problems(world, seen)
            if patience.lost_with(problems):
                raise ActionFailure(f"deployment/{seen.name}: {_text(problems)}", _hint(problems))
            await progress.wait(_progress(seen, problems), _hint(problems) or f"Describe deployment/{seen.name}.")

    async def _write(self, world: World, action: Deploy, planned: Planned) -> None:
        track, before = world.book.cluster.tracks[action.track], planned.before["image"]
        for _ in range(TRIES):
            seen = await world.outside.workloads.deployment(track.deployment, track.container)
            if seen.image == action.image:
                return
            if seen.image != before:
                raise Conflict(f"deployment/{seen.name} has image {seen.image}, expected {before}", _FIND_OUT)
            try:
                return await world.outside.workloads.set_image(seen, action.image)
            except DeadlineExceeded:
                await world.say("no answer to the write; reading back")
        raise DeadlineExceeded(
            f"The image of deployment/{track.deployment} could not be written",
            "Look at the Deployment, then try again.",
        )

    async def _problems(self, world: World, seen: DeploymentState) -> tuple[RolloutProblem, ...]:
        if seen.observed_generation < seen.generation:
            return ()
        try:
            return await world.outside.workloads.rollout_problems(seen.name)
        except OutsideError:
            # Why it takes its time is worth knowing, but the rollout does not hang on it.
            return ()

    async def recover(self, world: World, action: Deploy, planned: Planned) -> Found:
        """Safe when the image is the old or the new one."""
        track = world.book.cluster.tracks[action.track]
        seen = await world.outside.workloads.deployment(track.deployment, track.container)
        known = (planned.before.get("image"), planned.after.get("image"))
        return Found.SAFE if seen.image in known else Found.UNKNOWN


def _is_out(seen: DeploymentState, track: Track) -> bool:
    return seen.rolled_out and min(seen.available, seen.ready) >= track.replicas


def _progress(seen: DeploymentState, problems: tuple[RolloutProblem, ...]) -> str:
    if seen.observed_generation < seen.generation:
        return "the new image is written; waiting for the Deployment controller"
    if seen.rolled_out and not problems:
        return f"rolled out, but with {min(seen.available, seen.ready)} pods only"
    counts = f"{seen.updated} of {seen.wanted} updated, {seen.available} available"
    old = seen.replicas - seen.updated
    left = f", {old} old pods left" if seen.updated == seen.wanted and old > 0 else ""
    return f"{counts}{left}" + (f"; {_text(problems)}" if problems else "")


def _text(problems: tuple[RolloutProblem, ...]) -> str:
    return "; ".join(each.text for each in problems[:_TOLD])


def _hint(problems: tuple[RolloutProblem, ...]) -> str:
    """That of the first problem of a pod, which says more than a condition of the whole."""
    return next((each.hint for each in problems if each.pods), problems[0].hint if problems else "")
