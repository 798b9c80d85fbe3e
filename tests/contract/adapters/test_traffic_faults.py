"""A server that fails while the weight is written: what is unknown is read back, what is refused is said."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes.gateway import GatewayTraffic
from cockpit.adapters.kubernetes.nginx import PREFIX, NginxTraffic
from cockpit.engine.actions.base import Planned, World
from cockpit.engine.actions.traffic import facts_of, move
from cockpit.engine.core import WallClock
from cockpit.errors import Conflict
from cockpit.model.clock import RunClock
from tests.printed import nothing_printed

from .faulty import FaultyServer, answer, cut, status
from .stage import http_route, parent

Traffic = NginxTraffic | GatewayTraffic


class OneRoute:
    """An API server with one route of either kind, whose first writes go as the test says."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.patches: list[Any] = []
        self.lose: list[str] = []
        if kind == "gateway":
            self.obj = http_route((10, 90)) | {"status": {"parents": [parent(1)]}}
        else:
            annotations = {PREFIX + "canary": "true", PREFIX + "canary-weight": "10"}
            self.obj = {"metadata": {"name": "web", "annotations": annotations}}
        self.obj["metadata"] |= {"resourceVersion": "1", "generation": 1}

    def traffic(self, client: Any) -> Traffic:
        if self.kind == "gateway":
            return GatewayTraffic(client, "shop", "web", "web-green", ("web",))
        return NginxTraffic(client, "shop", "web")

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/apis":
            group = {"name": "gateway.networking.k8s.io", "preferredVersion": {"version": "v1beta1"}}
            return answer(200, {"groups": [group | {"versions": [{"version": "v1beta1"}]}]})
        if request.method == "PATCH":
            return await self._patched(request)
        if request.path.endswith("/web"):
            return answer(200, self.obj)
        return answer(200, {"items": [self.obj]})

    async def _patched(self, request: web.Request) -> web.StreamResponse:
        self.patches.append(json.loads(await request.read()))
        fate = self.lose.pop(0) if self.lose else ""
        if fate == "refuse":
            return answer(422, status(422, "Invalid", "the server rejected our request"))
        for change in self.patches[-1]:
            if change["op"] == "add":
                *way, last = [part.replace("~1", "/") for part in change["path"].split("/")[1:]]
                place: Any = self.obj
                for key in way:
                    place = place[int(key)] if isinstance(place, list) else place[key]
                place[last] = change["value"]
        return await cut(request) if fate == "cut" else answer(503 if fate else 200, self.obj)


def a_world(traffic: Traffic, said: list[str]) -> World:
    async def say(message: str) -> None:
        said.append(message)

    clock = RunClock()
    outside: Any = type("Outside", (), {"traffic": traffic})
    nothing: Any = None
    return World(
        run="test", book=nothing, state=nothing, outside=outside, clock=WallClock(clock), lookup=nothing,
        pods=lambda: (), say=say, emit=nothing_printed, deadline=60.0, context="", real_seconds=clock.real_seconds,
    )  # fmt: skip


@pytest.mark.parametrize("fate", ["cut", "503"])
@pytest.mark.parametrize("kind", ["nginx", "gateway"])
async def test_applied_write_without_an_answer_is_read_back_and_not_repeated(
    faulty: FaultyServer, tmp_path: Path, kind: str, fate: str
) -> None:
    route = OneRoute(kind)
    faulty.script, route.lose = route, [fate]
    said: list[str] = []
    async with faulty.client(tmp_path) as client:
        traffic = route.traffic(client)
        seen = await traffic.read()
        done = await move(a_world(traffic, said), 50, Planned("", facts_of(seen)), timedelta(minutes=1))
    assert done.facts["weight"] == "50"
    assert len(route.patches) == 1
    assert said == ["no answer to the write; reading back"]


@pytest.mark.parametrize("kind", ["nginx", "gateway"])
async def test_refused_value_is_no_drift(faulty: FaultyServer, tmp_path: Path, kind: str) -> None:
    route = OneRoute(kind)
    faulty.script, route.lose = route, ["refuse"] * 5
    async with faulty.client(tmp_path) as client:
        traffic = route.traffic(client)
        with pytest.raises(Conflict, match="the server rejected our request") as refused:
            await traffic.set_weight(await traffic.read(), 50)
    assert "its new value is refused" in refused.value.hint
    assert len(route.patches) == 3


async def test_older_servers_are_asked_in_their_version(faulty: FaultyServer, tmp_path: Path) -> None:
    route = OneRoute("gateway")
    faulty.script = route
    async with faulty.client(tmp_path) as client:
        traffic = route.traffic(client)
        await traffic.set_weight(await traffic.read(), 20)
    paths = {request.path for request in faulty.requests if "httproutes" in request.path}
    assert paths == {
        "/apis/gateway.networking.k8s.io/v1beta1/namespaces/shop/httproutes/web",
        "/apis/gateway.networking.k8s.io/v1beta1/namespaces/shop/httproutes",
    }
    assert [request.path for request in faulty.requests].count("/apis") == 1
