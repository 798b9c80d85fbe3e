"""The same stage in both worlds: the simulator, and a real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.model.clock import RunClock
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import default_spec

from ..fault_proxy import proxy_before
from .faulty import FaultyServer
from .front import Front
from .stage import Access, Stage, access, plant

_NUMBER = count()


@pytest.fixture(
    params=[
        "simulator",
        pytest.param("real", marks=(pytest.mark.kube, pytest.mark.xdist_group("kube"))),
    ]
)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Access]:
    """A cluster, by its kubeconfig."""
    if request.param == "real":
        config = request.getfixturevalue("real_kubeconfig")
        yield access(config, "admin", config, "observer")
        return
    spec = default_spec()
    spec = replace(spec, images=(*spec.images, "web:1.0.0", "web:2.0.0"))
    async with Simulator(spec, RunClock.starting(datetime.now(UTC), speed=20.0)) as simulator:
        admin = simulator.write_kubeconfig(tmp_path / "admin")
        observer = simulator.write_kubeconfig(tmp_path / "observer", simulator.observer_token)
        yield access(admin, "simulator", observer, "simulator")


@pytest.fixture
async def stage(world: Access) -> AsyncIterator[Stage]:
    """A namespace of this test alone, with a blue and a green track that have no pods."""
    async with _planted(world, 0) as stage:
        yield stage


@pytest.fixture
async def staffed(world: Access) -> AsyncIterator[Stage]:
    """The same with three pods a track, which start by and by."""
    async with _planted(world, 3) as stage:
        yield stage


@pytest.fixture
async def front(stage: Stage, tmp_path: Path) -> AsyncIterator[Front]:
    """The stage without pods, behind a proxy that can break its line to the API server."""
    async with proxy_before(stage.access.admin) as proxy, proxy.client(tmp_path) as client:
        yield Front(proxy, stage, replace(stage, client=client), tmp_path)


@asynccontextmanager
async def _planted(world: Access, replicas: int) -> AsyncIterator[Stage]:
    async with open_client(*world.admin) as client:
        stage = Stage(client, f"t{next(_NUMBER)}-{uuid4().hex[:6]}", world)
        await plant(stage, replicas)
        yield stage
        await stage.delete(Resource("", "v1", "namespaces", "", stage.namespace))


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyServer]:
    """A server on loopback that answers as the test says."""
    async with FaultyServer().serving() as server:
        yield server
