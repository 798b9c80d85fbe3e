"""Cloudflare's purge, against servers that refuse and throttle, and against the simulator with its faults."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from cockpit.adapters.cloudflare import BATCH, BATCH_PREFIXES, Cloudflare
from cockpit.adapters.web import retry_after, web_client
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, OutsideError, Unreachable
from cockpit.model.clock import RunClock
from cockpit.model.outside import Purge
from cockpit.simulator.faults import Fault
from cockpit.simulator.server import Simulator

from .faulty import FaultyServer, Script, always, answer, cut, in_turn

TOKEN = SecretStr("s3cret-token")


def purged(number: int = 0) -> dict[str, object]:
    return {"success": True, "errors": [], "result": {"id": f"{number:032x}"}}


class Said(list[str]):
    async def __call__(self, message: str) -> None:
        self.append(message)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with web_client() as client:
        yield client


async def purge(
    client: httpx.AsyncClient, api: str, what: Purge | None = None, deadline: float = 1.0, said: Said | None = None
) -> tuple[str, ...]:
    say = Said() if said is None else said
    return await Cloudflare(client).purge(api, "z0", TOKEN, what or Purge(), deadline, say)


async def test_purge_returns_the_id(client: httpx.AsyncClient, faulty: FaultyServer) -> None:
    faulty.script = always(200, purged(7))
    assert await purge(client, faulty.url + "/client/v4/") == (f"{7:032x}",)
    (request,) = faulty.requests
    assert (request.method, request.path) == ("POST", "/client/v4/zones/z0/purge_cache")
    assert request.headers["Authorization"] == "Bearer s3cret-token"
    assert json.loads(faulty.bodies[0]) == {"purge_everything": True}


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (
            always(200, {"success": False, "errors": [{"code": 1012, "message": "no zone"}]}),
            BadAnswer,
            r"no zone \(1012\)",
        ),
        (
            always(
                400,
                {
                    "success": False,
                    "errors": [{"code": 6003, "message": "bad", "error_chain": [{"code": 6111, "message": "format"}]}],
                },
            ),
            BadAnswer,
            r"bad \(6003\), because format \(6111\)",
        ),
        (always(403, {"success": False, "errors": [{"code": 9109, "message": "bad token"}]}), Denied, "bad token"),
        (always(200, "<html>"), BadAnswer, "did not purge"),
        (always(200, {"success": False, "errors": None}), BadAnswer, "no reason given"),
        (
            always(429, "slow", Retry_After="17"),
            Unreachable,
            "429: slow; it asks to wait 17 s, and 1 s are left after 1 try",
        ),
        (always(502, "<html>bad gateway</html>"), Unreachable, "502"),
        (cut, DeadlineExceeded, "broke"),
    ],
)
async def test_failures(
    client: httpx.AsyncClient, faulty: FaultyServer, script: Script, error: type[OutsideError], words: str
) -> None:
    faulty.script = script
    with pytest.raises(error, match=words) as failure:
        await purge(client, faulty.url)
    assert "s3cret" not in str(failure.value) + failure.value.hint


@pytest.mark.parametrize("trouble", [always(429, "slow", Retry_After="0"), always(503, "away"), cut])
async def test_trouble_that_passes_is_waited_out(
    client: httpx.AsyncClient, faulty: FaultyServer, trouble: Script
) -> None:
    faulty.script = in_turn(trouble, always(200, purged()))
    said = Said()
    assert await purge(client, faulty.url, deadline=20.0, said=said) == (f"{0:032x}",)
    assert len(faulty.requests) == 2
    assert "trying again in" in said[0]


@pytest.mark.parametrize(
    ("by", "key", "size"), [("urls", "files", BATCH), ("tags", "tags", BATCH), ("hosts", "hosts", BATCH),
                            ("prefixes", "prefixes", BATCH_PREFIXES)],
)  # fmt: skip
async def test_lists_go_in_batches(
    client: httpx.AsyncClient, faulty: FaultyServer, by: str, key: str, size: int
) -> None:
    values = tuple(f"v{number}" for number in range(2 * size + 1))

    async def script(_: web.Request) -> web.StreamResponse:
        return answer(200, purged(len(faulty.requests)))

    faulty.script = script
    said = Said()
    what = Purge(by, values)  # type: ignore[arg-type]
    assert await purge(client, faulty.url, what, said=said) == tuple(f"{number:032x}" for number in (1, 2, 3))
    sent = [json.loads(body)[key] for body in faulty.bodies]
    assert [len(part) for part in sent] == [size, size, 1]
    assert tuple(value for part in sent for value in part) == values
    assert said[-1] == f"batch 3 of 3 purged, result id {3:032x}"


async def test_what_was_purged_before_a_failure_is_told(client: httpx.AsyncClient, faulty: FaultyServer) -> None:
    refused = {"success": False, "errors": [{"code": 1094, "message": "invalid tag"}]}
    faulty.script = in_turn(always(200, purged(1)), always(400, refused))
    words = (
        rf"1 of 3 batches are purged \(result id {1:032x}\), then: Cloudflare answered HTTP 400: invalid tag \(1094\)"
    )
    with pytest.raises(BadAnswer, match=words):
        await purge(client, faulty.url, Purge("tags", tuple(f"t{number}" for number in range(250))))


def test_a_wait_may_be_a_number_or_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    wait = retry_after(httpx.Headers({"Retry-After": later}))
    assert wait is not None
    assert 290 < wait <= 300
    assert retry_after(httpx.Headers({"Retry-After": "12"})) == 12
    assert retry_after(httpx.Headers({"Retry-After": "soon"})) is None
    assert retry_after(httpx.Headers()) is None


class TestSimulator:
    @pytest.fixture
    async def simulator(self) -> AsyncIterator[Simulator]:
        async with Simulator(clock=RunClock.starting(datetime.now(UTC), speed=20.0)) as simulator:
            yield simulator

    async def test_it_keeps_what_is_purged(self, client: httpx.AsyncClient, simulator: Simulator) -> None:
        api = simulator.addresses()["cloudflare"]
        everything = await purge(client, api)
        hosts = await purge(client, api, Purge("hosts", ("www.example.com",)))
        effects = simulator.world.record.all("purge")
        assert [effect.detail["request"] for effect in effects] == [
            {"purge_everything": True},
            {"hosts": ["www.example.com"]},
        ]
        assert [effect.detail["result"] for effect in effects] == [*everything, *hosts]

    @pytest.mark.parametrize("body", [{}, {"hosts": []}, {"tags": ["a"], "hosts": ["b"]}, {"files": ["x"] * 101}, []])
    async def test_it_refuses_what_cloudflare_refuses(
        self, client: httpx.AsyncClient, simulator: Simulator, body: object
    ) -> None:
        url = f"{simulator.addresses()['cloudflare']}/zones/z0/purge_cache"
        reply = await client.post(url, json=body, headers={"Authorization": "Bearer x"})
        assert reply.status_code == 400
        assert reply.json()["success"] is False

    @pytest.mark.parametrize("status", [429, 503])
    async def test_a_passing_fault_is_waited_out(
        self, client: httpx.AsyncClient, simulator: Simulator, status: int
    ) -> None:
        now = simulator.world.cluster.now
        simulator.world.faults.set(Fault("cloudflare", status=status, lasts=6.0), now)
        said = Said()
        assert await purge(client, simulator.addresses()["cloudflare"], deadline=30.0, said=said)
        assert f"HTTP {status}" in said[0]

    async def test_a_cdn_that_is_down_ends_with_the_deadline(
        self, client: httpx.AsyncClient, simulator: Simulator
    ) -> None:
        simulator.world.faults.set(Fault("cloudflare", mode="close"), simulator.world.cluster.now)
        with pytest.raises(OutsideError, match="are left after"):
            await purge(client, simulator.addresses()["cloudflare"])
