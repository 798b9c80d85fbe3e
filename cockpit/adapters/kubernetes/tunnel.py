"""One TCP connection through one WebSocket to `pods/portforward`.

Source: k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go, protocol v4.channel.k8s.io: every frame starts with a
channel byte, 0 for data and 1 for errors; the first two bytes that the server sends on each channel are the port,
little-endian. The protocol has no half-close: the server ends by closing the WebSocket, the client cannot say that it
has sent everything.
"""

from __future__ import annotations

import asyncio

import aiohttp

from cockpit.adapters.kubernetes.classify import FAILURES, Request, classify_failure
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.loopback import reset
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.errors import DeadlineExceeded, Denied, NotFound, OutsideError, Unreachable
from cockpit.model.text import clean

PROTOCOL = "v4.channel.k8s.io"
CONNECT = 5.0
"""Seconds for the WebSocket to be there."""

LINGER = 30.0
"""Seconds without data from the pod after which a connection ends whose local side has sent everything."""

_DATA, _ERROR = 0, 1
_PART = 65_536
_WORDS = 2_000


class Channels:
    """Takes the server's frames apart."""

    def __init__(self) -> None:
        self._ports = {_DATA: 2, _ERROR: 2}
        self._error = bytearray()

    def feed(self, frame: bytes) -> bytes:
        """The data in a frame."""
        if not frame or frame[0] not in self._ports:
            return b""
        channel = frame[0]
        skipped = min(self._ports[channel], len(frame) - 1)
        self._ports[channel] -= skipped
        data = frame[1 + skipped :]
        if channel == _DATA:
            return data
        self._error += data[: _WORDS - len(self._error)]
        return b""

    @property
    def error(self) -> str:
        """What the server said on the error channel."""
        return clean(self._error.decode("utf-8", "replace").strip())


async def connect(client: KubeClient, pods: Resource, pod: str, port: int) -> aiohttp.ClientWebSocketResponse:
    """A WebSocket to a port of a pod.

    Raises NotFound when the pod is gone, Denied without the right, Unreachable when its node refuses.
    """
    request = Request("create", pods.named(pod, "portforward"))
    try:
        async with asyncio.timeout(CONNECT):
            return await client.websocket(request, [("ports", str(port))], (PROTOCOL,))
    except FAILURES as error:
        raise _refused(error, request) from error


async def carry(
    socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> str:
    """Carry both directions until either side ends; returns what went wrong, empty when nothing did.

    The local connection is reset, not ended, when the way to the pod breaks: half an answer must not look whole.
    """
    channels, heard = Channels(), asyncio.Event()
    up = asyncio.create_task(_up(reader, socket), name="port-forward-up")
    down = asyncio.create_task(_down(socket, writer, channels, heard), name="port-forward-down")
    whole = False
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        if not down.done() and up.result():
            await _drain(down, heard)
        whole = down.done() and down.exception() is None and down.result() and not channels.error
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        await socket.close()
        if not whole:
            reset(writer)
    if channels.error or whole or not down.done() or down.cancelled():
        return channels.error
    return "" if isinstance(down.exception(), OSError) else "the connection to the pod broke"


async def _up(reader: asyncio.StreamReader, socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Whether the local side still listens, as far as it can tell."""
    while True:
        try:
            data = await reader.read(_PART)
        except OSError:
            return False
        if not data:
            return True
        try:
            await socket.send_bytes(bytes([_DATA]) + data)
        except (OSError, aiohttp.ClientError):
            return True


async def _down(
    socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter, channels: Channels, heard: asyncio.Event
) -> bool:
    """Whether the pod's side came to its end, rather than broke."""
    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            heard.set()
            if data := channels.feed(message.data):
                writer.write(data)
                await writer.drain()
        elif message.type is not aiohttp.WSMsgType.TEXT:
            return message.type is aiohttp.WSMsgType.CLOSE


async def _drain(down: asyncio.Task[bool], heard: asyncio.Event) -> None:
    """Wait for the rest of an answer whose question is complete."""
    while not down.done():
        heard.clear()
        await asyncio.wait({down}, timeout=LINGER)
        if not heard.is_set():
            return


def _refused(error: BaseException, request: Request) -> OutsideError:
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(f"The API server did not answer in time: {request}")
    if not isinstance(error, aiohttp.WSServerHandshakeError):
        # Nothing but a connection was asked for, whatever RBAC calls it.
        return classify_failure(error, Request("get", request.resource))
    where = request.resource
    if error.status in (401, 403):
        hint = f"Grant the verbs get and create on {where.right} in namespace {where.namespace}."
        return Denied(f"Not allowed to forward a port of the pod {clean(where.name)} (HTTP {error.status})", hint)
    if error.status == 404:
        return NotFound(f"The pod {clean(where.name)} does not exist.", "It may have been replaced.")
    message = f"No port of the pod {clean(where.name)} can be forwarded (HTTP {error.status})"
    return Unreachable(message, "The pod may not be running, or its node may be away.")
