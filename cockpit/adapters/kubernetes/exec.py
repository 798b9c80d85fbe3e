"""Commands in a container, over our own WebSocket client.

The library's client merges the streams, drops the exit code and reports a cut connection as success.
Source: k8s.io/client-go/tools/remotecommand, protocols v5.channel.k8s.io and v4.channel.k8s.io: every frame starts with
a channel byte; the error channel ends the command with a `Status`.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import re
from collections.abc import Sequence

import aiohttp

from cockpit.adapters.kubernetes.classify import FAILURES, Request, classify_failure, classify_status
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, text
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, OutsideError, Unreachable
from cockpit.model.cluster import ExecResult
from cockpit.model.text import clean, clean_lines

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
OUTPUT = 65_536
"""Characters of each stream that are kept."""

_STDOUT, _STDERR, _ERROR = 1, 2, 3
_NOTHING_STARTED = re.compile(
    r"executable file not found|no such file|permission denied|OCI runtime exec failed|container not found"
    r"|unable to upgrade connection|not running",
    re.IGNORECASE,
)
"""What container runtimes and kubelets say when the command never began."""


class Streams:
    """Collects the frames of one command."""

    def __init__(self) -> None:
        self._decoders = {channel: codecs.getincrementaldecoder("utf-8")("replace") for channel in (_STDOUT, _STDERR)}
        self._texts = {_STDOUT: "", _STDERR: ""}
        self._status = bytearray()
        self.ended = False
        """Whether the server has said how the command ended."""

    def feed(self, frame: bytes) -> None:
        """Take one frame; a character may be split over two of them."""
        channel, data = frame[:1], frame[1:]
        if channel == bytes([_ERROR]):
            self._status += data[: OUTPUT - len(self._status)]
            self.ended = _is_json(self._status)
        elif channel and len(self._texts.get(channel[0], " " * OUTPUT)) < OUTPUT:
            kept = self._texts[channel[0]]
            self._texts[channel[0]] = (kept + self._decoders[channel[0]].decode(data))[:OUTPUT]

    def result(self, pod: str) -> ExecResult:
        """The result; raises BadAnswer when the command could not be started, DeadlineExceeded when that is unknown."""
        code = exit_code(bytes(self._status))
        out, err = (clean_lines(self._texts[channel], OUTPUT) for channel in (_STDOUT, _STDERR))
        return ExecResult(code, out, err, pod)


def exit_code(status: bytes) -> int:
    """The exit code in a `Status` of the error channel.

    Without one the node had a problem: raises BadAnswer when it says that nothing was started, else DeadlineExceeded,
    because a kubelet reports a lost command in the same way as one that it could not start.
    """
    try:
        value: Json = json.loads(status)
    except ValueError:
        value = {}
    if text(value, "status") == "Success":
        return 0
    for cause in items(value, "details", "causes"):
        if dig(cause, "reason") == "ExitCode" and text(cause, "message").isdecimal():
            return int(text(cause, "message"))
    said = clean(text(value, "message")) or "no reason given"
    if _NOTHING_STARTED.search(said):
        raise BadAnswer(f"The command did not run: {said}")
    raise _unknown(f"the node says {said}")


def _is_json(data: bytes | bytearray) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


async def run(
    client: KubeClient, pod: Resource, argv: Sequence[str], deadline: float, container: str | None
) -> ExecResult:
    """Run argv within `deadline` seconds.

    Raises DeadlineExceeded when the connection ends, or time is up, before the server has said how the command ended:
    it may then still be running.
    """
    request = Request("get", pod)
    client.check(request)
    query = [*(("command", word) for word in argv), ("stdout", "true"), ("stderr", "true")]
    if container:
        query.append(("container", container))
    streams = Streams()
    try:
        async with asyncio.timeout(deadline):
            try:
                socket = await client.websocket(request, query, PROTOCOLS)
            except FAILURES as error:
                raise _not_started(error, request) from error
            async with socket:
                await _read(socket, streams)
    except TimeoutError as error:
        if not streams.ended:
            raise _unknown(f"{pod.name} did not finish within {deadline:g} s") from error
    except FAILURES as error:
        if not streams.ended:
            raise _unknown(f"the connection to {pod.name} broke") from error
    if not streams.ended:
        raise _unknown(f"the connection to {pod.name} ended")
    return streams.result(clean(pod.name))


async def _read(socket: aiohttp.ClientWebSocketResponse, streams: Streams) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY:
            streams.feed(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            streams.feed(message.data.encode())
        if streams.ended:
            return


def _not_started(error: BaseException, request: Request) -> OutsideError:
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(f"The API server did not answer in time: {request}", "The command may have started.")
    if not isinstance(error, aiohttp.WSServerHandshakeError):
        found = classify_failure(error, request)
        # The request is a GET that runs a command: once it was sent, nobody knows.
        sent = isinstance(found, Unreachable) and not isinstance(error, aiohttp.ClientConnectorError)
        return _unknown(f"the connection broke while {request.resource.name} was asked to run it") if sent else found
    if error.status == 403:
        hint = f"Grant the verbs get and create on pods/exec in namespace {request.resource.namespace}."
        return Denied(f"Not allowed to {request}", hint)
    if error.status in (400, 404) or error.status >= 500:
        message = f"The API server refused {request} with HTTP {error.status}"
        return Unreachable(message, "The pod, its container or its node may be gone; nothing was run.")
    return classify_status(error.status, b"", request)


def _unknown(what: str) -> DeadlineExceeded:
    return DeadlineExceeded(f"Outcome unknown: {what}", "The command may have run, or may still be running.")
