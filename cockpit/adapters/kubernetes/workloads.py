"""Deployments, Services, routes and pods of one namespace."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from cockpit.adapters.kubernetes import exec, objects, rollout
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.endpoints import ready_endpoints
from cockpit.adapters.kubernetes.goals import Goals
from cockpit.adapters.kubernetes.jobs import KubeJobs
from cockpit.adapters.kubernetes.listing import list_pods
from cockpit.adapters.kubernetes.patch import Change, pointer, swap, test
from cockpit.adapters.kubernetes.portforward import PortForward
from cockpit.adapters.kubernetes.proxy import get_through_proxy
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping, text
from cockpit.adapters.kubernetes.watch import PodWatch, WatchTimes
from cockpit.errors import NotFound
from cockpit.model.cluster import (
    DeploymentState,
    ExecResult,
    PodPlace,
    PodsChanged,
    RolloutProblem,
    RouteState,
    ServiceState,
)
from cockpit.model.outside import HttpAnswer
from cockpit.model.text import clean

_KINDS = {
    "deployment": "deployments",
    "deployments": "deployments",
    "deploy": "deployments",
    "statefulset": "statefulsets",
    "statefulsets": "statefulsets",
    "sts": "statefulsets",
}
_GATEWAY = "gateway.networking.k8s.io"


class KubeWorkloads:
    """The cluster's side of a run; see `cockpit.engine.ports.Workloads` for what each method promises."""

    def __init__(
        self, client: KubeClient, namespace: str, tracks: Sequence[str] = (), times: WatchTimes | None = None
    ) -> None:
        """`tracks` are the selector values of the tracks, for a quick first list of their pods."""
        self.jobs = KubeJobs(client, namespace)
        self._client = client
        self._namespace = namespace
        self._tracks = tuple(tracks)
        self._times = times or WatchTimes()

    async def server(self) -> str:
        """The API server's address."""
        return self._client.server

    async def deployment(self, name: str, container: str | None = None) -> DeploymentState:
        """One Deployment; `problem` is what its own conditions say."""
        return objects.deployment_state(await self._client.get(self._apps("deployments").named(name)), container)

    async def rollout_problems(self, name: str) -> tuple[RolloutProblem, ...]:
        """Why a rollout does not get on, from conditions, the newest pods and Events; at most three kinds of pod."""
        return await rollout.problems(self._client, self._apps("deployments").named(name))

    async def set_image(self, seen: DeploymentState, image: str, dry_run: bool = False) -> None:
        """Replace the image of the container in `seen`; raises Conflict when its image or place has changed."""
        container = ("spec", "template", "spec", "containers", seen.container_index)
        now = (*container, "image")

        def differs(obj: Json) -> str:
            state = objects.deployment_state(obj, None)
            at = objects.container_at(obj, seen.container_index)
            if at.name != seen.container:
                return f"container {seen.container_index} is {at.name or 'gone'}, expected {seen.container}"
            return "" if at.image == seen.image else f"{state.name} runs {at.image}, expected {seen.image}"

        change = Change(
            resource=self._apps("deployments").named(seen.name),
            field=("f:spec", "f:template", "f:spec", "f:containers", f'k:{{"name":"{seen.container}"}}', "f:image"),
            operations=lambda _: [
                test(pointer(*container, "name"), seen.container),
                test(pointer(*now), seen.image),
                {"op": "replace", "path": pointer(*now), "value": image},
            ],
            differs=differs,
            done=lambda obj: objects.container_at(obj, seen.container_index) == (seen.container, image),
        )
        await swap(self._client, change, dry_run)

    async def service(self, name: str, endpoints: bool = False) -> ServiceState:
        """One Service; its ready endpoints come from EndpointSlices, or from Endpoints on servers without them."""
        obj = await self._client.get(self._core("services").named(name))
        if not endpoints:
            return objects.service_state(obj)
        found = await ready_endpoints(self._client, self._namespace, name)
        return objects.service_state(obj, found.get(name, ()))

    async def set_selector(self, seen: ServiceState, selector: Mapping[str, str], dry_run: bool = False) -> None:
        """Replace the whole selector; raises Conflict when it is not the one in `seen`."""
        old, new = dict(seen.selector), dict(selector)

        def differs(obj: Json) -> str:
            now = objects.strings(mapping(obj, "spec", "selector"))
            return "" if now == old else f"the selector is {_labels(now)}, expected {_labels(old)}"

        change = Change(
            resource=self._core("services").named(seen.name),
            field=("f:spec", "f:selector"),
            operations=lambda _: [
                test("/spec/selector", old),
                {"op": "replace", "path": "/spec/selector", "value": new},
            ],
            differs=differs,
            done=lambda obj: mapping(obj, "spec", "selector") == new,
        )
        await swap(self._client, change, dry_run)

    async def services(self, endpoints: bool = False) -> tuple[ServiceState, ...]:
        """All Services, by name."""
        found = await self._client.all_of(self._core("services"))
        if not endpoints:
            return tuple(map(objects.service_state, found))
        ready = await ready_endpoints(self._client, self._namespace)
        return tuple(objects.service_state(each, ready.get(text(each, "metadata", "name"), ())) for each in found)

    async def routes(self) -> tuple[RouteState, ...]:
        """All Ingresses, then all HTTPRoutes where the API server has them."""
        ingresses = await self._client.all_of(Resource("networking.k8s.io", "v1", "ingresses", self._namespace))
        versions = await self._client.versions(_GATEWAY)
        routes: list[Json] = []
        if versions:
            version = "v1" if "v1" in versions else versions[0]
            with suppress(NotFound):
                routes = await self._client.all_of(Resource(_GATEWAY, version, "httproutes", self._namespace))
        return (*map(objects.ingress_route, ingresses), *map(objects.http_route, routes))

    async def pods(self, selector: str, track_key: str = "") -> tuple[PodPlace, ...]:
        """The pods of a label selector, by name."""
        found = await list_pods(self._client, self._core("pods"), selector, track_key)
        return tuple(sorted(found, key=lambda place: place.pod.name))

    def watch_pods(self, selector: str, track_key: str) -> AsyncGenerator[PodsChanged, None]:
        """The pods of a label selector, for ever; close the iterator to end the watch."""
        return PodWatch(self._client, self._core("pods"), selector, track_key, self._times, self._tracks).changes()

    async def run_in_pod(
        self, workload: str, argv: Sequence[str], deadline: float, container: str | None = None
    ) -> ExecResult:
        """Run argv in the first ready pod of `deployment/name` or `statefulset/name`, or in `pod/name`."""
        pod = await self.ready_pod(workload)
        return await exec.run(self._client, self._core("pods").named(pod, "exec"), argv, deadline, container)

    async def get_through_proxy(self, service: str, port: int, path: str, timeout: float) -> HttpAnswer:
        """GET a path of a Service through the API server, within `timeout` seconds."""
        return await get_through_proxy(self._client, self._core("services"), service, port, path, timeout)

    @asynccontextmanager
    async def forwarded(self, target: str, port: int) -> AsyncIterator[PortForward]:
        """A port-forward to `deployment/name` and its pods' port, or to `service/name` and its own port."""
        goals = Goals(self._client, self._namespace, self.ready_pod)
        forward = PortForward(self._client, self._core("pods"), partial(goals.find, target, port))
        try:
            await forward.open(probe=False)
            yield forward
        finally:
            await forward.close()

    async def ready_pod(self, workload: str) -> str:
        """The name of the first ready pod of `deployment/name`, or that of `pod/name`; raises NotFound."""
        kind, _, name = workload.partition("/")
        if kind in ("pod", "pods", "po") and name:
            return name
        if kind not in _KINDS or not name:
            raise NotFound(f"{clean(workload)} is not a workload.", "Write it as deployment/NAME or statefulset/NAME.")
        owner = await self._client.get(self._apps(_KINDS[kind]).named(name))
        places = await self.pods(objects.selector_text(owner))
        ready = [place.pod.name for place in places if place.pod.healthy and place.pod.status == "Running"]
        if not ready:
            raise NotFound(f"{clean(workload)} has no ready pod.", "Wait until one is ready.")
        return ready[0]

    def _core(self, plural: str) -> Resource:
        return Resource("", "v1", plural, self._namespace)

    def _apps(self, plural: str) -> Resource:
        return Resource("apps", "v1", plural, self._namespace)


def _labels(selector: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "empty"
