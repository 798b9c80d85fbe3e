"""Compare the cluster's objects with what the runbook expects and what this run has done."""

from __future__ import annotations

import asyncio

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.engine.actions.compare import (
    Expected,
    Findings,
    compare_canary,
    compare_deployments,
    compare_pods,
    compare_routes,
    compare_services,
)
from cockpit.errors import NotFound
from cockpit.model.cluster import CanaryState, DeploymentState
from cockpit.runbook.actions import Workloads
from cockpit.runbook.cluster import Track


class WorkloadsHandler:
    """`workloads`: listed and compared; changes nothing."""

    async def plan(self, world: World, action: Workloads) -> Planned:
        """Name what is compared."""
        parts = (
            ("pods and deployments", action.pods),
            ("services", action.services),
            ("routes and canary", action.routes),
        )
        return Planned(request=f"compare {', '.join(name for name, on in parts if on)}")

    async def execute(self, world: World, action: Workloads, planned: Planned) -> Done:
        """Read everything; raises ActionFailure that names every difference."""
        expected, found = Expected(world.book, world.state, action, world.rollback), Findings()
        workloads, cluster = world.outside.workloads, world.book.cluster
        pods, services = await asyncio.gather(
            workloads.pods(cluster.app_label, cluster.active_service.selector_key),
            workloads.services(endpoints=action.services),
        )
        if action.pods:
            compare_pods(expected, pods, found)
            compare_deployments(expected, await self._deployments(world, expected.tracks), found)
        if action.services:
            compare_services(expected, services, pods, found)
        if action.routes:
            routes, canary = await asyncio.gather(workloads.routes(), self._canary(world))
            compare_routes(expected, routes, services, found)
            compare_canary(expected, canary, found)
        if found.differences:
            hint = f"`kubectl -n {cluster.namespace} get deployments,pods,services,endpointslices,ingress -o wide`"
            raise ActionFailure("; ".join(found.differences), hint)
        return Done(", ".join(found.summary))

    async def _deployments(self, world: World, tracks: dict[str, Track]) -> dict[str, DeploymentState | None]:
        found = await asyncio.gather(*(self._deployment(world, track) for track in tracks.values()))
        return dict(zip(tracks, found, strict=True))

    async def _deployment(self, world: World, track: Track) -> DeploymentState | None:
        try:
            return await world.outside.workloads.deployment(track.deployment, track.container)
        except NotFound:
            return None

    async def _canary(self, world: World) -> CanaryState | None:
        try:
            return await world.outside.traffic.read()
        except NotFound:
            return None

    async def recover(self, world: World, action: Workloads, planned: Planned) -> Found:
        """A comparison can always be made again."""
        return Found.SAFE
