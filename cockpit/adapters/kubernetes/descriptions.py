"""Reads one object with all that its description needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.describe.network import describe_http_route, describe_ingress, describe_service
from cockpit.adapters.kubernetes.describe.pods import describe_pod
from cockpit.adapters.kubernetes.describe.workloads import describe_deployment, describe_job
from cockpit.adapters.kubernetes.objects import selector_text
from cockpit.adapters.kubernetes.resource import Json, Resource, text
from cockpit.errors import NotFound, OutsideError
from cockpit.model.lens import Described, DescribedKind

GATEWAY = "gateway.networking.k8s.io"
_DISCOVERY = "discovery.k8s.io"


class Descriptions:
    """Descriptions of one namespace's objects. Events that may not be read say so instead."""

    def __init__(self, client: KubeClient, namespace: str, now: Callable[[], datetime]) -> None:
        """`now` is the time that ages are told by."""
        self._client = client
        self._namespace = namespace
        self._now = now

    async def of(self, kind: DescribedKind, name: str) -> Described:
        """One object, described; raises NotFound, and Denied without the rights to all its parts."""
        obj = await self._client.get((await self.collection(kind)).named(name))
        now = self._now()
        events, problem = await self._events(obj)
        if kind == "pod":
            return describe_pod(obj, events, now, problem)
        if kind == "deployment":
            sets = await self._selected("apps", "replicasets", selector_text(obj))
            return describe_deployment(obj, sets, events, now, problem)
        if kind == "service":
            return describe_service(obj, await self._endpoints(name), events, now, problem)
        if kind == "job":
            pods = await self._selected("", "pods", selector_text(obj))
            return describe_job(obj, pods, events, now, problem)
        describe = describe_ingress if kind == "ingress" else describe_http_route
        return describe(obj, events, now, problem)

    async def collection(self, kind: DescribedKind) -> Resource:
        """Where the objects of a kind are; raises NotFound when the API server does not have that kind."""
        if kind == "httproute":
            versions = await self._client.versions(GATEWAY)
            if not versions:
                raise NotFound("The API server has no HTTPRoutes.", "Is the Gateway API installed?")
            return Resource(GATEWAY, "v1" if "v1" in versions else versions[0], "httproutes", self._namespace)
        group, plural = {
            "pod": ("", "pods"),
            "deployment": ("apps", "deployments"),
            "service": ("", "services"),
            "ingress": ("networking.k8s.io", "ingresses"),
            "job": ("batch", "jobs"),
        }[kind]
        return Resource(group, "v1", plural, self._namespace)

    async def slices(self) -> Resource | None:
        """Where the EndpointSlices are, None on servers without them."""
        versions = await self._client.versions(_DISCOVERY)
        version = next((each for each in ("v1", "v1beta1") if each in versions), None)
        return Resource(_DISCOVERY, version, "endpointslices", self._namespace) if version else None

    async def _events(self, obj: Json) -> tuple[Sequence[Json], str]:
        query = {"fieldSelector": f"involvedObject.uid={text(obj, 'metadata', 'uid')}"}
        try:
            return await self._client.all_of(Resource("", "v1", "events", self._namespace), query), ""
        except OutsideError as error:
            return (), f"cannot be read: {error}"

    async def _selected(self, group: str, plural: str, selector: str) -> list[Json]:
        return await self._client.all_of(Resource(group, "v1", plural, self._namespace), {"labelSelector": selector})

    async def _endpoints(self, service: str) -> list[Json]:
        if slices := await self.slices():
            return await self._client.all_of(slices, {"labelSelector": f"kubernetes.io/service-name={service}"})
        try:
            return [await self._client.get(Resource("", "v1", "endpoints", self._namespace, service))]
        except NotFound:
            return []
