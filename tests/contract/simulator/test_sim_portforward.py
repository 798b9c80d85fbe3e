"""Port-forwards and logs of the simulated API server, byte by byte."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from typing import Any

import aiohttp
import pytest

from cockpit.simulator.kube import spdy
from cockpit.simulator.kube.portforward import CHANNELS, TUNNEL

from .conftest import Stage

REQUEST = b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n"


async def pod_name(stage: Stage, selector: str = "version=blue") -> str:
    found = await stage.get(stage.url("pods"), params={"labelSelector": selector})
    return str(found["items"][0]["metadata"]["name"])


def connect(stage: Stage, pod: str, ports: str = "3000", protocol: str = CHANNELS) -> Any:
    params = {"ports": ports} if ports else {}
    return stage.session.ws_connect(stage.url("pods", f"{pod}/portforward"), params=params, protocols=(protocol,))


async def strike(stage: Stage, surface: str, mode: str, **parts: Any) -> None:
    fault = {"surface": surface, "mode": mode, **parts}
    await stage.call("POST", f"{stage.simulator.http_url}/sim/fault", json=fault)


async def test_channels_lead_to_the_application(stage: Stage) -> None:
    async with asyncio.timeout(10), connect(stage, await pod_name(stage), "3000,3000") as socket:
        assert socket.protocol == CHANNELS
        heads = [await socket.receive_bytes() for _ in range(4)]
        assert heads == [bytes([channel]) + struct.pack("<H", 3000) for channel in range(4)]
        await socket.send_bytes(b"\x02" + REQUEST[:10])
        await socket.send_bytes(b"\x02" + REQUEST[10:] + REQUEST.replace(b"/version", b"/nowhere"))
        answer = await socket.receive_bytes()
    assert answer.startswith(b"\x02HTTP/1.1 200 OK\r\n")
    assert b'{"version": "0.9.4"}' in answer
    assert b"HTTP/1.1 404 Not Found" in answer


@pytest.mark.parametrize(
    ("request_bytes", "head"),
    [
        (b"HEAD /health HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET /health HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
    ],
)
async def test_application_speaks_http(stage: Stage, request_bytes: bytes, head: bytes) -> None:
    async with asyncio.timeout(10), connect(stage, await pod_name(stage)) as socket:
        for _ in range(2):
            await socket.receive_bytes()
        await socket.send_bytes(b"\x00" + request_bytes)
        answer = await socket.receive_bytes()
        assert answer[1:].startswith(head)
        if b"HEAD" in request_bytes:
            assert answer.endswith(b"\r\n\r\n")
        else:
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_body_of_a_request_is_skipped(stage: Stage) -> None:
    async with asyncio.timeout(10), connect(stage, await pod_name(stage)) as socket:
        for _ in range(2):
            await socket.receive_bytes()
        await socket.send_bytes(b"\x00POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n" + b"x" * 15)
        assert b"200 OK" in await socket.receive_bytes()
        await socket.send_bytes(b"\x00" + b"x" * 5 + REQUEST)
        assert b"0.9.4" in await socket.receive_bytes()


async def test_port_that_nothing_listens_at_is_told_on_the_error_channel(stage: Stage) -> None:
    async with asyncio.timeout(10), connect(stage, await pod_name(stage), "81") as socket:
        frames = [message.data async for message in socket]
    assert frames[:2] == [b"\x00\x51\x00", b"\x01\x51\x00"]
    assert frames[2].startswith(b"\x01error forwarding port 81 to pod moshimoshi-blue-")
    assert frames[2].endswith(b"connect: connection refused")


@pytest.mark.parametrize("ports", ["", "0", "70000", "http"])
async def test_bad_ports_are_refused(stage: Stage, ports: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(stage, await pod_name(stage), ports)
    assert refused.value.status == 400


async def test_forward_needs_its_right_a_pod_and_an_upgrade(stage: Stage) -> None:
    pod = await pod_name(stage)
    assert (await stage.call("GET", stage.url("pods", f"{pod}/portforward")))[0] == 400
    for name, status in (("nobody", 404), (pod, 403)):
        if status == 403:
            stage.simulator.kube.access.denied.add(("create", "pods/portforward"))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(stage, name)
        assert refused.value.status == status


async def test_forward_ends_with_its_pod(stage: Stage) -> None:
    pod = await pod_name(stage)
    async with asyncio.timeout(10), connect(stage, pod) as socket:
        await socket.receive_bytes()
        await stage.call("DELETE", stage.url("pods", pod), params={"gracePeriodSeconds": "0"})
        stage.forward(60)
        assert [message async for message in socket][1:] == []


@pytest.mark.parametrize("mode", ["close", "lose"])
async def test_forward_that_a_fault_breaks(stage: Stage, mode: str) -> None:
    await strike(stage, "portforward", mode)
    async with asyncio.timeout(10), connect(stage, await pod_name(stage)) as socket:
        for _ in range(2):
            await socket.receive_bytes()
        await socket.send_bytes(b"\x00" + REQUEST)
        kinds = [message.type for message in [await socket.receive(), await socket.receive()]]
    assert aiohttp.WSMsgType.CLOSE not in kinds
    assert (aiohttp.WSMsgType.BINARY in kinds) is (mode == "lose")


def headers(**values: str) -> bytes:
    block = struct.pack(">I", len(values))
    for name, value in values.items():
        for word in (name.encode(), value.encode()):
            block += struct.pack(">I", len(word)) + word
    return block


class Client:
    """The other side of a SPDY connection."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 8, 0, spdy.DICTIONARY)
        self._framer = spdy.Framer()

    def open(self, stream: int, kind: str, port: str = "3000") -> bytes:
        block = headers(streamtype=kind, port=port, requestid="0")
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack(">IIH", stream, 0, 0) + packed
        return struct.pack(">II", 0x8003_0001, len(body)) + body

    async def frames(self, socket: aiohttp.ClientWebSocketResponse, count: int) -> list[tuple[int | None, int, bool]]:
        found: list[spdy.Frame] = []
        while len(found) < count:
            found += self._framer.feed(await socket.receive_bytes())
        self.data = b"".join(frame.data for frame in found if frame.kind is None)
        return [(frame.kind, frame.stream, frame.fin) for frame in found]


