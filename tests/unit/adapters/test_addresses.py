"""The API server is reached while no name can be resolved."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cockpit.adapters.kubernetes import addresses
from cockpit.adapters.kubernetes.addresses import KnownAddresses

NAME = "api.cluster.invalid"


class Resolver:
    """The machine's resolver: `fault` is what it answers with, or that it hangs."""

    def __init__(self) -> None:
        self.fault: str = ""
        self.asked = 0

    async def getaddrinfo(self, host: str, port: int, **options: Any) -> list[Any]:
        self.asked += 1
        if self.fault == "hangs":
            await asyncio.Event().wait()
        if self.fault:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        assert host == NAME
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
async def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", made.getaddrinfo)
    monkeypatch.setattr(addresses, "PATIENCE", 0.05)
    return made


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/", _ok)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def _ok(request: web.Request) -> web.Response:
    return web.Response(text="ok")


@pytest.mark.parametrize("fault", ["fails", "hangs"])
async def test_the_last_answer_does_while_there_is_no_other(resolver: Resolver, port: int, fault: str) -> None:
    connector = aiohttp.TCPConnector(resolver=KnownAddresses(), use_dns_cache=False, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        for state in ("", fault, fault, ""):
            resolver.fault = state
            async with asyncio.timeout(5), session.get(f"http://{NAME}:{port}/") as answer:
                assert await answer.text() == "ok"
    assert resolver.asked >= 2


async def test_a_name_that_never_was_known_is_an_error(resolver: Resolver) -> None:
    resolver.fault = "fails"
    with pytest.raises(OSError, match="name resolution"):
        await KnownAddresses().resolve(NAME, 443)


async def test_a_server_that_moves_is_found(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownAddresses()
    assert [each["host"] for each in await known.resolve(NAME, 443)] == ["127.0.0.1"]

    async def moved(host: str, port: int, **options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", moved)
    found = await known.resolve(NAME, 6443)
    assert [(each["host"], each["port"]) for each in found] == [("127.0.0.2", 6443)]
