"""How long a confirmed command takes until its first write arrives at the API server.

From the moment a front end writes the command to the engine's control socket, until the PATCH arrives at a proxy right
before a real API server; beside `kubectl patch`, from the start of its process until its PATCH arrives at that proxy.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.link.client import SocketConnection
from cockpit.link.feed import Changed
from cockpit.model.commands import Advance, SetWeight
from cockpit.model.snapshot import Snapshot
from tests.bench.crowd import real_control_plane
from tests.bench.row import Row
from tests.bench.scene import Scene, scene
from tests.contract.adapters.stage import CANARY, Stage, access, plant, until
from tests.contract.faults import a

ROUNDS = 20
_PATCH = a("patch", "ingresses", CANARY)
_WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"


def write_rows() -> Iterator[Row]:
    """Confirm to first write."""
    with real_control_plane() as config:
        ours, theirs = asyncio.run(_measure(config))
    reference = "kubectl patch"
    median = statistics.median(theirs)
    yield Row("confirm to first write, median", statistics.median(ours), reference, median, "≤ 0.1 ×", "ms")
    yield Row("confirm to first write, worst of 20", max(ours), reference, median, "–", "ms")


async def _measure(config: str) -> tuple[list[float], list[float]]:
    reach = access(Path(config), "admin", Path(config), "admin")
    async with open_client(*reach.admin) as client:
        stage = Stage(client, f"write-{uuid4().hex[:6]}", reach)
        await plant(stage, 2)
        try:
            for track in ("web-blue", "web-green"):
                await until(partial(stage.workloads.deployment, track), lambda seen: seen.available == 2, 60)
            async with scene(stage) as there:
                return await _both(there, stage)
        finally:
            await client.once("DELETE", Request("delete", Resource("", "v1", "namespaces", "", stage.namespace)))


async def _both(there: Scene, stage: Stage) -> tuple[list[float], list[float]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *there.arguments, "--headless", "--decide", "ask",
        env={**os.environ, **there.environ},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while not list(there.home.glob("runs/*/sockets")):
                assert process.returncode is None, "the run ended before it began"
                await asyncio.sleep(0.1)
        return await _ours(there, stage), [await _kubectl(there, stage, number) for number in range(7)]
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ours(there: Scene, stage: Stage) -> list[float]:
    connection = SocketConnection(there.run.sockets().control)
    latest: list[Snapshot] = []

    async def listen() -> None:
        async for update in connection.updates():
            if isinstance(update, Changed):
                latest[:] = [update.snapshot]

    listener = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(90):
            while not latest or latest[0].traffic.live != 50:
                await connection.order(Advance())
                await asyncio.sleep(0.3)
        taken = []
        for number in range(ROUNDS):
            weight = 10 + number
            before, started = len(there.proxy.asked(_PATCH)), time.monotonic()
            reply = await connection.order(SetWeight(weight=weight, reason="bench"))
            assert reply.ok, reply
            await until(partial(_weight, stage), lambda seen, weight=weight: seen == weight, 10)
            first = there.proxy.asked(lambda seen: _PATCH(seen) and "dryRun" not in seen.query)[-1]
            assert len(there.proxy.asked(_PATCH)) > before
            taken.append(1000 * (first.at - started))
            # The watch tells, the front ends are told: the next command meets a run at rest.
            await asyncio.sleep(0.3)
        return taken
    finally:
        await connection.close()
        listener.cancel()


async def _kubectl(there: Scene, stage: Stage, number: int) -> float:
    patch = json.dumps({"metadata": {"annotations": {_WEIGHT: str(60 + number)}}})
    started = time.monotonic()
    words = ("patch", "ingress", CANARY, "-n", stage.namespace, "-p", patch)
    process = await asyncio.create_subprocess_exec(
        "kubectl", "--kubeconfig", str(there.kubeconfig), *words, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    return 1000 * (there.proxy.asked(_PATCH)[-1].at - started)


async def _weight(stage: Stage) -> int:
    return (await stage.nginx.read()).weight
