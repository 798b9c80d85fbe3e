"""Compare the cluster's objects with what the runbook expects."""

from __future__ import annotations

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.engine.actions.switch import active_track
from cockpit.runbook.actions import Workloads


class WorkloadsHandler:
    """`workloads`: listed and compared; changes nothing."""

    async def plan(self, world: World, action: Workloads) -> Planned:
        """Name what is compared."""
        parts = [name for name, on in (("pods", action.pods), ("services", action.services)) if on]
        return Planned(request=f"compare {', '.join([*parts, *(['routes'] if action.routes else [])])}")

    async def execute(self, world: World, action: Workloads, planned: Planned) -> Done:
        """Read everything; raises ActionFailure that names every difference."""
        differences: list[str] = []
        seen: list[str] = []
        if action.pods:
            await self._pods(world, action, differences, seen)
        if action.services:
            await self._services(world, action, differences, seen)
        if action.routes:
            await self._routes(world, differences, seen)
        if differences:
            raise ActionFailure("; ".join(differences), "Compare with `kubectl get pods,services,ingress`.")
        return Done(", ".join(seen))

    async def _pods(self, world: World, action: Workloads, differences: list[str], seen: list[str]) -> None:
        """Every track's pods, or only those of the active one when the check names it."""
        for name, track in world.book.cluster.tracks.items():
            if action.active is not None and name != action.active:
                continue
            state = await world.outside.workloads.deployment(track.deployment, track.container)
            seen.append(f"{name} {state.ready}/{track.replicas} ready")
            if state.ready < track.replicas:
                differences.append(f"deployment/{track.deployment}: {state.ready} of {track.replicas} ready")

    async def _services(self, world: World, action: Workloads, differences: list[str], seen: list[str]) -> None:
        cluster = world.book.cluster
        services = {service.name: service for service in await world.outside.workloads.services()}
        expected = {cluster.active_service.name, *(track.service for track in cluster.tracks.values())}
        wanted = expected | set(cluster.expected_services)
        differences.extend(f"service/{name} is missing" for name in sorted(wanted - set(services)))
        seen.append(f"{len(services)} services")
        active = services.get(cluster.active_service.name)
        if action.active and active is not None:
            found = active_track(world.book, active.selector)
            seen.append(f"active {found}")
            if found != action.active:
                differences.append(f"service/{active.name} points at {found or 'nothing'}, expected {action.active}")

    async def _routes(self, world: World, differences: list[str], seen: list[str]) -> None:
        routes = {route.name for route in await world.outside.workloads.routes()}
        wanted = set(world.book.cluster.expected_routes)
        differences.extend(f"route {name} is missing" for name in sorted(wanted - routes))
        seen.append(f"{len(routes)} routes")

    async def recover(self, world: World, action: Workloads, planned: Planned) -> Found:
        """A comparison can always be made again."""
        return Found.SAFE
