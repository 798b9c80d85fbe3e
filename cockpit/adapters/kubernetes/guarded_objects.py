"""Which objects a run guards: both Deployments, the active Service, the candidate's route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from cockpit.adapters.kubernetes import objects
from cockpit.adapters.kubernetes.guardian import Guarded
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping
from cockpit.errors import NotFound
from cockpit.model.guarded import IMAGE, SELECTOR, selector_fact
from cockpit.runbook.cluster import Cluster, Track

Paths = dict[str, tuple[str, ...]]


class Route(Protocol):
    """What a traffic backend tells of its route."""

    backend: str

    async def resource(self) -> Resource:
        """Where the route is."""

    def facts(self, obj: Json) -> dict[str, str]:
        """What is guarded of it."""

    def fields(self, obj: Json) -> Paths:
        """The managed fields behind the facts."""


def guarded_objects(cluster: Cluster, route: Route) -> tuple[Guarded, ...]:
    """The objects in the order in which people think of them; the stable Deployment is only watched."""
    name = cluster.traffic.http_route if route.backend == "gateway" else cluster.traffic.canary_ingress
    kind = "httproute" if route.backend == "gateway" else "ingress"
    service = Resource("", "v1", "services", cluster.namespace, cluster.active_service.name)
    return (
        Guarded(f"service/{service.name}", _at(service), _selector, lambda _: {SELECTOR: ("f:spec", "f:selector")}),
        Guarded(f"{kind}/{name}", route.resource, route.facts, route.fields),
        _deployment(cluster, cluster.tracks[cluster.candidate], stamped=True),
        _deployment(cluster, cluster.tracks[cluster.stable], stamped=False),
    )


def _deployment(cluster: Cluster, track: Track, *, stamped: bool) -> Guarded:
    resource = Resource("apps", "v1", "deployments", cluster.namespace, track.deployment)

    def facts(obj: Json) -> dict[str, str]:
        try:
            return {IMAGE: objects.deployment_state(obj, track.container).image}
        except NotFound:
            return {IMAGE: ""}

    def fields(obj: Json) -> Paths:
        try:
            container = objects.deployment_state(obj, track.container).container
        except NotFound:
            return {}
        name = f'k:{{"name":"{container}"}}'
        return {IMAGE: ("f:spec", "f:template", "f:spec", "f:containers", name, "f:image")}

    return Guarded(f"deployment/{track.deployment}", _at(resource), facts, fields, stamped)


def _selector(obj: Json) -> dict[str, str]:
    return {SELECTOR: selector_fact(objects.strings(mapping(obj, "spec", "selector")))}


def _at(resource: Resource) -> Callable[[], Awaitable[Resource]]:
    async def where() -> Resource:
        return resource

    return where
