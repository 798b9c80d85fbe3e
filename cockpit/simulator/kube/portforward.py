"""`pods/portforward` over WebSocket: the channel protocol, and kubectl's SPDY inside a WebSocket.

Plain SPDY upgrades, which kubectl used before 1.31, are refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from cockpit.simulator.faults import Fault
from cockpit.simulator.kube import spdy
from cockpit.simulator.kube.request import Actor
from cockpit.simulator.kube.status import ApiError
from cockpit.simulator.world.app_stream import AppStream
from cockpit.simulator.world.kinds import POD
from cockpit.simulator.world.values import Obj, dig, name_of, namespace_of
from cockpit.simulator.world.world import World

CHANNELS = "v4.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
_LOOK_EVERY = 0.5
Send = Callable[[bytes], Awaitable[None]]


class PortForward:
    """Leads into the world's pods."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def serve(self, request: web.Request, pod: Obj, actor: Actor) -> web.StreamResponse:
        """Answer one request; raises ApiError 400 for what cannot be started."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError(400, "Upgrade request required: port-forward is served over WebSocket")
        phase = dig(pod, "status", "phase", default="Pending")
        if phase != "Running":
            raise ApiError(400, f"unable to forward port because pod is not running. Current status={phase}")
        strike = self._world.faults.strike("portforward", self._world.cluster.now)
        if strike and strike.mode == "error":
            raise ApiError(strike.status, "error dialing backend: the kubelet is away")
        socket = web.WebSocketResponse(protocols=(TUNNEL, CHANNELS), timeout=0.5)
        ports = _ports(request)
        if not ports and TUNNEL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            raise ApiError(400, 'query parameter "ports" is required')
        await socket.prepare(request)
        self._world.record.add("portforward", f"pods/{name_of(pod)}", actor.user, agent=actor.agent)
        frames = self._frames(socket, pod, strike)
        with suppress(ConnectionError):
            if socket.ws_protocol == TUNNEL:
                await Tunnel(self._world, pod, socket.send_bytes).run(frames)
            else:
                await Channels(self._world, pod, ports, socket.send_bytes).run(frames)
        if strike and strike.mode in ("close", "lose") and request.transport is not None:
            request.transport.abort()
        await socket.close()
        return socket

    async def _frames(self, socket: web.WebSocketResponse, pod: Obj, strike: Fault | None) -> AsyncIterator[bytes]:
        """What the client sends, until it goes, the pod is gone, or a fault strikes."""
        mode = strike.mode if strike else ""
        while mode != "close":
            data = await self._next(socket)
            if data is None or self._gone(pod):
                return
            if strike and mode == "delay":
                await self._world.sleep(strike.delay)
            if data:
                yield data
            if data and mode == "lose":
                return

    async def _next(self, socket: web.WebSocketResponse) -> bytes | None:
        """The next frame, empty when there is none yet, None when the client is gone."""
        try:
            message = await socket.receive(timeout=_LOOK_EVERY)
        except TimeoutError:
            return b""
        if message.type is WSMsgType.BINARY:
            found: bytes = message.data
            return found
        return b"" if message.type is WSMsgType.TEXT else None

    def _gone(self, pod: Obj) -> bool:
        self._world.advance()
        current = self._world.cluster.store.get(POD, namespace_of(pod), name_of(pod))
        return current is None or current["metadata"]["uid"] != pod["metadata"]["uid"]


class Channels:
    """Protocol v4.channel.k8s.io: channel 2n is the data of the n-th port, 2n+1 its errors."""

    def __init__(self, world: World, pod: Obj, ports: list[int], send: Send) -> None:
        self._world = world
        self._pod = pod
        self._ports = ports
        self._send = send

    async def run(self, frames: AsyncIterator[bytes]) -> None:
        """Serve until the application or the client ends."""
        for number, port in enumerate(self._ports):
            for channel in (2 * number, 2 * number + 1):
                await self._send(bytes([channel]) + struct.pack("<H", port))
        for number, port in enumerate(self._ports):
            if not _listens(self._pod, port):
                await self._send(bytes([2 * number + 1]) + _refusal(self._pod, port).encode())
                return
        await self._answer(frames)

    async def _answer(self, frames: AsyncIterator[bytes]) -> None:
        streams = {2 * number: AppStream(self._world, self._pod) for number in range(len(self._ports))}
        async for frame in frames:
            stream = streams.get(frame[0]) if frame else None
            if stream is None:
                continue
            if answer := stream.feed(frame[1:]):
                await self._send(frame[:1] + answer)
            if stream.ended:
                return


class Tunnel:
    """SPDY/3.1 inside binary messages: a pair of streams, errors and data, for each TCP connection."""

    def __init__(self, world: World, pod: Obj, send: Send) -> None:
        self._world = world
        self._pod = pod
        self._send = send
        self._framer = spdy.Framer()
        self._errors: dict[str, int] = {}
        self._data: dict[int, tuple[AppStream, str]] = {}

    async def run(self, frames: AsyncIterator[bytes]) -> None:
        """Serve until the client ends."""
        async for part in frames:
            try:
                for frame in self._framer.feed(part):
                    await self._take(frame)
            except (zlib.error, struct.error):
                return

    async def _take(self, frame: spdy.Frame) -> None:
        if frame.kind == spdy.SYN_STREAM:
            await self._open(frame)
        elif frame.kind == spdy.PING:
            await self._send(spdy.ping_frame(frame.data))
        elif frame.kind == spdy.RST_STREAM:
            self._data.pop(frame.stream, None)
        elif frame.kind is None and frame.stream in self._data:
            await self._answer(frame)

    async def _open(self, frame: spdy.Frame) -> None:
        """Accept a stream; the pair is complete with its data stream."""
        pair, port = frame.headers.get("requestid", ""), frame.headers.get("port", "")
        kind = frame.headers.get("streamtype")
        if kind not in ("error", "data") or not port.isdecimal():
            await self._send(spdy.reset_frame(frame.stream))
            return
        await self._send(self._framer.reply(frame.stream))
        if kind == "error":
            self._errors[pair] = frame.stream
            return
        self._data[frame.stream] = AppStream(self._world, self._pod), pair
        if not _listens(self._pod, int(port)):
            await self._end(frame.stream, _refusal(self._pod, int(port)))

    async def _answer(self, frame: spdy.Frame) -> None:
        stream, _ = self._data[frame.stream]
        if answer := stream.feed(frame.data):
            await self._send(spdy.data_frame(frame.stream, answer))
        if stream.ended or frame.fin:
            await self._end(frame.stream)

    async def _end(self, number: int, error: str = "") -> None:
        _, pair = self._data.pop(number)
        await self._send(spdy.data_frame(number, b"", fin=True))
        if (errors := self._errors.pop(pair, None)) is not None:
            await self._send(spdy.data_frame(errors, error.encode(), fin=True))


def _ports(request: web.Request) -> list[int]:
    """The ports of the query; raises ApiError 400 for what is no port."""
    words = [word for value in request.query.getall("ports", []) for word in value.split(",")]
    ports = [int(word) if word.isascii() and word.isdecimal() else 0 for word in words]
    if any(not 0 < port < 65_536 for port in ports):
        raise ApiError(400, f'unable to parse "{words[0]}" as a port')
    return ports


def _listens(pod: Obj, port: int) -> bool:
    containers: list[Obj] = dig(pod, "spec", "containers", default=[])
    return any(each["containerPort"] == port for container in containers for each in container.get("ports", []))


def _refusal(pod: Obj, port: int) -> str:
    uid = pod["metadata"]["uid"]
    return (
        f"error forwarding port {port} to pod {name_of(pod)}, uid {uid}: failed to execute portforward in network"
        f' namespace: failed to connect to localhost:{port} inside namespace "{uid}": connect: connection refused'
    )
