"""The `/metrics` page, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from aiohttp import web

from cockpit.simulator.world.kinds import POD
from cockpit.simulator.world.latency import BUCKETS
from cockpit.simulator.world.objects import CPU_LIMIT_CORES, MEMORY_LIMIT_BYTES
from cockpit.simulator.world.pods import is_ready, restarts
from cockpit.simulator.world.values import Obj, dig, name_of, namespace_of
from cockpit.simulator.world.world import World


class Exposition:
    """Renders the world's counters."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def page(self, request: web.Request) -> web.Response:
        """The page."""
        text = "\n".join([*self._requests(), *self._durations(), *self._pods()]) + "\n"
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=text.encode(), headers=headers)

    def _route_labels(self, track: str, through_canary: bool) -> dict[str, str]:
        spec = self._world.spec
        service = spec.tracks[spec.candidate].service if through_canary else spec.active_service
        canary = f"{spec.namespace}-{service}-80" if through_canary else ""
        return {
            "namespace": spec.namespace,
            "ingress": spec.main_ingress,
            "service": service,
            "canary": canary,
            "host": spec.host,
            "track": track,
        }

    def _requests(self) -> Iterator[str]:
        name = "nginx_ingress_controller_requests"
        yield from _head(name, "counter", "The total number of client requests")
        for (track, canary), counters in sorted(self._world.counters.routes.items()):
            labels = self._route_labels(track, canary)
            for status, number in sorted(counters.statuses.items()):
                yield _sample(name, {**labels, "method": "GET", "status": status}, int(number))

    def _durations(self) -> Iterator[str]:
        name = "nginx_ingress_controller_request_duration_seconds"
        yield from _head(name, "histogram", "The request processing time in seconds")
        for (track, canary), counters in sorted(self._world.counters.routes.items()):
            labels = self._route_labels(track, canary)
            for bound, number in zip(BUCKETS, counters.below, strict=True):
                yield _sample(f"{name}_bucket", {**labels, "le": f"{bound:g}"}, int(number))
            yield _sample(f"{name}_bucket", {**labels, "le": "+Inf"}, int(counters.count))
            yield _sample(f"{name}_sum", labels, round(counters.seconds, 3))
            yield _sample(f"{name}_count", labels, int(counters.count))

    def _pods(self) -> Iterator[str]:
        spec = self._world.spec
        pods = self._world.cluster.store.select(POD, spec.namespace)
        yield from _series("kube_pod_container_status_restarts_total", "counter", pods, restarts)
        yield from _series("kube_pod_container_status_ready", "gauge", pods, lambda pod: int(is_ready(pod)))
        ours = [pod for pod in pods if self._world.router.track_of(pod)]
        name = "container_cpu_usage_seconds_total"
        yield from _series(name, "counter", ours, lambda pod: round(self._cpu(pod), 3))
        name = "container_memory_working_set_bytes"
        yield from _series(name, "gauge", ours, self._memory)
        name = "kube_pod_container_resource_limits"
        yield from _head(name, "gauge", "The limits of a container")
        for pod in ours:
            yield _sample(name, {**_pod_labels(pod), "resource": "cpu", "unit": "core"}, CPU_LIMIT_CORES)
            yield _sample(name, {**_pod_labels(pod), "resource": "memory", "unit": "byte"}, MEMORY_LIMIT_BYTES)

    def _cpu(self, pod: Obj) -> float:
        return self._world.counters.cpu_seconds.get(self._world.router.track_of(pod), 0.0)

    def _memory(self, pod: Obj) -> int:
        now = self._world.cluster.now
        newest = self._world.history.window(now, 60.0)[:1]
        track = self._world.router.track_of(pod)
        percent = newest[0].tracks[track].memory if newest and track in newest[0].tracks else 0.0
        return int(MEMORY_LIMIT_BYTES * percent / 100.0)


def _pod_labels(pod: Obj) -> dict[str, str]:
    container = dig(pod, "spec", "containers", 0, "name", default="")
    return {"namespace": namespace_of(pod), "pod": name_of(pod), "container": str(container)}


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _series(name: str, kind: str, pods: list[Obj], value: Callable[[Obj], float]) -> Iterator[str]:
    yield from _head(name, kind, "From the simulated pods")
    for pod in pods:
        yield _sample(name, _pod_labels(pod), value(pod))


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
    return f"{name}{{{inner}}} {value}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
