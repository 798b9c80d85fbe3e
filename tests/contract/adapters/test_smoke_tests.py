"""Smoke tests of one track through a port-forward that the cockpit opens and closes itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from cockpit.adapters.http import HttpChecks as Http
from cockpit.adapters.kubernetes import workloads as workloads_module
from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.portforward import PortForward
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.adapters.web import web_client
from cockpit.engine.actions.base import ActionFailure, Done, World
from cockpit.engine.actions.http_checks import HttpChecksHandler
from cockpit.engine.ports import Outside
from cockpit.errors import NotFound
from cockpit.model.clock import RunClock
from cockpit.model.run import RunState
from cockpit.runbook.actions import HttpChecks
from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path
from cockpit.simulator.faults import Fault
from cockpit.simulator.server import Simulator
from tests.printed import nothing_printed

from .stage import until

SMOKE = (
    {"name": "Health check", "path": "/health", "retries": 0},
    {"name": "Ready check", "path": "/ready", "retries": 0},
    {"name": "Version check", "path": "/version", "fields": {"version": "0.9.4"}, "retries": 0},
    {"name": "Database", "path": "/health/database", "fields": {"database": "ok"}, "retries": 0},
    {"name": "Redis", "path": "/health/redis", "fields": {"redis": "ok"}, "retries": 0},
)


@dataclass
class Bench:
    """A simulator, the action's world, and every port-forward that was opened."""

    simulator: Simulator
    world: World
    forwards: list[PortForward]
    said: list[str] = field(default_factory=list)

    async def check(self, checks: Iterable[dict[str, Any]] = SMOKE, **parts: Any) -> Done:
        wanted = {"id": "smoke", "kind": "http_checks", "track": "blue", "via": "port_forward", "checks": [*checks]}
        action = HttpChecks.model_validate({**wanted, **parts})
        handler = HttpChecksHandler()
        planned = await handler.plan(self.world, action)
        self.said.append(planned.request)
        return await handler.execute(self.world, action, planned)

    def strike(self, **parts: Any) -> None:
        self.simulator.world.faults.set(Fault("portforward", **parts), self.simulator.world.cluster.now)

    async def closed(self) -> bool:
        """Whether nothing listens at any of the forwards' ports."""
        for forward in self.forwards:
            with pytest.raises(ConnectionError):
                await asyncio.open_connection("127.0.0.1", forward.local_port)
        return bool(self.forwards) and not any(forward.listening for forward in self.forwards)


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with opened(tmp_path, monkeypatch) as bench:
        yield bench


@asynccontextmanager
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    forwards: list[PortForward] = []

    class Remembered(PortForward):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            forwards.append(self)

    monkeypatch.setattr(workloads_module, "PortForward", Remembered)
    said: list[str] = []

    async def say(text: str) -> None:
        said.append(text)

    async with Simulator() as simulator, web_client() as web:
        config = simulator.write_kubeconfig(tmp_path / "kubeconfig")
        async with open_client(str(config), None) as client:
            outside = SimpleNamespace(workloads=KubeWorkloads(client, "production"), http=Http(web))
            world = World(
                run="r1",
                book=load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook,
                state=cast(RunState, None),
                outside=cast(Outside, outside),
                clock=RunClock(),
                lookup=lambda _: SecretStr(""),
                pods=lambda: (),
                say=say,
                emit=nothing_printed,
                deadline=60.0,
                context="",
                real_seconds=lambda _: 0.0,
            )
            yield Bench(simulator, world, forwards, said)


async def test_all_checks_go_to_one_pod_of_the_track(bench: Bench) -> None:
    done = await bench.check()
    assert done.message == "5 checks passed: Health check, Ready check, Version check, Database, Redis"
    request, opened = bench.said
    assert opened.startswith("port-forward to the pod moshimoshi-blue-")
    assert request.startswith("check blue (port-forward to service/moshimoshi-blue:80): Health check, ")
    assert await bench.closed()


async def test_port_of_the_pod_may_be_named(bench: Bench) -> None:
    await bench.check(port=3000)
    assert "deployment/moshimoshi-blue:3000" in bench.said[0]
    with pytest.raises(ActionFailure, match=r"Health check: expected HTTP 200, got no answer: .*connection refused"):
        await bench.check(SMOKE[:1], port=3999)
    assert await bench.closed()


async def test_failures_name_the_check_what_was_expected_and_what_came(bench: Bench) -> None:
    checks = [
        {"name": "Version check", "path": "/version", "fields": {"version": "1.0.0"}, "retries": 1},
        {"name": "Nowhere", "path": "/nowhere", "retries": 0},
        {"name": "Health check", "path": "/health"},
    ]
    with pytest.raises(ActionFailure) as failed:
        await bench.check(checks)
    assert str(failed.value) == (
        "Version check: expected version to be 1.0.0, got 0.9.4 (2 tries);"
        ' Nowhere: expected HTTP 200, got HTTP 404: {"error": "not found", "path": "/nowhere"}'
    )
    assert failed.value.hint == "Look at the logs of blue."
    assert await bench.closed()


async def test_way_that_breaks_is_tried_again(bench: Bench) -> None:
    bench.strike(mode="close", lasts=0.2)
    done = await bench.check([{**SMOKE[0], "retries": 20}])
    assert done.message == "1 checks passed: Health check"


async def test_way_that_stays_broken_is_told(bench: Bench) -> None:
    bench.strike(mode="close")
    with pytest.raises(ActionFailure, match="got no answer: the connection to the pod broke"):
        await bench.check(SMOKE[:1])
    assert await bench.closed()


async def test_node_that_is_away_is_told(bench: Bench) -> None:
    bench.strike(mode="error", status=502)
    with pytest.raises(ActionFailure, match=r"No port of the pod moshimoshi-blue-\S+ can be forwarded \(HTTP 502\)"):
        await bench.check(SMOKE[:1])
    assert await bench.closed()


async def test_late_answer_is_a_failure(bench: Bench) -> None:
    bench.strike(mode="delay", delay=30.0)
    with pytest.raises(ActionFailure, match=r"got no answer: .* did not answer within 1 s"):
        await bench.check([{**SMOKE[0], "timeout": "1s"}])
    assert await bench.closed()


async def test_cancelling_closes_the_forward(bench: Bench) -> None:
    bench.strike(mode="delay", delay=30.0)
    checking = asyncio.create_task(bench.check(SMOKE[:1]))

    async def connected() -> bool:
        return bool(bench.forwards and bench.forwards[0].connections)

    await until(connected, bool)
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert await bench.closed()


async def test_track_without_a_ready_pod_is_not_found(bench: Bench) -> None:
    book = bench.world.book
    track = book.cluster.tracks["blue"].model_copy(update={"service": "nobody"})
    cluster = book.cluster.model_copy(update={"tracks": {**book.cluster.tracks, "blue": track}})
    bench.world = replace(bench.world, book=book.model_copy(update={"cluster": cluster}))
    with pytest.raises(NotFound, match="services nobody"):
        await bench.check()
