"""A simulator whose time stands still until a test moves it, and small clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from cockpit.model.clock import RunClock
from cockpit.simulator.blueprint import WorldSpec
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import default_spec
from cockpit.simulator.world.world import World

START = datetime(2026, 11, 26, 8, 0, tzinfo=UTC).timestamp()
NAMESPACE = "production"
WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
CANARY = "nginx.ingress.kubernetes.io/canary"
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class HandClock(RunClock):
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__(speed=60.0)
        object.__setattr__(self, "at", START)

    def timestamp(self) -> float:
        return self.__dict__["at"]

    def forward(self, seconds: float) -> None:
        object.__setattr__(self, "at", self.timestamp() + seconds)


@dataclass
class Stage:
    """A served simulator, a client session that is logged in, and the hand on the clock."""

    simulator: Simulator
    session: aiohttp.ClientSession
    clock: HandClock

    @property
    def world(self) -> World:
        return self.simulator.world

    def forward(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.world.advance()

    def url(self, plural: str, name: str = "", group: str = "", namespace: str = NAMESPACE) -> str:
        groups = {"deployments": "apps/v1", "replicasets": "apps/v1", "ingresses": "networking.k8s.io/v1",
                  "jobs": "batch/v1", "leases": "coordination.k8s.io/v1", "endpointslices": "discovery.k8s.io/v1",
                  "httproutes": "gateway.networking.k8s.io/v1"}  # fmt: skip
        served = group or groups.get(plural, "")
        root = f"/apis/{served}" if served else "/api/v1"
        return f"{self.simulator.kube_url}{root}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")

    async def get(self, url: str, **options: Any) -> Any:
        async with self.session.get(url, **options) as response:
            return await response.json(content_type=None)

    async def call(self, method: str, url: str, **options: Any) -> tuple[int, Any]:
        async with self.session.request(method, url, **options) as response:
            return response.status, await response.json(content_type=None)

    async def patch(self, url: str, body: Any, kind: str = MERGE, **options: Any) -> tuple[int, Any]:
        return await self.call("PATCH", url, json=body, headers={"Content-Type": kind}, **options)

    async def weight(self, number: int) -> None:
        status, _ = await self.patch(
            self.url("ingresses", "moshimoshi-ingress-canary"), {"metadata": {"annotations": {WEIGHT: str(number)}}}
        )
        assert status == 200

    async def deploy(self, image: str) -> None:
        containers = [{"name": "web", "image": image}]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        status, _ = await self.patch(self.url("deployments", "moshimoshi-blue"), body, STRATEGIC)
        assert status == 200

    async def state(self) -> Any:
        return await self.get(f"{self.simulator.http_url}/sim/state")

    async def measure(self, signal: str, window: int = 60) -> float:
        """The value that the Prometheus API gives for a signal; NaN is a value."""
        metric = next(item for item in self.simulator.spec.metrics if item.signal == signal)
        query = metric.query.replace("${window}", f"{window}s")
        answer = await self.get(f"{self.simulator.prometheus_url}/api/v1/query", params={"query": query})
        assert answer["status"] == "success"
        return float(answer["data"]["result"][0]["value"][1])


StageMaker = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def make_stage() -> AsyncIterator[StageMaker]:
    stages: list[Stage] = []

    async def make(scenario: str = "healthy", spec: WorldSpec | None = None) -> Stage:
        clock = HandClock()
        simulator = Simulator(spec or default_spec(), clock, scenario)
        await simulator.start()
        session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {simulator.token}"})
        stages.append(Stage(simulator, session, clock))
        return stages[-1]

    yield make
    for stage in stages:
        await stage.session.close()
        await stage.simulator.stop()


@pytest.fixture
async def stage(make_stage: StageMaker) -> Stage:
    return await make_stage()
