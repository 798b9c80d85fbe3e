"""Pages as the real exporters write them, whose truth is exact: every counter grows at a constant rate."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from aiohttp import web

REQUESTS = 400.0
"""Requests a second of both tracks."""

SHARE = 25.0
FAILED = 3.0
SERVER_FAILED = 2.0
"""Percent of the requests."""

FAST = 0.90
"""The share of the requests below 100 ms; the others are below 250 ms, so that a quantile is exact."""

P95_MS = 100.0 + 150.0 * (0.95 - FAST) / (1.0 - FAST)
CPU, MEMORY = 62.0, 71.0
"""The busiest pod, in percent of its limits; the other one has half of it."""

RESTARTS = 3
_BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
_TRACKS = {"blue": SHARE / 100.0, "green": 1.0 - SHARE / 100.0}
_STATUSES = {"200": 1.0 - FAILED / 100.0, "429": (FAILED - SERVER_FAILED) / 100.0, "502": SERVER_FAILED / 100.0}


_ISTIO_BLUE = (
    'reporter="source",source_workload="istio-ingressgateway",destination_workload="unknown",'
    'destination_service_namespace="shop",destination_service_name="shop-blue",request_protocol="http"'
)
BURST = (
    'nginx_ingress_controller_requests{namespace="shop",ingress="shop-ingress",service="shop-blue",'
    'canary="shop-shop-blue-80",host="shop.test",method="GET",status="503"}',
    f'istio_requests_total{{{_ISTIO_BLUE},response_code="503",response_flags="UH"}}',
    'envoy_cluster_upstream_rq{envoy_response_code="503",envoy_cluster_name="httproute/shop/shop/rule/0/backend/1"}',
)


class Shapes:
    """One page with everything.

    `restarts` are those of the blue pod.
    """

    def __init__(self) -> None:
        self._since = time.time() - 1000.0
        self._still: float | None = None
        self._lost = 0.0
        self.down = False
        self.failing = 0.0
        """Percent of the requests that fail besides, from then on."""
        self.restarts = 0
        self.unlimited = False
        """Whether one more pod of the candidate runs, without any limit."""
        self.burst = 0
        """Requests of the candidate that fail at once; they are all in the first value of their series."""
        self.address = ""

    def restart(self) -> None:
        """The exporter starts anew: its counters begin at 0."""
        self._since = time.time()

    def stand_still(self) -> None:
        """No request comes any more."""
        self._still = time.time() - self._since

    def recover(self) -> None:
        """All is well again; counters go on where they stood."""
        if self._still is not None:
            self._since, self._still = time.time() - self._still, None
        self.down = False

    def page(self) -> str:
        """The page at this moment."""
        seconds = time.time() - self._since if self._still is None else self._still
        rows = [*_nginx(seconds), *_istio(seconds), *_envoy(seconds), *self._kubernetes(seconds)]
        if self.failing:
            self._lost += REQUESTS * self.failing / 100.0
            labels = 'namespace="shop",ingress="shop-ingress",service="shop-blue",canary="x",method="GET",status="502"'
            rows.append(f"nginx_ingress_controller_requests{{{labels}}} {self._lost:.6f}")
        if self.burst:
            rows += [f"{name} {self.burst}" for name in BURST]
        return "\n".join(rows) + "\n"

    def _kubernetes(self, seconds: float) -> Iterator[str]:
        more = (("shop-blue-2", 0.9),) if self.unlimited else ()
        for pod, part in (("shop-blue-1", 1.0), ("shop-green-1", 0.5), *more):
            where = f'namespace="shop",pod="{pod}"'
            used, memory = 0.5 * CPU / 100.0 * part * seconds, 2**28 * MEMORY / 100.0 * part
            # cAdvisor gives its samples a time, and so no staleness: they live on when it is away.
            stamp = int(time.time() * 1000)
            for container, name in (("web", "k8s_web"), ("POD", "k8s_POD"), ("", "")):
                labels = f'{where},container="{container}",name="{name}",id="/kubepods/{pod}/{name}"'
                yield f"container_cpu_usage_seconds_total{{{labels}}} {used:.6f} {stamp}"
                yield f"container_memory_working_set_bytes{{{labels}}} {memory:.0f} {stamp}"
            for phase in ("Pending", "Running"):
                running = int(phase == "Running")
                yield f'kube_pod_status_phase{{{where},uid="u-{pod}",phase="{phase}"}} {running}'
            if pod == "shop-blue-2":
                continue
            limits = f'{where},container="web",node="n1",uid="u-{pod}"'
            yield f'kube_pod_container_resource_limits{{{limits},resource="cpu",unit="core"}} 0.5'
            yield f'kube_pod_container_resource_limits{{{limits},resource="memory",unit="byte"}} {2**28}'
            number = 5 + (self.restarts if pod == "shop-blue-1" else 0)
            yield f'kube_pod_container_status_restarts_total{{{where},container="web",uid="u-{pod}"}} {number}'

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Shapes]:
        """Serve the page on loopback."""

        async def answer(_: web.Request) -> web.Response:
            if self.down:
                return web.Response(status=503)
            return web.Response(text=self.page(), headers={"Content-Type": "text/plain; version=0.0.4"})

        application = web.Application()
        application.router.add_get("/metrics", answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def _below(bound_ms: int) -> float:
    return 0.0 if bound_ms < 100 else FAST if bound_ms == 100 else 1.0


def _histogram(name: str, labels: str, count: float, scale: float) -> Iterator[str]:
    """A classic histogram whose bounds are milliseconds times `scale`."""
    for bound in _BOUNDS_MS:
        yield f'{name}_bucket{{{labels},le="{bound * scale:g}"}} {count * _below(bound):.6f}'
    yield f'{name}_bucket{{{labels},le="+Inf"}} {count:.6f}'
    yield f"{name}_sum{{{labels}}} {count * 90 * scale:.6f}"
    yield f"{name}_count{{{labels}}} {count:.6f}"


def _nginx(seconds: float) -> Iterator[str]:
    for track, share in _TRACKS.items():
        canary = f"shop-shop-{track}-80" if track == "blue" else ""
        labels = f'namespace="shop",ingress="shop-ingress",service="shop-{track}",canary="{canary}",host="shop.test"'
        for status, part in _STATUSES.items():
            count = REQUESTS * share * part * seconds
            yield f'nginx_ingress_controller_requests{{{labels},method="GET",status="{status}"}} {count:.6f}'
        count = REQUESTS * share * seconds
        yield from _histogram("nginx_ingress_controller_request_duration_seconds", labels, count, 0.001)


def _istio(seconds: float) -> Iterator[str]:
    for reporter in ("source", "destination"):
        for track, share in _TRACKS.items():
            labels = (
                f'reporter="{reporter}",source_workload="istio-ingressgateway",destination_workload="shop-{track}",'
                f'destination_service_namespace="shop",destination_service_name="shop-{track}",request_protocol="http"'
            )
            for status, part in _STATUSES.items():
                count = REQUESTS * share * part * seconds
                yield f'istio_requests_total{{{labels},response_code="{status}",response_flags="-"}} {count:.6f}'
            count = REQUESTS * share * seconds
            yield from _histogram("istio_request_duration_milliseconds", labels, count, 1.0)


def _envoy(seconds: float) -> Iterator[str]:
    for backend, share in enumerate((_TRACKS["green"], _TRACKS["blue"])):
        labels = f'envoy_cluster_name="httproute/shop/shop/rule/0/backend/{backend}"'
        for status, part in _STATUSES.items():
            count = REQUESTS * share * part * seconds
            yield f'envoy_cluster_upstream_rq{{{labels},envoy_response_code="{status}"}} {count:.6f}'
        yield from _histogram("envoy_cluster_upstream_rq_time", labels, REQUESTS * share * seconds, 1.0)
