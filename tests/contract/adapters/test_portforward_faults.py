"""A port-forward, over a WebSocket server that does what kubelets and networks do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web

from cockpit.adapters.kubernetes import portforward, tunnel
from cockpit.adapters.kubernetes.portforward import Goal, PortForward
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.errors import Conflict, Denied, NotFound, OutsideError, Unreachable

from .faulty import FaultyServer, answer, status
from .stage import until

PODS = Resource("", "v1", "pods", "n")
HEADS = (b"\x00\xb8\x0b", b"\x01\xb8\x0b")
Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


def talks(faulty: FaultyServer, talk: Talk) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(tunnel.PROTOCOL,), timeout=0.1)
        await socket.prepare(request)
        await talk(socket)
        await socket.close()
        return socket

    faulty.script = script


@asynccontextmanager
async def forwarding(
    faulty: FaultyServer, tmp_path: Path, pods: tuple[str, ...] = ("web-1",), probe: bool = False
) -> AsyncIterator[PortForward]:
    """A forward to the first of the pods, then to the next; the last one for ever."""
    left = list(pods)

    async def choose() -> Goal:
        return Goal(left.pop(0) if len(left) > 1 else left[0], 3000)

    async with asyncio.timeout(20), faulty.client(tmp_path) as client:
        forward = PortForward(client, PODS, choose)
        await forward.open(probe=probe)
        try:
            yield forward
        finally:
            await forward.close()


async def ask(forward: PortForward, said: bytes, half_close: bool = False) -> bytes:
    """What comes back until the other side ends; raises ConnectionError when it breaks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.local_port)
    try:
        writer.write(said)
        if half_close:
            writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


async def problem(forward: PortForward) -> str:
    async def look() -> str:
        return forward.problem

    return await until(look, bool)


async def echo(socket: web.WebSocketResponse) -> None:
    """Says what is asked, in capitals, until a full stop."""
    for head in HEADS:
        await socket.send_bytes(head)
    async for message in socket:
        await socket.send_bytes(b"\x00" + message.data[1:].upper())
        if message.data.endswith(b"."):
            return


async def test_both_directions_are_carried(faulty: FaultyServer, tmp_path: Path) -> None:
    talks(faulty, echo)
    async with forwarding(faulty, tmp_path) as forward:
        assert await ask(forward, b"hello.") == b"HELLO."
        big = bytes(range(97, 122)) * 80_000
        assert await ask(forward, big + b".") == big.upper() + b"."
        assert (forward.connections, forward.problem, forward.pod) == (2, "", "web-1")
    request = faulty.requests[-1]
    assert request.path == "/api/v1/namespaces/n/pods/web-1/portforward"
    assert request.query.getall("ports") == ["3000"]
    assert request.headers["Sec-WebSocket-Protocol"] == "v4.channel.k8s.io"


@pytest.mark.parametrize(
    "frames",
    [
        (b"\x00\xb8\x0bdata", b"\x01\xb8\x0b"),
        (b"\x00", b"\x00\xb8", b"\x01\xb8\x0b", b"\x00\x0bda", b"\x07what", b"", b"\x00ta"),
    ],
)
async def test_port_at_the_head_of_a_channel_is_no_data(
    faulty: FaultyServer, tmp_path: Path, frames: tuple[bytes, ...]
) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for frame in frames:
            await socket.send_bytes(frame)

    talks(faulty, talk)
    async with forwarding(faulty, tmp_path) as forward:
        assert await ask(forward, b"") == b"data"
        assert forward.problem == ""


async def test_answer_arrives_after_the_question_has_ended(faulty: FaultyServer, tmp_path: Path) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.receive_bytes()
        await asyncio.sleep(0.05)
        for head in HEADS:
            await socket.send_bytes(head)
        for part in (b"\x00late ", b"\x00answer"):
            await asyncio.sleep(0.05)
            await socket.send_bytes(part)

    talks(faulty, talk)
    async with forwarding(faulty, tmp_path) as forward:
        assert await ask(forward, b"question", half_close=True) == b"late answer"


async def test_one_that_says_nothing_to_a_complete_question_is_given_up(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "LINGER", 0.1)
    ended = asyncio.Event()

    async def talk(socket: web.WebSocketResponse) -> None:
        while (await socket.receive()).type is WSMsgType.BINARY:
            pass
        ended.set()

    talks(faulty, talk)
    async with forwarding(faulty, tmp_path) as forward:
        with pytest.raises(ConnectionError):
            await ask(forward, b"question", half_close=True)
        await ended.wait()
        assert forward.problem == ""


