"""Commands in a pod, over a WebSocket server that does what kubelets and networks do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes import exec
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, NotFound, Unreachable
from cockpit.model.cluster import ExecResult

from .faulty import FaultyServer, answer, cut, status

POD = Resource("", "v1", "pods", "n", "redis-0", "exec")
SUCCESS = {"kind": "Status", "status": "Success"}
Command = Callable[[web.WebSocketResponse], Awaitable[None]]


def failed(code: int) -> dict[str, Any]:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}


def runs(faulty: FaultyServer, command: Command, protocols: tuple[str, ...] = exec.PROTOCOLS) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=protocols, timeout=0.1)
        await socket.prepare(request)
        await command(socket)
        return socket

    faulty.script = script


async def run(
    faulty: FaultyServer, tmp_path: Path, argv: tuple[str, ...] = ("true",), deadline: float = 5.0
) -> ExecResult:
    async with faulty.client(tmp_path) as client:
        return await exec.run(client, POD, argv, deadline, "redis")


@pytest.mark.parametrize("protocol", exec.PROTOCOLS)
async def test_exit_code_and_both_streams(faulty: FaultyServer, tmp_path: Path, protocol: str) -> None:
    spoken: list[str | None] = []

    async def command(socket: web.WebSocketResponse) -> None:
        spoken.append(socket.ws_protocol)
        await socket.send_bytes(b"\x01")
        await socket.send_bytes(b"\x02only on stderr\n")
        await socket.send_bytes(b"\x03" + json.dumps(failed(7)).encode())

    runs(faulty, command, (protocol,))
    assert await run(faulty, tmp_path) == ExecResult(7, "", "only on stderr\n", "redis-0")
    assert spoken == [protocol]


async def test_newest_protocol_is_asked_for_first(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x03" + json.dumps(SUCCESS).encode())

    runs(faulty, command)
    assert (await run(faulty, tmp_path)).exit_code == 0
    assert faulty.requests[0].headers["Sec-WebSocket-Protocol"] == "v5.channel.k8s.io,v4.channel.k8s.io"


async def test_arguments_arrive_as_they_are(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x03" + json.dumps(SUCCESS).encode())

    argv = ("redis-cli", "SET", "a b&c=d", "100%+ä;$(x)", "", "--")
    runs(faulty, command)
    await run(faulty, tmp_path, argv)

    query = faulty.requests[0].query
    assert tuple(query.getall("command")) == argv
    assert (query["container"], query["stdout"], query["stderr"]) == ("redis", "true", "true")
    assert "stdin" not in query
    assert faulty.requests[0].headers["Authorization"] == "Bearer t0"


async def test_character_that_is_split_over_frames(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        for byte in "€\x1b[2J".encode() + b"\xff":
            await socket.send_bytes(bytes([1, byte]))
        await socket.send_bytes(b"\x03" + json.dumps(SUCCESS).encode())

    runs(faulty, command)
    bad = "\N{REPLACEMENT CHARACTER}"
    assert (await run(faulty, tmp_path)).stdout == f"€{bad}[2J{bad}"


async def test_flood_of_output_is_cut(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        for _ in range(64):
            await socket.send_bytes(b"\x01" + b"x" * 65_535)
        await socket.send_bytes(b"\x03" + json.dumps(SUCCESS).encode())

    runs(faulty, command)
    assert len((await run(faulty, tmp_path)).stdout) == exec.OUTPUT


async def test_a_hundred_megabytes_are_read_and_cut(faulty: FaultyServer, tmp_path: Path) -> None:
    frame = b"\x01" + b"x" * 1_000_000

    async def command(socket: web.WebSocketResponse) -> None:
        for _ in range(100):
            await socket.send_bytes(frame)
        await socket.send_bytes(b"\x02the end\n")
        await socket.send_bytes(b"\x03" + json.dumps(SUCCESS).encode())

    runs(faulty, command)
    result = await run(faulty, tmp_path, deadline=60.0)
    assert (len(result.stdout), result.stderr) == (exec.OUTPUT, "the end\n")


async def test_status_that_is_split_over_frames_is_read_whole(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        for byte in json.dumps(failed(3)).encode():
            await socket.send_bytes(bytes([3, byte]))

    runs(faulty, command)
    assert (await run(faulty, tmp_path)).exit_code == 3


async def test_half_a_status_is_an_unknown_outcome(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x03" + json.dumps(failed(3)).encode()[:20])
        await socket.close()

    runs(faulty, command)
    with pytest.raises(DeadlineExceeded, match="Outcome unknown"):
        await run(faulty, tmp_path)


async def test_node_that_lost_the_command_leaves_the_outcome_unknown(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        said = {"status": "Failure", "reason": "InternalError", "message": "error executing command: stream closed"}
        await socket.send_bytes(b"\x03" + json.dumps(said).encode())

    runs(faulty, command)
    with pytest.raises(DeadlineExceeded, match="Outcome unknown: the node says error executing command"):
        await run(faulty, tmp_path)


async def test_connection_that_breaks_before_the_upgrade_is_an_unknown_outcome(
    faulty: FaultyServer, tmp_path: Path
) -> None:
    faulty.script = cut
    with pytest.raises(DeadlineExceeded, match="Outcome unknown"):
        await run(faulty, tmp_path)


async def test_nothing_is_ever_sent_to_the_command(faulty: FaultyServer, tmp_path: Path) -> None:
    heard: list[Any] = []

    async def command(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x03" + json.dumps(SUCCESS).encode())
        heard.extend([message async for message in socket])

    runs(faulty, command)
    await run(faulty, tmp_path)
    assert heard == []
    assert "stdin" not in faulty.requests[0].query
    assert "tty" not in faulty.requests[0].query


async def test_connection_that_is_cut_is_an_unknown_outcome(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x01OK\n")
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    runs(faulty, command)
    with pytest.raises(DeadlineExceeded, match="Outcome unknown"):
        await run(faulty, tmp_path)


async def test_connection_that_ends_without_a_status_is_an_unknown_outcome(
    faulty: FaultyServer, tmp_path: Path
) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        await socket.close()

    runs(faulty, command)
    with pytest.raises(DeadlineExceeded, match="Outcome unknown"):
        await run(faulty, tmp_path)


async def test_command_that_hangs_ends_at_its_deadline(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(_: web.WebSocketResponse) -> None:
        await asyncio.Event().wait()

    runs(faulty, command)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"did not finish within 0\.3 s"):
        await run(faulty, tmp_path, deadline=0.3)
    assert time.monotonic() - started < 2.0


async def test_command_that_cannot_start(faulty: FaultyServer, tmp_path: Path) -> None:
    async def command(socket: web.WebSocketResponse) -> None:
        said = {"status": "Failure", "reason": "InternalError", "message": "exec: no such file"}
        await socket.send_bytes(b"\x03" + json.dumps(said).encode())

    runs(faulty, command)
    with pytest.raises(BadAnswer, match="no such file"):
        await run(faulty, tmp_path)


@pytest.mark.parametrize(("code", "error"), [(403, Denied), (401, Denied), (404, Unreachable), (500, Unreachable)])
async def test_refused_upgrade(faulty: FaultyServer, tmp_path: Path, code: int, error: type[Exception]) -> None:
    async def script(_: web.Request) -> web.StreamResponse:
        return answer(code, status(code, "No", "no"))

    faulty.script = script
    with pytest.raises(error):
        await run(faulty, tmp_path)


async def test_ready_pod_of_a_workload_is_chosen(faulty: FaultyServer, tmp_path: Path) -> None:
    rows = [["redis-b", "1/1", "Terminating", 0], ["redis-d", "1/1", "Running", 0], ["redis-c", "0/1", "Running", 0]]
    expression = {"key": "tier", "operator": "In", "values": ["cache", "db"]}
    selector = {"matchLabels": {"app": "redis"}, "matchExpressions": [expression]}

    async def script(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/deployments/redis"):
            return answer(200, {"spec": {"selector": selector}})
        if request.path.endswith("/pods"):
            assert request.query["labelSelector"] == "app=redis,tier in (cache,db)"
            return answer(200, {"kind": "Table", "rows": [{"cells": cells} for cells in rows]})
        socket = web.WebSocketResponse(protocols=exec.PROTOCOLS)
        await socket.prepare(request)
        await socket.send_bytes(b"\x03" + json.dumps(SUCCESS).encode())
        return socket

    faulty.script = script
    async with faulty.client(tmp_path) as client:
        workloads = KubeWorkloads(client, "n")
        assert (await workloads.run_in_pod("deployment/redis", ["true"], 5.0)).pod == "redis-d"
        rows[1][2] = "CrashLoopBackOff"
        with pytest.raises(NotFound, match="no ready pod"):
            await workloads.run_in_pod("deployment/redis", ["true"], 5.0)
        with pytest.raises(NotFound, match="not a workload"):
            await workloads.run_in_pod("redis", ["true"], 5.0)


async def test_refused_connection_is_unreachable(tmp_path: Path) -> None:
    async with FaultyServer().serving() as server:
        pass
    with pytest.raises(Unreachable):
        await run(server, tmp_path)
