"""Deployments, Services, routes, pods and Jobs of one namespace."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from cockpit.adapters.kubernetes import exec, objects
from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import FIELD_MANAGER, KubeClient
from cockpit.adapters.kubernetes.goals import Goals
from cockpit.adapters.kubernetes.patch import Change, pointer, swap, test
from cockpit.adapters.kubernetes.pods import TABLE, Columns, in_trouble, pods_of
from cockpit.adapters.kubernetes.portforward import PortForward
from cockpit.adapters.kubernetes.proxy import get_through_proxy
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping
from cockpit.adapters.kubernetes.watch import PodWatch, WatchTimes
from cockpit.errors import Conflict, NotFound, OutsideError
from cockpit.model.cluster import (
    DeploymentState,
    ExecResult,
    JobState,
    Pod,
    PodsChanged,
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
_DISCOVERY = "discovery.k8s.io"


class KubeWorkloads:
    """The cluster's side of a run; see `cockpit.engine.ports.Workloads` for what each method promises."""

    def __init__(
        self, client: KubeClient, namespace: str, tracks: Sequence[str] = (), times: WatchTimes | None = None
    ) -> None:
        """`tracks` are the selector values of the tracks, for a quick first list of their pods."""
        self._client = client
        self._namespace = namespace
        self._tracks = tuple(tracks)
        self._times = times or WatchTimes()

    async def server(self) -> str:
        """The API server's address."""
        return self._client.server

    async def deployment(self, name: str, container: str | None = None) -> DeploymentState:
        """One Deployment; while it rolls out, `problem` also tells of pods of the newest version that cannot start."""
        obj = await self._client.get(self._apps("deployments").named(name))
        state = objects.deployment_state(obj, container)
        if state.problem or state.rolled_out:
            return state
        with suppress(OutsideError):
            problem = await self._failing_pods(obj)
            return replace(state, problem=problem)
        return state

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
        return objects.service_state(obj, await self._ready_endpoints(name) if endpoints else None)

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

    async def services(self) -> tuple[ServiceState, ...]:
        """All Services, by name."""
        return tuple(map(objects.service_state, await self._client.all_of(self._core("services"))))

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

    def watch_pods(self, selector: str, track_key: str) -> AsyncGenerator[PodsChanged, None]:
        """The pods of a label selector, for ever; close the iterator to end the watch."""
        return PodWatch(self._client, self._core("pods"), selector, track_key, self._times, self._tracks).changes()

    async def run_in_pod(
        self, workload: str, argv: Sequence[str], deadline: float, container: str | None = None
    ) -> ExecResult:
        """Run argv in the first ready pod of `deployment/name` or `statefulset/name`, or in `pod/name`."""
        pod = await self.ready_pod(workload)
        return await exec.run(self._client, self._core("pods").named(pod, "exec"), argv, deadline, container)

    async def create_job(self, name: str, image: str, argv: Sequence[str], service_account: str | None) -> None:
        """Create a Job that is tried once; an existing one of the same name is left alone."""
        with suppress(Conflict):
            await self._client.create(self._jobs(), _job(name, image, argv, service_account))

    async def job(self, name: str) -> JobState:
        """A Job's state."""
        return objects.job_state(await self._client.get(self._jobs().named(name)))

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

    async def _ready_endpoints(self, service: str) -> int:
        for version in ("v1", "v1beta1"):
            if version in await self._client.versions(_DISCOVERY):
                slices = Resource(_DISCOVERY, version, "endpointslices", self._namespace)
                query = {"labelSelector": f"kubernetes.io/service-name={service}"}
                return objects.ready_in_slices(await self._client.all_of(slices, query))
        try:
            return objects.ready_in_endpoints(await self._client.get(self._core("endpoints").named(service)))
        except NotFound:
            return 0

    async def _failing_pods(self, deployment: Json) -> str:
        newest = objects.newest_replica_set(deployment)
        pods = await self._some_pods(objects.selector_text(deployment))
        failing = Counter(
            pod.status for pod in pods if in_trouble(pod.status) and pod.name.startswith(f"{newest}-" if newest else "")
        )
        return ", ".join(f"{count} × {status}" for status, count in failing.most_common(3))

    async def ready_pod(self, workload: str) -> str:
        """The name of the first ready pod of `deployment/name`, or that of `pod/name`; raises NotFound."""
        kind, _, name = workload.partition("/")
        if kind in ("pod", "pods", "po") and name:
            return name
        if kind not in _KINDS or not name:
            raise NotFound(f"{clean(workload)} is not a workload.", "Write it as deployment/NAME or statefulset/NAME.")
        owner = await self._client.get(self._apps(_KINDS[kind]).named(name))
        pods = await self._some_pods(objects.selector_text(owner))
        ready = sorted(pod.name for pod in pods if pod.healthy and pod.status == "Running")
        if not ready:
            raise NotFound(f"{clean(workload)} has no ready pod.", "Wait until one is ready.")
        return ready[0]

    async def _some_pods(self, selector: str) -> list[Pod]:
        request = Request("list", self._core("pods"))
        query = {"labelSelector": selector, "limit": "500", "includeObject": "None"}
        page = await self._client.json(request, query, TABLE)
        return list(pods_of(page, Columns.of(page) or Columns(), ""))

    def _core(self, plural: str) -> Resource:
        return Resource("", "v1", plural, self._namespace)

    def _apps(self, plural: str) -> Resource:
        return Resource("apps", "v1", plural, self._namespace)

    def _jobs(self) -> Resource:
        return Resource("batch", "v1", "jobs", self._namespace)


def _labels(selector: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "empty"


def _job(name: str, image: str, argv: Sequence[str], service_account: str | None) -> Json:
    labels = {"app.kubernetes.io/managed-by": FIELD_MANAGER}
    pod: Json = {
        "restartPolicy": "Never",
        "containers": [{"name": "job", "image": image, "command": list(argv)}],
    }
    if service_account:
        pod["serviceAccountName"] = service_account
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {"backoffLimit": 0, "template": template},
    }