async def test_error_channel_becomes_the_problem(faulty: FaultyServer, tmp_path: Path) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for head in HEADS:
            await socket.send_bytes(head)
        await socket.send_bytes(b"\x01connect: connection \x1b[31mrefused")

    talks(faulty, talk)
    async with forwarding(faulty, tmp_path) as forward:
        with pytest.raises(ConnectionError):
            await ask(forward, b"x")
        assert await problem(forward) == "connect: connection \N{REPLACEMENT CHARACTER}[31mrefused"
        assert forward.listening


async def test_way_that_breaks_cuts_the_connection_too(faulty: FaultyServer, tmp_path: Path) -> None:
    """Half an answer must not look like a whole one."""

    async def talk(socket: web.WebSocketResponse) -> None:
        for head in HEADS:
            await socket.send_bytes(head)
        await socket.send_bytes(b"\x00half an")
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    talks(faulty, talk)
    async with forwarding(faulty, tmp_path) as forward:
        with pytest.raises(ConnectionError):
            await ask(forward, b"x")
        assert await problem(forward) == "the connection to the pod broke"


async def test_next_connection_goes_to_another_pod(faulty: FaultyServer, tmp_path: Path) -> None:
    talks(faulty, echo)
    alive = faulty.script

    async def script(request: web.Request) -> web.StreamResponse:
        if "web-1" in request.path and len(faulty.requests) > 1:
            return answer(404, status(404, "NotFound", "gone"))
        return await alive(request)

    faulty.script = script
    async with forwarding(faulty, tmp_path, ("web-1", "web-2")) as forward:
        assert await ask(forward, b"a.") == b"A."
        assert await ask(forward, b"b.") == b"B."
        assert (forward.pod, forward.problem, forward.connections) == ("web-2", "", 2)


async def test_pod_that_was_named_and_is_gone_ends_the_forward(faulty: FaultyServer, tmp_path: Path) -> None:
    async with forwarding(faulty, tmp_path) as forward:
        with pytest.raises(ConnectionError):
            await ask(forward, b"x")
        assert "web-1 does not exist" in await problem(forward)
        assert not forward.listening


@pytest.mark.parametrize(
    ("code", "error"), [(401, Denied), (403, Denied), (404, NotFound), (400, Unreachable), (502, Unreachable)]
)
async def test_refusal_is_found_at_once(
    faulty: FaultyServer, tmp_path: Path, code: int, error: type[OutsideError]
) -> None:
    async def script(_: web.Request) -> web.StreamResponse:
        return answer(code, status(code, "No", "no"))

    faulty.script = script
    with pytest.raises(error) as refused:
        async with forwarding(faulty, tmp_path, probe=True):
            pytest.fail("it opened")
    if error is Denied:
        assert refused.value.hint == "Grant the verbs get and create on pods/portforward in namespace n."


async def test_port_that_is_taken_is_a_conflict(faulty: FaultyServer, tmp_path: Path) -> None:
    async def choose() -> Goal:
        return Goal("web-1", 3000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        async with faulty.client(tmp_path) as client:
            with pytest.raises(Conflict, match="taken"):
                await PortForward(client, PODS, choose).open(server.getsockname()[1], probe=False)


async def test_closing_ends_listener_and_connections(faulty: FaultyServer, tmp_path: Path) -> None:
    talks(faulty, echo)
    async with forwarding(faulty, tmp_path) as forward:
        reader, writer = await asyncio.open_connection("127.0.0.1", forward.local_port)
        writer.write(b"a")
        assert await reader.read(1) == b"A"
        await forward.close()
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)
        writer.close()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", forward.local_port)


async def test_other_users_of_the_machine_are_refused(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks(faulty, echo)
    monkeypatch.setattr(portforward, "is_ours", lambda *_: False)
    async with forwarding(faulty, tmp_path) as forward:
        with pytest.raises(ConnectionError):
            await ask(forward, b"a.")
        assert "another user" in await problem(forward)
    assert faulty.requests == []


async def test_slow_reader_holds_the_pod_back(faulty: FaultyServer, tmp_path: Path) -> None:
    sent = 0

    async def talk(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        for head in HEADS:
            await socket.send_bytes(head)
        for _ in range(1000):
            await socket.send_bytes(b"\x00" + b"x" * 65_535)
            sent += 65_535

    talks(faulty, talk)
    async with forwarding(faulty, tmp_path) as forward:
        reader, writer = await asyncio.open_connection("127.0.0.1", forward.local_port)
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.2)
        assert 0 < sent < 40 * 2**20
        assert len(await reader.read()) == 1000 * 65_535
        writer.close()
