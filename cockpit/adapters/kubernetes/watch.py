"""The pods of a selector, kept up to date: pages, then a watch, then again.

Source: Kubernetes API concepts, "Efficient detection of changes". The library's own Watch asks again without a pause,
retries a version that is gone, and passes web pages on as events.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from cockpit.adapters.kubernetes.classify import Gone, Request
from cockpit.adapters.kubernetes.client import PAGE, KubeClient
from cockpit.adapters.kubernetes.pods import TABLE, Columns, pods_of
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping, number, text
from cockpit.errors import BadAnswer, OutsideError, Unreachable
from cockpit.model.cluster import Pod, PodsChanged
from cockpit.model.text import clean


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """All in real seconds, but `line`, which is in bytes.

    `quiet` is how long a watch may say nothing before a list checks that it still lives; one that ends before it is
    `settled` has failed; `pause` doubles with every failure up to `longest_pause`.
    """

    lifetime: float = 240.0
    quiet: float = 30.0
    conflate: float = 0.1
    pause: float = 1.0
    longest_pause: float = 30.0
    settled: float = 1.0
    line: int = 2**21


class PodWatch:
    """One watch; `changes` may be used once."""

    def __init__(
        self,
        client: KubeClient,
        pods: Resource,
        selector: str,
        track_key: str,
        times: WatchTimes,
        tracks: Sequence[str] = (),
    ) -> None:
        """`tracks` are the values of `track_key` that matter; knowing them makes the first list quick."""
        self._client = client
        self._pods_at = pods
        self._selector = selector
        self._track_key = track_key
        self._tracks = tuple(tracks)
        self._times = times
        self._pods: dict[str, Pod] = {}
        self._in_order = True
        self._version = ""
        self._columns = Columns()
        self._stale_since: datetime | None = None
        self._problem = ""
        self._failures = 0
        self._dirty = asyncio.Event()

    async def changes(self) -> AsyncGenerator[PodsChanged, None]:
        """The pods after every change, several changes in one; ends only when it is closed."""
        reader = asyncio.create_task(self._keep_reading(), name="pod-watch")
        reader.add_done_callback(lambda _: self._dirty.set())
        try:
            while True:
                await self._dirty.wait()
                self._dirty.clear()
                if reader.done():
                    # It never returns; a fault in it must not look like a quiet cluster.
                    reader.result()
                yield self._snapshot()
                await asyncio.sleep(self._times.conflate)
        finally:
            reader.cancel()
            await asyncio.wait((reader,))

    def _snapshot(self) -> PodsChanged:
        if not self._in_order:
            self._pods, self._in_order = {name: self._pods[name] for name in sorted(self._pods)}, True
        return PodsChanged(tuple(self._pods.values()), self._stale_since, self._problem)

    async def _keep_reading(self) -> None:
        while True:
            try:
                await self._list()
                await self._follow()
            except Gone as error:
                # Once, a list at once helps; a server that says so again and again is ill.
                if self._failures:
                    await self._broken(error)
                else:
                    self._failures = 1
            except OutsideError as error:
                await self._broken(error)

    async def _broken(self, error: OutsideError) -> None:
        self._stale_since = self._stale_since or datetime.now(UTC)
        self._problem = str(error)
        self._dirty.set()
        longest = min(self._times.pause * 2**self._failures, self._times.longest_pause)
        self._failures = min(self._failures + 1, 16)
        await asyncio.sleep(longest * random.uniform(0.8, 1.0))

    async def _list(self) -> None:
        if self._tracks:
            # Ten times as quick as the whole list, which tells labels and exact times: something to see at once.
            with suppress(OutsideError):
                self._pods, self._in_order = await self._cached_rows(), False
                self._dirty.set()
        self._pods, self._version = await self._whole_list("Metadata")
        self._in_order = False
        self._stale_since, self._problem = None, ""
        self._dirty.set()

    async def _cached_rows(self) -> dict[str, Pod]:
        """The bare rows, a list for each track, from the API server's cache; their labels are known by selection."""
        key, known = self._track_key, self._tracks
        chosen = {track: f"{key}={track}" for track in known} | {"": f"{key} notin ({','.join(known)})"}
        pages = await asyncio.gather(*(self._cached_page(label) for label in chosen.values()))
        pods: dict[str, Pod] = {}
        for track, page in zip(chosen, pages, strict=True):
            columns = Columns.of(page) or self._columns
            pods.update((pod.name, pod) for pod in pods_of(page, columns, key, track))
        return pods

    async def _cached_page(self, label: str) -> Json:
        selector = ",".join(filter(None, (self._selector, label)))
        query = {"labelSelector": selector, "resourceVersion": "0", "includeObject": "None"}
        return await self._client.json(Request("list", self._pods_at), query, TABLE)

    async def _whole_list(self, include: str) -> tuple[dict[str, Pod], str]:
        request = Request("list", self._pods_at)
        query = {"labelSelector": self._selector, "limit": str(PAGE), "includeObject": include}
        pods: dict[str, Pod] = {}
        while True:
            page = await self._client.json(request, query, TABLE)
            self._columns = Columns.of(page) or self._columns
            pods.update((pod.name, pod) for pod in pods_of(page, self._columns, self._track_key))
            query["continue"] = text(page, "metadata", "continue")
            if not query["continue"]:
                return pods, text(page, "metadata", "resourceVersion")

    async def _follow(self) -> None:
        """Watch, and watch again whenever the server ends a watch in good time; raises OutsideError otherwise."""
        while True:
            started = time.monotonic()
            await self._watch_once()
            if time.monotonic() - started < self._times.settled:
                raise Unreachable("The API server ends the watch of the pods at once.")
            self._failures = 0

    async def _watch_once(self) -> None:
        seconds = self._times.lifetime * random.uniform(0.8, 1.2)
        query = {
            "labelSelector": self._selector,
            "watch": "true",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, round(seconds))),
            "includeObject": "Metadata",
        }
        async with self._client.stream(Request("watch", self._pods_at), query, TABLE, seconds + 30) as response:
            lines = Lines(response.content, self._times.line)
            while True:
                try:
                    async with asyncio.timeout(self._times.quiet) as quiet:
                        found = await lines.more()
                except TimeoutError:
                    if not quiet.expired():
                        raise
                    await self._check()
                    continue
                if found is None:
                    return
                for line in found:
                    self._take(json.loads(line))

    async def _check(self) -> None:
        """After a long silence: raises Gone when the cluster has other pods than the watch has told of."""
        pods, _ = await self._whole_list("None")
        if _shape(pods) != _shape(self._pods):
            raise Gone("The watch of the pods is dead.")

    def _take(self, event: Json) -> None:
        kind, obj = text(event, "type"), mapping(event, "object")
        if kind == "ERROR":
            said = clean(text(obj, "message")) or "no reason given"
            raise Gone(said) if number(obj, "code") == 410 else Unreachable(f"The watch of the pods ended: {said}")
        if kind not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"):
            raise BadAnswer("The watch of the pods sent something that is not an event.")
        self._columns = Columns.of(obj) or self._columns
        self._version = text(obj, "metadata", "resourceVersion") or self._version
        if kind != "BOOKMARK":
            for pod in pods_of(obj, self._columns, self._track_key):
                if kind == "DELETED":
                    self._pods.pop(pod.name, None)
                else:
                    self._in_order &= pod.name in self._pods
                    self._pods[pod.name] = pod
            self._dirty.set()


class Lines:
    """Splits a stream into lines of at most `limit` bytes. A cancelled `more` loses nothing."""

    def __init__(self, stream: aiohttp.StreamReader, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._rest = bytearray()

    async def more(self) -> list[bytes] | None:
        """The next whole lines, maybe none; None at the end. Raises BadAnswer for a line that is too long."""
        chunk = await self._stream.readany()
        if not chunk:
            if self._rest.strip():
                raise BadAnswer("The watch of the pods was cut in the middle of a line.")
            return None
        if b"\n" not in chunk:
            self._rest += chunk
            whole = []
        else:
            *whole, rest = bytes(self._rest + chunk).split(b"\n")
            self._rest = bytearray(rest)
        if len(self._rest) > self._limit:
            raise BadAnswer(f"The watch of the pods sent a line of more than {self._limit} bytes.")
        return [line for line in whole if line]


def _shape(pods: dict[str, Pod]) -> set[tuple[str, int, int, str, int]]:
    return {(pod.name, pod.ready, pod.containers, pod.status, pod.restarts) for pod in pods.values()}
