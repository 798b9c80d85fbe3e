"""A namespace with a blue and a green track, in whichever world the test runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.gateway import GatewayTraffic
from cockpit.adapters.kubernetes.jobs import KubeJobs
from cockpit.adapters.kubernetes.nginx import PREFIX, NginxTraffic
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.errors import Conflict, NotFound
from cockpit.model.cluster import JobOrder
from cockpit.simulator.server import Simulator

CANARY, MAIN = "web-canary", "web-main"
T = TypeVar("T")


@dataclass(frozen=True)
class Access:
    """How to reach a world as its administrator and as somebody who may write nothing."""

    admin: tuple[str, str]
    observer: tuple[str, str]


@dataclass(frozen=True)
class Stage:
    client: KubeClient
    namespace: str
    access: Access

    @property
    def workloads(self) -> KubeWorkloads:
        return KubeWorkloads(self.client, self.namespace, ("blue", "green"))

    async def create_job(self, name: str = "undo", image: str = "busybox:1.36") -> str:
        """A Job as an action makes it."""
        return await KubeJobs(self.client, self.namespace).create(JobOrder(name, "run-1", name, 60, image, ("true",)))

    @property
    def nginx(self) -> NginxTraffic:
        return NginxTraffic(self.client, self.namespace, CANARY)

    @property
    def gateway(self) -> GatewayTraffic:
        return GatewayTraffic(self.client, self.namespace, "web", "web-green", ("web", "web-blue"))

    def at(self, group: str, plural: str, name: str = "") -> Resource:
        return Resource(group, "v1", plural, self.namespace, name)

    @property
    def ingress(self) -> Resource:
        return self.at("networking.k8s.io", "ingresses", CANARY)

    @property
    def route(self) -> Resource:
        return self.at("gateway.networking.k8s.io", "httproutes", "web")

    async def add_route(self, route: dict[str, Any]) -> None:
        await self.client.create(self.route.named(""), route)

    async def add_ingress(self, name: str, service: str, annotations: dict[str, str]) -> None:
        made = _object("networking.k8s.io/v1", "Ingress", name) | {"spec": {"rules": [_rule("web.test", service)]}}
        made["metadata"]["annotations"] = {PREFIX + key: value for key, value in annotations.items()}
        await self.client.create(self.ingress.named(""), made)

    async def say_of_route(self, parents: list[dict[str, Any]]) -> None:
        """Write the route's status as gateway controllers would."""
        await self.write_as("gateway-controller", self.route.named("web", "status"), {"status": {"parents": parents}})

    async def write_as(self, manager: str, resource: Resource, patch: dict[str, Any]) -> None:
        """A merge patch by another field manager, as another tool would write it."""
        reply = await self.client.once(
            "PATCH",
            Request("patch", resource),
            {"fieldManager": manager},
            body=patch,
            content="application/merge-patch+json",
        )
        assert reply.status == 200, reply.body

    async def define_http_routes(self) -> None:
        """Define HTTPRoute as a resource without a schema; another test may have done so."""
        names = {"plural": "httproutes", "kind": "HTTPRoute", "singular": "httproute"}
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        version["subresources"] = {"status": {}}
        group = "gateway.networking.k8s.io"
        spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [version]}
        crd = _object("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"httproutes.{group}") | {"spec": spec}
        # The real API server asks who may use that group.
        crd["metadata"]["annotations"] = {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"
        }
        with suppress(Conflict):
            await self.client.create(Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions"), crd)

    async def http_routes_served(self) -> bool:
        """Whether a fresh client finds HTTPRoutes: the group appears a moment after its definition."""
        async with open_client(*self.access.admin) as client:
            if "v1" not in await client.versions("gateway.networking.k8s.io"):
                return False
            try:
                await client.all_of(self.at("gateway.networking.k8s.io", "httproutes"))
            except NotFound:
                return False
            return True

    async def delete(self, resource: Resource) -> None:
        reply = await self.client.once("DELETE", Request("delete", resource))
        assert reply.status in (200, 202), reply.body

    @asynccontextmanager
    async def as_observer(self) -> AsyncIterator[Stage]:
        async with open_client(*self.access.observer) as client:
            yield Stage(client, self.namespace, self.access)


async def until(look: Callable[[], Awaitable[T]], holds: Callable[[T], bool], seconds: float = 30.0) -> T:
    """Look until it holds; the last look is in the failure."""
    seen = await look()
    try:
        async with asyncio.timeout(seconds):
            while not holds(seen):
                await asyncio.sleep(0.05)
                seen = await look()
    except TimeoutError:
        raise AssertionError(f"still {seen}") from None
    return seen


def hasten(simulator: Simulator) -> None:
    """Let the pods of a world in real time start as fast as those of a control plane without kubelets."""
    simulator.world.scenario = replace(simulator.world.scenario, pod_start=(0.5, 1.0))


async def plant(stage: Stage, replicas: int) -> None:
    """Create the namespace and both tracks; does not wait for the pods."""
    await stage.client.create(Resource("", "v1", "namespaces"), _object("v1", "Namespace", stage.namespace))
    for track in ("blue", "green"):
        labels = {"app": "web", "version": track}
        name = f"web-{track}"
        await stage.client.create(stage.at("apps", "deployments"), _deployment(name, labels, replicas))
        await stage.client.create(stage.at("", "services"), _service(name, labels))
    await stage.client.create(stage.at("", "services"), _service("web", {"app": "web", "version": "blue"}))
    # In the same second: the greater name is the one that ingress-nginx takes for the older.
    await stage.add_ingress(MAIN, "web", {})
    await stage.add_ingress(CANARY, "web-green", {"canary": "true", "canary-weight": "0"})


def http_route(weights: tuple[int | None, int | None] = (None, None)) -> dict[str, Any]:
    """An HTTPRoute to green and the active Service, weights in that order."""
    refs: list[dict[str, Any]] = [{"name": "web", "port": 80}, {"name": "web-green", "port": 80}]
    for ref, weight in zip(refs, reversed(weights), strict=True):
        if weight is not None:
            ref["weight"] = weight
    rule = {"backendRefs": refs, "timeouts": {"request": "10s"}}
    spec = {"hostnames": ["web.test"], "parentRefs": [{"name": "edge"}], "rules": [rule]}
    return _object("gateway.networking.k8s.io/v1", "HTTPRoute", "web") | {"spec": spec}


def parent(generation: int, name: str = "edge", **conditions: tuple[str, str]) -> dict[str, Any]:
    """What one gateway says of a route: status and message by condition, True when it is not named."""
    said = {"Accepted": ("True", ""), "ResolvedRefs": ("True", ""), **conditions}
    return {
        "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name},
        "controllerName": "test.example/gateway-controller",
        "conditions": [
            {
                "type": kind,
                "status": status,
                "reason": kind if status == "True" else "Refused",
                "message": message,
                "observedGeneration": generation,
                "lastTransitionTime": "2026-11-26T08:00:00Z",
            }
            for kind, (status, message) in said.items()
        ],
    }


def access(kubeconfig: Path, admin: str, observer_config: Path, observer: str) -> Access:
    return Access((str(kubeconfig), admin), (str(observer_config), observer))


def _object(version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def _deployment(name: str, labels: dict[str, str], replicas: int) -> dict[str, Any]:
    containers = [{"name": "web", "image": "web:1.0.0", "ports": [{"containerPort": 8080}]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return _object("apps/v1", "Deployment", name) | {"spec": spec}


def _service(name: str, selector: dict[str, str]) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    return _object("v1", "Service", name) | {"spec": {"selector": selector, "ports": ports}}


def _rule(host: str, service: str) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    return {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
