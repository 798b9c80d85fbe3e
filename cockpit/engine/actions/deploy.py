"""Set an image and follow the rollout to its end."""

from __future__ import annotations

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.errors import Conflict, DeadlineExceeded
from cockpit.model.cluster import DeploymentState
from cockpit.runbook.actions import Deploy

_DOOMED = {
    "CrashLoopBackOff": "The container starts and ends again: read its logs.",
    "ImagePullBackOff": "The node cannot pull the image: check its name and the pull secret.",
    "ErrImagePull": "The node cannot pull the image: check its name and the pull secret.",
    "InvalidImageName": "The image reference cannot be read: check the runbook.",
    "CreateContainerConfigError": "The container's configuration is incomplete: describe the pod.",
}


def _progress(seen: DeploymentState) -> str:
    if seen.observed_generation < seen.generation:
        return "the new image is written; waiting for the Deployment controller"
    return f"{seen.updated} of {seen.wanted} updated, {seen.available} available"


class DeployHandler:
    """`deploy`: proved by observedGeneration and updated = available = replicas."""

    async def plan(self, world: World, action: Deploy) -> Planned:
        """Look the image up in its registry and read the Deployment."""
        track = world.book.cluster.tracks[action.track]
        digest = await world.outside.registry.digest(action.image) if action.verify_image else ""
        seen = await world.outside.workloads.deployment(track.deployment, track.container)
        return Planned(
            request=f"set image of deployment/{seen.name} to {action.image}{f' ({digest[:19]})' if digest else ''}",
            before={"image": seen.image},
            after={"image": action.image},
            inverse=f"kubectl -n {world.book.cluster.namespace} set image deployment/{seen.name} "
            f"{seen.container}={seen.image}",
        )

    async def execute(self, world: World, action: Deploy, planned: Planned) -> Done:
        """Write the image if it is not there yet, then wait until every pod runs it."""
        track = world.book.cluster.tracks[action.track]
        seen = await world.outside.workloads.deployment(track.deployment, track.container)
        if seen.image != action.image:
            await self._write(world, action, planned, seen)
        shown = ""
        while True:
            seen = await world.outside.workloads.deployment(track.deployment, track.container)
            if seen.image != action.image:
                raise Conflict(
                    f"deployment/{seen.name} was set to {seen.image} by somebody else", "Find out who, then try again."
                )
            if seen.rolled_out and seen.available >= track.replicas:
                return Done(f"{seen.ready}/{seen.wanted} ready with {action.image}", {"image": seen.image})
            self._fail_if_doomed(world, action, seen)
            if (progress := _progress(seen)) != shown:
                shown = progress
                await world.say(progress)
            await world.pause()

    async def _write(self, world: World, action: Deploy, planned: Planned, seen: DeploymentState) -> None:
        if seen.image != planned.before["image"]:
            raise Conflict(
                f"deployment/{seen.name} has image {seen.image}, expected {planned.before['image']}",
                "Somebody else changed it: find out who, then try again.",
            )
        try:
            await world.outside.workloads.set_image(seen, action.image)
        except DeadlineExceeded:
            await world.say("no answer to the write; reading back")

    def _fail_if_doomed(self, world: World, action: Deploy, seen: DeploymentState) -> None:
        for pod in world.pods():
            if pod.track == action.track and pod.status in _DOOMED and (pod.restarts >= 2 or "Image" in pod.status):
                raise ActionFailure(
                    f"pod {pod.name} is in {pod.status} after {pod.restarts} restarts", _DOOMED[pod.status]
                )
        if seen.problem:
            raise ActionFailure(f"deployment/{seen.name}: {seen.problem}", "Describe the deployment and its pods.")

    async def recover(self, world: World, action: Deploy, planned: Planned) -> Found:
        """Safe when the image is the old or the new one."""
        track = world.book.cluster.tracks[action.track]
        seen = await world.outside.workloads.deployment(track.deployment, track.container)
        known = (planned.before.get("image"), planned.after.get("image"))
        return Found.SAFE if seen.image in known else Found.UNKNOWN
