"""The watch of the pods against an API server whose watches break in every way known."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.watch import WatchTimes
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.model.cluster import Pod, PodsChanged

from .faulty import FaultyServer, answer, status

FAST = WatchTimes(quiet=30.0, conflate=0.0, pause=0.01, longest_pause=0.05, settled=0.0)
COLUMNS = [{"name": name} for name in ("Name", "Ready", "Status", "Restarts", "Age")]
Act = Callable[["Script"], Awaitable[None]]


class Script:
    """One watch that a test scripts: what it sends, until it ends."""

    def __init__(self, response: web.StreamResponse, request: web.Request) -> None:
        self.response = response
        self.request = request

    async def event(self, kind: str, obj: dict[str, Any]) -> None:
        await self.raw(json.dumps({"type": kind, "object": obj}).encode() + b"\n")

    async def raw(self, data: bytes) -> None:
        await self.response.write(data)

    async def hang(self) -> None:
        await asyncio.Event().wait()


class Cluster:
    """Lists `pods`, and plays one act after the other as its watches; the last one again and again."""

    def __init__(self, faulty: FaultyServer, *acts: Act) -> None:
        self.pods: dict[str, str] = {"a": "Running"}
        self.version = 1
        self.acts = list(acts)
        self.lists = 0
        self.watched: list[tuple[float, str]] = []
        faulty.script = self._answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            self.lists += 1
            return answer(200, table(self.pods, str(self.version)))
        self.watched.append((time.monotonic(), request.query["resourceVersion"]))
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        if act is refuse:
            return answer(410, status(410, "Expired", "too old resource version"))
        response = web.StreamResponse()
        await response.prepare(request)
        await act(Script(response, request))
        return response


def table(pods: dict[str, str], version: str, columns: bool = True) -> dict[str, Any]:
    rows = []
    for name, state in pods.items():
        labels = {"version": "blue"}
        metadata = {"name": name, "labels": labels, "creationTimestamp": "2026-01-02T03:04:05Z"}
        rows.append({"cells": [name, "1/1", state, "2 (5m ago)", "9m"], "object": {"metadata": metadata}})
    return {
        "kind": "Table",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": COLUMNS if columns else None,
        "rows": rows,
    }


async def end(_: Script) -> None:
    """The server ends the watch at once."""


async def hang(script: Script) -> None:
    """The server says nothing any more."""
    await script.hang()


async def refuse(_: Script) -> None:
    """The server answers 410."""


@asynccontextmanager
async def watching(
    faulty: FaultyServer, tmp_path: Path, times: WatchTimes = FAST
) -> AsyncIterator[AsyncIterator[PodsChanged]]:
    async with faulty.client(tmp_path) as client, aclosing(watch(client, times)) as changes:
        yield changes


def watch(client: KubeClient, times: WatchTimes) -> AsyncGenerator[PodsChanged, None]:
    return KubeWorkloads(client, "n", times=times).watch_pods("app=web", "version")


async def until(changes: AsyncIterator[PodsChanged], holds: Callable[[PodsChanged], bool]) -> PodsChanged:
    async with asyncio.timeout(10):
        async for change in changes:
            if holds(change):
                return change
    raise AssertionError("the watch ended")


def names(change: PodsChanged) -> list[str]:
    return [pod.name for pod in change.pods]


async def test_list_and_events_become_pods(faulty: FaultyServer, tmp_path: Path) -> None:
    async def act(script: Script) -> None:
        await script.event("ADDED", table({"b": "Pending"}, "2"))
        await script.event("MODIFIED", table({"b": "CrashLoopBackOff"}, "3", columns=False))
        await script.event("DELETED", table({"a": "Running"}, "4", columns=False))
        await script.event("BOOKMARK", table({"": ""}, "9", columns=False))

    cluster = Cluster(faulty, act, hang)
    async with watching(faulty, tmp_path) as changes:
        first = await until(changes, lambda _: True)
        change = await until(changes, lambda change: names(change) == ["b"])
        await settled(lambda: len(cluster.watched) == 2)

    (pod,) = first.pods
    assert pod.created is not None
    assert pod == Pod(name="a", track="blue", ready=1, containers=1, status="Running", restarts=2, created=pod.created)
    assert (change.pods[0].status, change.stale_since) == ("CrashLoopBackOff", None)
    assert [version for _, version in cluster.watched] == ["1", "9"]
    assert cluster.lists == 1


async def test_version_that_is_gone_in_mid_watch_is_listed_again(faulty: FaultyServer, tmp_path: Path) -> None:
    async def act(script: Script) -> None:
        cluster.pods, cluster.version = {"b": "Running"}, 7
        await script.event("ERROR", status(410, "Expired", "too old resource version"))

    cluster = Cluster(faulty, act, hang)
    async with watching(faulty, tmp_path) as changes:
        change = await until(changes, lambda change: names(change) == ["b"])

    assert change.stale_since is None
    assert [version for _, version in cluster.watched][:1] == ["1"]
    assert cluster.lists == 2


async def test_version_that_is_always_gone_does_not_make_a_hot_loop(faulty: FaultyServer, tmp_path: Path) -> None:
    cluster = Cluster(faulty, refuse)
    times = WatchTimes(conflate=0.0, pause=0.1, longest_pause=10.0)
    async with watching(faulty, tmp_path, times) as changes:
        change = await until(changes, lambda change: change.stale_since is not None)
        await until(changes, lambda _: len(cluster.watched) == 4)

    assert "gone" in change.problem
    assert_slower_and_slower([at for at, _ in cluster.watched][1:], 0.2)


async def test_watch_that_always_ends_at_once_does_not_make_a_hot_loop(faulty: FaultyServer, tmp_path: Path) -> None:
    cluster = Cluster(faulty, end)
    times = WatchTimes(conflate=0.0, pause=0.1, longest_pause=10.0)
    async with watching(faulty, tmp_path, times) as changes:
        change = await until(changes, lambda change: change.stale_since is not None)
        await until(changes, lambda _: len(cluster.watched) == 4)

    assert "at once" in change.problem
    assert_slower_and_slower([at for at, _ in cluster.watched], 0.1)


async def test_half_open_watch_is_found_by_a_list(faulty: FaultyServer, tmp_path: Path) -> None:
    cluster = Cluster(faulty, hang)
    times = WatchTimes(quiet=0.1, conflate=0.0)
    async with watching(faulty, tmp_path, times) as changes:
        await until(changes, lambda change: names(change) == ["a"])
        await settled(lambda: cluster.lists >= 3)
        assert len(cluster.watched) == 1
        cluster.pods = {"a": "Running", "b": "Running"}
        change = await until(changes, lambda change: names(change) == ["a", "b"])

    assert change.stale_since is None


async def test_server_that_goes_away_leaves_old_pods_marked_as_old(faulty: FaultyServer, tmp_path: Path) -> None:
    async def act(script: Script) -> None:
        faulty.script = gone
        assert script.request.transport is not None
        script.request.transport.abort()

    async def gone(_: web.Request) -> web.StreamResponse:
        return answer(503, "no")

    Cluster(faulty, act)
    async with watching(faulty, tmp_path) as changes:
        change = await until(changes, lambda change: "503" in change.problem)
        assert names(change) == ["a"]
        assert change.stale_since is not None
        Cluster(faulty, hang)
        await until(changes, lambda change: change.stale_since is None)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"x" * (5 * 2**20) + b"\n", "line of more than"),
        (b"<html>bad gateway</html>\n", "cannot be read"),
        (b'{"type": "ADDED", "obj', "middle of a line"),
        (b'{"type": "NEWS", "object": {}}\n', "not an event"),
        (b'{"type": "ERROR", "object": {"message": "etcdserver: no leader"}}\n', "no leader"),
        (b'["ADDED"]\n', "not an event"),
    ],
)
async def test_broken_line_is_survived(faulty: FaultyServer, tmp_path: Path, line: bytes, problem: str) -> None:
    async def act(script: Script) -> None:
        await script.raw(line)

    cluster = Cluster(faulty, act, hang)
    async with watching(faulty, tmp_path) as changes:
        change = await until(changes, lambda change: change.stale_since is not None)
        assert problem in change.problem
        assert names(change) == ["a"]
        cluster.pods = {"c": "Running"}
        change = await until(changes, lambda change: change.stale_since is None)

    assert change.problem == ""


async def test_server_without_tables_sends_whole_pods(faulty: FaultyServer, tmp_path: Path) -> None:
    state = {"ready": False, "restartCount": 3, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    pod: dict[str, Any] = {
        "kind": "Pod",
        "metadata": {"name": "a", "labels": {"version": "green"}, "resourceVersion": "5"},
        "spec": {"containers": [{}, {}]},
        "status": {"phase": "Pending", "containerStatuses": [state]},
    }

    async def script(request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            return answer(200, {"kind": "PodList", "metadata": {"resourceVersion": "4"}, "items": [pod]})
        response = web.StreamResponse()
        await response.prepare(request)
        gone = {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": "2026-01-02T03:04:05Z"}}
        await response.write(json.dumps({"type": "MODIFIED", "object": gone}).encode() + b"\n")
        await asyncio.Event().wait()
        return response

    faulty.script = script
    async with watching(faulty, tmp_path) as changes:
        first = await until(changes, lambda change: len(change.pods) == 1)
        change = await until(changes, lambda change: change.pods[0].status == "Terminating")

    assert first.pods[0].status in ("ImagePullBackOff", "Terminating")
    assert (change.pods[0].track, change.pods[0].ready, change.pods[0].containers) == ("green", 0, 2)
    assert change.pods[0].restarts == 3


async def test_many_events_become_few_changes(faulty: FaultyServer, tmp_path: Path) -> None:
    async def act(script: Script) -> None:
        for number in range(500):
            await script.event("ADDED", table({f"p{number:03}": "Running"}, str(number), columns=False))
        await script.hang()

    Cluster(faulty, act)
    seen = 0
    async with watching(faulty, tmp_path, WatchTimes(conflate=0.1)) as changes:
        async with asyncio.timeout(10):
            async for change in changes:
                seen += 1
                if len(change.pods) == 501:
                    break

    assert seen <= 20


async def settled(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - the server's counters are no events
            await asyncio.sleep(0.01)


def assert_slower_and_slower(times: list[float], pause: float) -> None:
    gaps = [after - before for before, after in pairwise(times)]
    assert len(gaps) >= 2
    for number, gap in enumerate(gaps):
        assert gap >= 0.8 * pause * 2**number