async def test_spdy_inside_a_websocket_leads_to_the_application(stage: Stage) -> None:
    client = Client()
    async with asyncio.timeout(10), connect(stage, await pod_name(stage), "", TUNNEL) as socket:
        assert socket.protocol == TUNNEL
        opening = client.open(1, "error") + client.open(3, "data")
        for at in range(0, len(opening), 7):
            await socket.send_bytes(opening[at : at + 7])
        assert await client.frames(socket, 2) == [(spdy.SYN_REPLY, 1, False), (spdy.SYN_REPLY, 3, False)]
        await socket.send_bytes(spdy.data_frame(3, REQUEST))
        assert await client.frames(socket, 1) == [(None, 3, False)]
        assert b"0.9.4" in client.data
        await socket.send_bytes(struct.pack(">III", 0x8003_0006, 4, 9))
        assert await client.frames(socket, 1) == [(spdy.PING, 9, False)]
        await socket.send_bytes(spdy.data_frame(3, b"", fin=True))
        assert await client.frames(socket, 2) == [(None, 3, True), (None, 1, True)]
        await socket.send_bytes(client.open(5, "error") + client.open(7, "data", "81"))
        await client.frames(socket, 4)
        assert client.data.endswith(b"connection refused")
        await socket.send_bytes(client.open(9, "video"))
        assert await client.frames(socket, 1) == [(spdy.RST_STREAM, 9, False)]


def test_spdys_dictionary_is_the_one_of_the_protocol() -> None:
    assert (len(spdy.DICTIONARY), zlib.adler32(spdy.DICTIONARY)) == (1423, 0xE3C6A7C2)


async def log(stage: Stage, pod: str, **query: str) -> list[str]:
    async with stage.session.get(stage.url("pods", f"{pod}/log"), params=query) as response:
        assert response.status == 200
        return (await response.text()).splitlines()


async def test_logs_are_narrowed_as_the_api_does(stage: Stage) -> None:
    pod = await pod_name(stage)
    whole = await log(stage, pod, timestamps="true", tailLines="50")
    stamps = [text.split(" ", 1)[0] for text in whole]
    assert stamps == sorted(stamps)
    assert all(len(stamp) == len("2026-11-26T08:00:00.000000000Z") for stamp in stamps)
    assert await log(stage, pod, tailLines="0") == []
    assert await log(stage, pod, timestamps="true", sinceTime=stamps[-3]) == whole[-3:]
    assert await log(stage, pod, timestamps="true", sinceTime=stamps[-3].replace(".000000000", ".9")) == whole[-3:]
    assert await log(stage, pod, timestamps="true", sinceTime=stamps[-3], tailLines="1") == whole[-1:]
    assert await log(stage, pod, sinceTime="2100-01-01T00:00:00Z") == []
    assert len("".join(await log(stage, pod, limitBytes="10"))) == 10
    assert len(await log(stage, pod, sinceSeconds="9")) in (2, 3)
    assert await log(stage, pod, timestamps="true", tailLines="2", container="web") == whole[-2:]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"tailLines": "-1"}, 422),
        ({"limitBytes": "0"}, 422),
        ({"sinceSeconds": "0"}, 422),
        ({"sinceTime": "2026-01-01T00:00:00Z", "sinceSeconds": "5"}, 422),
        ({"sinceTime": "yesterday"}, 400),
        ({"container": "sidecar"}, 400),
        ({"previous": "true", "follow": "true"}, 400),
    ],
)
async def test_bad_log_queries_are_refused(stage: Stage, query: dict[str, str], code: int) -> None:
    assert (await stage.call("GET", stage.url("pods", f"{await pod_name(stage)}/log"), params=query))[0] == code


async def test_followed_log_ends_when_its_container_crashes(stage: Stage) -> None:
    await stage.call("POST", f"{stage.simulator.http_url}/sim/scenario", json={"name": "crashloop"})
    await stage.deploy("gcr.io/moshimoshi-prod/moshimoshi:1.0.0")
    stage.forward(5)
    found = (await stage.get(stage.url("pods"), params={"labelSelector": "version=blue"}))["items"]
    young = next(pod for pod in found if pod["spec"]["containers"][0]["image"].endswith(":1.0.0"))
    url = stage.url("pods", f"{young['metadata']['name']}/log")
    async with asyncio.timeout(10), stage.session.get(url, params={"follow": "true"}) as response:
        stage.forward(8)
        lines = [json.loads(text) for text in (await response.text()).splitlines()]
    assert (lines[0]["msg"], lines[-1]["level"]) == ("listening", "fatal")
    again = [json.loads(text) for text in await log(stage, young["metadata"]["name"], follow="true")]
    assert again == lines


async def test_log_faults(stage: Stage) -> None:
    pod = await pod_name(stage)
    await strike(stage, "log", "close")
    with pytest.raises(aiohttp.ClientPayloadError):
        await log(stage, pod)
    await stage.call("DELETE", f"{stage.simulator.http_url}/sim/fault")
    await strike(stage, "log", "error", status=502)
    assert (await stage.call("GET", stage.url("pods", f"{pod}/log")))[0] == 502
