"""The watch of one object, the same against the simulator and a real API server, and against one that is ill."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes.object_watch import ObjectChanged, watch_object
from cockpit.adapters.kubernetes.reader import WatchTimes
from cockpit.adapters.kubernetes.resource import Resource, text

from .faulty import FaultyServer, answer, status
from .stage import CANARY, Stage

FAST = WatchTimes(quiet=30.0, conflate=0.0, pause=0.01, longest_pause=0.05, settled=0.0)
GUARDED = [
    ("apps", "deployments", "web-blue"),
    ("", "services", "web"),
    ("networking.k8s.io", "ingresses", CANARY),
]
WEB = Resource("", "v1", "services", "n", "web")


async def until(changes: AsyncIterator[ObjectChanged], holds: Callable[[ObjectChanged], bool]) -> ObjectChanged:
    async with asyncio.timeout(20):
        async for change in changes:
            if holds(change):
                return change
    raise AssertionError("the watch ended")


@pytest.mark.parametrize(("group", "plural", "name"), GUARDED)
async def test_what_another_writer_does_to_a_guarded_object_is_seen(
    stage: Stage, group: str, plural: str, name: str
) -> None:
    resource = stage.at(group, plural, name)
    async with aclosing(watch_object(stage.client, resource, WatchTimes(conflate=0.0))) as changes:
        first = await until(changes, lambda _: True)
        assert first.object is not None
        assert first.seen_at is not None
        assert (first.stale_since, first.problem) == (None, "")
        assert text(first.object, "metadata", "name") == name
        whole = await stage.client.get(resource)
        assert (first.object["apiVersion"], first.object["kind"]) == (whole["apiVersion"], whole["kind"])

        await stage.write_as("argocd", resource, {"metadata": {"annotations": {"touched": "yes"}}})
        seen = await until(changes, lambda change: text(change.object, "metadata", "annotations", "touched") == "yes")
        assert seen.object is not None
        assert "argocd" in {entry["manager"] for entry in seen.object["metadata"]["managedFields"]}

        await stage.delete(resource)
        gone = await until(changes, lambda change: change.object is None)
        assert gone.seen_at is not None
        assert gone.stale_since is None


async def test_other_objects_of_the_collection_are_not_told(stage: Stage) -> None:
    async with aclosing(
        watch_object(stage.client, stage.at("", "services", "web"), WatchTimes(conflate=0.0))
    ) as changes:
        await until(changes, lambda _: True)
        await stage.delete(stage.at("", "services", "web-blue"))
        await stage.write_as("flux", stage.at("", "services", "web"), {"metadata": {"annotations": {"x": "y"}}})
        change = await until(changes, lambda _: True)
        assert text(change.object, "metadata", "annotations", "x") == "y"


async def test_object_that_appears_later_is_told(stage: Stage) -> None:
    resource = stage.at("", "services", "late")
    async with aclosing(watch_object(stage.client, resource, WatchTimes(conflate=0.0))) as changes:
        none = await until(changes, lambda _: True)
        assert none.object is None
        assert none.seen_at is not None
        spec = {"ports": [{"port": 80}], "selector": {"app": "web"}}
        await stage.client.create(
            stage.at("", "services"), {"kind": "Service", "metadata": {"name": "late"}, "spec": spec}
        )
        there = await until(changes, lambda change: change.object is not None)
        assert text(there.object, "spec", "selector", "app") == "web"


class Cluster:
    """Has one Service, at a version; plays one act after the other as its watches, then only bookmarks."""

    def __init__(self, faulty: FaultyServer, *acts: bytes) -> None:
        self.version = 1
        self.acts = list(acts)
        self.asked: list[dict[str, str]] = []
        self.bookmarks = asyncio.Event()
        faulty.script = self._answer

    def service(self) -> dict[str, Any]:
        metadata = {"name": "web", "uid": "u", "resourceVersion": str(self.version)}
        return {"metadata": metadata, "spec": {"selector": {"version": f"v{self.version}"}}}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        if "watch" not in request.query:
            metadata = {"resourceVersion": str(self.version)}
            body = {"kind": "ServiceList", "apiVersion": "v1", "metadata": metadata, "items": [self.service()]}
            return answer(200, body)
        response = web.StreamResponse()
        await response.prepare(request)
        if self.acts:
            await response.write(self.acts.pop(0))
            return response
        while True:
            await response.write(event("BOOKMARK", {"metadata": {"resourceVersion": "1"}}))
            self.bookmarks.set()
            await asyncio.sleep(0.02)


def event(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def selector(change: ObjectChanged) -> str:
    return text(change.object, "spec", "selector", "version")


async def test_dead_watch_that_still_sends_bookmarks_is_found_by_a_list(faulty: FaultyServer, tmp_path: Path) -> None:
    cluster = Cluster(faulty)
    times = WatchTimes(quiet=0.2, conflate=0.0, settled=0.05)
    async with faulty.client(tmp_path) as client, aclosing(watch_object(client, WEB, times)) as changes:
        await until(changes, lambda change: selector(change) == "v1")
        await cluster.bookmarks.wait()
        cluster.version = 2
        change = await until(changes, lambda change: selector(change) == "v2")

    assert change.stale_since is None
    assert all(query["fieldSelector"] == "metadata.name=web" for query in cluster.asked)


async def test_watch_that_ends_in_time_goes_on_from_where_it_was(faulty: FaultyServer, tmp_path: Path) -> None:
    cluster = Cluster(faulty, event("MODIFIED", {"metadata": {"name": "web", "resourceVersion": "7"}, "spec": {}}))
    async with faulty.client(tmp_path) as client, aclosing(watch_object(client, WEB, FAST)) as changes:
        await until(changes, lambda change: selector(change) == "v1")
        change = await until(changes, lambda change: text(change.object, "metadata", "resourceVersion") == "7")
        await cluster.bookmarks.wait()

    assert change.stale_since is None
    assert [query.get("resourceVersion") for query in cluster.asked] == [None, "1", "7"]


async def test_version_that_is_gone_is_listed_again(faulty: FaultyServer, tmp_path: Path) -> None:
    cluster = Cluster(faulty, event("ERROR", status(410, "Expired", "too old resource version")))
    async with faulty.client(tmp_path) as client, aclosing(watch_object(client, WEB, FAST)) as changes:
        await until(changes, lambda change: selector(change) == "v1")
        cluster.version = 5
        change = await until(changes, lambda change: selector(change) == "v5")

    assert change.stale_since is None


async def test_object_that_cannot_be_read_is_unknown_and_not_absent(faulty: FaultyServer, tmp_path: Path) -> None:
    async def forbidden(_: web.Request) -> web.StreamResponse:
        return answer(403, status(403, "Forbidden", "no"))

    faulty.script = forbidden
    async with faulty.client(tmp_path) as client, aclosing(watch_object(client, WEB, FAST)) as changes:
        change = await until(changes, lambda _: True)
        assert (change.object, change.seen_at) == (None, None)
        assert change.stale_since is not None
        assert "list services in n" in change.problem

        Cluster(faulty)
        change = await until(changes, lambda change: change.stale_since is None)
        assert selector(change) == "v1"
