"""Five thousand pods on a real API server: until they are on screen, what a storm among them costs, what they weigh.

The engine and the app run as a person starts them, the app on a pty of 160×50. `kubectl` reads the same namespace.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress

from aiohttp import web

from cockpit.engine.track_names import TrackNames
from cockpit.link.once import fetch_snapshot
from tests.bench.crowd import PODS, Crowd, crowd, real_control_plane
from tests.bench.row import Row, cpu_seconds, megabytes, p99
from tests.bench.scene import Scene, scene
from tests.bench.tty import Tty
from tests.contract.fault_proxy import Exchange
from tests.contract.faults import a

RATE = 100.0
STORM_S = 30.0
IDLE_S = 20.0
SETTLED_S = 15.0
PRESSES = 80
_LIST = a("list", "pods")
_SHOWN = f"{PODS // 2 + 2}/2".encode()
_PAGE_DOWN = b"\x1b[6~"
_NAME = re.compile(rb"web-(?:blue|green)-\d{4}")


def pod_rows() -> Iterator[Row]:
    """All rows about pods; they are measured in one go, because the crowd takes its time to gather."""
    with real_control_plane() as config:
        yield from asyncio.run(_measure(config))


async def _measure(config: str) -> list[Row]:
    async with crowd(config) as there, scene(there.stage) as stage:
        listed = [await _kubectl_list(there) for _ in range(5)]
        snapshots = [await _first_snapshot(there) for _ in range(5)]
        async with _screen(stage) as (tty, shown):
            rows = _lists(listed, snapshots, shown) + await _storm(stage, there, tty)
            return rows + await _idle(stage, tty) + _memory(stage, tty)


async def _kubectl_list(there: Crowd) -> float:
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(*_kubectl(there), stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    return 1000 * (time.monotonic() - started)


def _kubectl(there: Crowd) -> list[str]:
    return ["kubectl", "--kubeconfig", there.kubeconfig, "get", "pods", "-n", there.namespace]


async def _first_snapshot(there: Crowd) -> float:
    """The engine's watch and its order of the pods, without the rest of an engine."""
    started = time.monotonic()
    async with aclosing(there.stage.workloads.watch_pods("app=web", "version")) as changes:
        async for change in changes:
            pods = TrackNames({}).name(change.pods)
            if len(pods) >= PODS:
                return 1000 * (time.monotonic() - started)
    raise AssertionError("the watch ended")


@asynccontextmanager
async def _screen(stage: Scene) -> AsyncIterator[tuple[Tty, float]]:
    """The app on its terminal, and how long the pods took to it from the first list on; until then lists wait."""
    let_through, begun = asyncio.Event(), []

    async def wait(exchange: Exchange) -> web.StreamResponse:
        await let_through.wait()
        begun.append(time.monotonic())
        return await exchange.relay()

    stage.proxy.on(_LIST, wait, times=10**6)
    tty = Tty(*stage.arguments, environ=stage.environ)
    try:
        await tty.painted(b"waiting for the pods")
        # The rest of the first frames is not what is measured.
        await asyncio.sleep(3)
        let_through.set()
        shown = await tty.painted(_SHOWN)
        yield tty, 1000 * (shown - begun[0])
    finally:
        tty.close()


def _lists(listed: list[float], snapshots: list[float], shown: float) -> list[Row]:
    reference, median = "kubectl get pods", statistics.median(listed)
    return [
        Row("5,000 pods in the engine, median", statistics.median(snapshots), reference, median, "≤ 0.1 ×", "ms"),
        Row("5,000 pods on screen", shown, reference, median, "≤ 0.1 ×", "ms"),
    ]


async def _settled(stage: Scene) -> None:
    """Wait until nothing that decisions depend on has changed for a while: the run waits for a person."""
    situation, since = -1, time.monotonic()
    async with asyncio.timeout(180):
        while time.monotonic() - since < SETTLED_S:
            seen = (await fetch_snapshot(stage.run.sockets().watch)).situation
            if seen != situation:
                situation, since = seen, time.monotonic()
            await asyncio.sleep(1)


async def _idle(stage: Scene, tty: Tty) -> list[Row]:
    """The main screen when nothing happens, and the pods are so old that their ages are no seconds."""
    tty.press(b"\x1b")
    await tty.painted(b"PHASES")
    await _settled(stage)
    sent = tty.sent
    await asyncio.sleep(IDLE_S)
    return [Row("bytes to an idle terminal", (tty.sent - sent) / IDLE_S, "the budget", 200.0, "≤ 1 ×", "B/s")]


async def _storm(stage: Scene, there: Crowd, tty: Tty) -> list[Row]:
    watching = await asyncio.create_subprocess_exec(*_kubectl(there), "-w", stdout=asyncio.subprocess.DEVNULL)
    try:
        await asyncio.sleep(10)
        pids = (stage.engine, tty.pid, watching.pid)
        before, sent = [cpu_seconds(pid) for pid in pids], tty.sent
        async with _storming(there) as storm:
            events = int((await storm.communicate())[0])
        engine, app, kubectl = (
            1000 * (cpu_seconds(pid) - known) / events for pid, known in zip(pids, before, strict=True)
        )
        sent = tty.sent - sent
    finally:
        watching.kill()
        await watching.wait()
    async with _storming(there):
        presses = await _press(tty)
    reference = f"kubectl get pods -w, {events / STORM_S:.0f} events/s"
    return [
        Row("CPU of the engine for a pod event, 5,000 pods", engine, reference, kubectl, "≤ 0.5 ×", "ms"),
        Row("CPU of the app for a pod event, 5,000 pods", app, reference, kubectl, "–", "ms"),
        Row("bytes to a terminal in that storm", sent / STORM_S, "the budget", 10_000.0, "≤ 1 ×", "B/s"),
        Row("key to paint in that storm, median", statistics.median(presses), "the budget", 50.0, "–", "ms"),
        Row("key to paint in that storm, p99", p99(presses), "the budget", 50.0, "≤ 1 ×", "ms"),
    ]


@asynccontextmanager
async def _storming(there: Crowd) -> AsyncIterator[asyncio.subprocess.Process]:
    """The storm, from a process of its own, so that it does not slow what is measured here."""
    arguments = ("-m", "tests.bench.crowd", there.kubeconfig, there.context, str(RATE), str(STORM_S))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _press(tty: Tty) -> list[float]:
    """In the list of all pods: from Page Down until the first pod of the next page is painted."""
    tty.press(b"p")
    await tty.shown(lambda seen: _furthest(seen) > b"", "the list of all pods")
    await asyncio.sleep(3)
    taken, last = [], b""
    for _ in range(PRESSES):
        paint = asyncio.create_task(tty.shown(lambda seen, last=last: _furthest(seen) > last, "the next page"))
        await asyncio.sleep(0)
        pressed = time.monotonic()
        tty.press(_PAGE_DOWN)
        taken.append(1000 * (await paint - pressed))
        await asyncio.sleep(0.2)
        last = max(last, _furthest(tty.seen))
    return taken


def _furthest(seen: bytes) -> bytes:
    """The last pod of the crowd in what was painted; the list is in the order of tracks and names."""
    return max(_NAME.findall(seen), default=b"")


def _memory(stage: Scene, tty: Tty) -> list[Row]:
    engine, app = megabytes(stage.engine), megabytes(tty.pid)
    return [
        Row("engine memory at 5,000 pods, peak", engine, "the budget", 120.0, "≤ 1 ×", "MB"),
        Row("app memory at 5,000 pods, peak", app, "the budget", 150.0, "≤ 1 ×", "MB"),
    ]
