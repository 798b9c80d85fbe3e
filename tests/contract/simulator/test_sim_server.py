"""The server itself: starting, stopping, ports, real time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession

from cockpit.model.clock import RunClock
from cockpit.simulator.kube.exec import PROTOCOLS
from cockpit.simulator.server import Simulator, serve
from cockpit.simulator.spec import default_spec

from .conftest import START, Stage


async def test_it_stops_at_once_with_watches_logs_and_shells_open(stage: Stage) -> None:
    pods = await stage.get(stage.url("pods"), params={"labelSelector": "version=blue"})
    pod = pods["items"][0]["metadata"]["name"]
    params = {"watch": "true", "resourceVersion": pods["metadata"]["resourceVersion"]}
    shell = [("command", "sh"), ("stdin", "true")]
    loop = asyncio.get_running_loop()
    async with (
        stage.session.get(stage.url("pods"), params=params) as watch,
        stage.session.get(stage.url("pods", f"{pod}/log"), params={"follow": "true", "tailLines": "1"}) as log,
        stage.session.ws_connect(stage.url("pods", f"{pod}/exec"), params=shell, protocols=PROTOCOLS),
    ):
        assert await log.content.readline()
        began = loop.time()
        await stage.simulator.stop()
        assert loop.time() - began < 2
        assert await watch.content.read() == b""


async def test_time_passes_by_itself_and_watchers_hear_of_it() -> None:
    clock = RunClock.starting(datetime.fromtimestamp(START, UTC), speed=600)
    simulator = await serve(default_spec(), clock)
    headers = {"Authorization": f"Bearer {simulator.token}", "Content-Type": "application/merge-patch+json"}
    root = f"{simulator.kube_url}/apis/apps/v1"
    try:
        async with ClientSession(headers=headers) as session:
            url = f"{root}/namespaces/production/deployments/moshimoshi-blue"
            async with session.patch(url, json={"spec": {"replicas": 4}}) as response:
                assert response.status == 200
            query = {"watch": "true", "fieldSelector": "metadata.name=moshimoshi-blue"}
            async with session.get(f"{root}/deployments", params=query) as response, asyncio.timeout(10):
                async for line in response.content:
                    if b'"availableReplicas": 4' in line:
                        break
                else:
                    pytest.fail("the watch ended before the fourth pod was ready")
    finally:
        await simulator.stop()


async def test_ports_can_be_chosen_and_a_taken_one_is_told(stage: Stage) -> None:
    taken = int(stage.simulator.kube_url.rpartition(":")[2])
    other = Simulator(kube_port=taken)
    with pytest.raises(OSError, match="address already in use"):
        await other.start()
    await other.stop()


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(ValueError, match="there are healthy"):
        Simulator(scenario="sunny")


async def test_every_address_is_told(stage: Stage) -> None:
    addresses = stage.simulator.addresses()
    assert set(addresses) >= {
        "kube", "http", "prometheus", "slack", "cloudflare", "statuspage", "grafana", "datadog", "sentry",
        "registry", "app", "smtp",
    }  # fmt: skip
    assert all(":0" not in address for address in addresses.values())
