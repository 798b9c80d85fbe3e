"""The pods of a selector, kept up to date as rows of the Table form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress

from cockpit.adapters.kubernetes.classify import Gone, Request
from cockpit.adapters.kubernetes.client import PAGE, KubeClient
from cockpit.adapters.kubernetes.pods import TABLE, Columns, pods_of
from cockpit.adapters.kubernetes.reader import Asked, Reader, WatchTimes
from cockpit.adapters.kubernetes.resource import Json, Resource, text
from cockpit.errors import OutsideError
from cockpit.model.cluster import Pod, PodsChanged

__all__ = ["PodWatch", "WatchTimes"]


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
        self._pods: dict[str, Pod] = {}
        self._in_order = True
        self._columns = Columns()
        self.asked = Asked("the pods", pods, {"labelSelector": selector, "includeObject": "Metadata"}, TABLE)
        self._reader = Reader(client, self, times)

    async def changes(self) -> AsyncGenerator[PodsChanged, None]:
        """The pods after every change, several changes in one; ends only when it is closed."""
        async with aclosing(self._reader.changes()) as changes:
            async for fresh in changes:
                yield PodsChanged(self._ordered(), fresh.stale_since, fresh.problem)

    def _ordered(self) -> tuple[Pod, ...]:
        if not self._in_order:
            self._pods, self._in_order = {name: self._pods[name] for name in sorted(self._pods)}, True
        return tuple(self._pods.values())

    @property
    def size(self) -> int:
        """How many pods there are."""
        return len(self._pods)

    async def read(self) -> str:
        """List the pods; the first time, something is shown before everything is read."""
        if self._tracks and not self._pods:
            # Ten times as quick as the whole list, which tells labels and exact times. A cache may be old: once only.
            with suppress(OutsideError):
                self._pods, self._in_order = await self._cached_rows(), False
                self._reader.touch()
        self._pods, version = await self._whole_list("Metadata")
        self._in_order = False
        return version

    async def same(self) -> bool:
        """Whether a list shows the same pods in the same state."""
        pods, _ = await self._whole_list("None")
        return _shape(pods) == _shape(self._pods)

    def take(self, kind: str, obj: Json) -> None:
        """Add, replace or remove the pods of one event."""
        self._columns = Columns.of(obj) or self._columns
        if kind == "BOOKMARK":
            return
        for pod in pods_of(obj, self._columns, self._track_key):
            if kind == "DELETED":
                self._pods.pop(pod.name, None)
            else:
                self._in_order &= pod.name in self._pods
                self._pods[pod.name] = pod

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
        try:
            return await self._pages(include, PAGE)
        except Gone:
            # What the next page continues is no longer kept; a whole list needs no next page.
            return await self._pages(include, 0)

    async def _pages(self, include: str, limit: int) -> tuple[dict[str, Pod], str]:
        request = Request("list", self._pods_at)
        query = {"labelSelector": self._selector, "limit": str(limit), "includeObject": include}
        pods: dict[str, Pod] = {}
        while True:
            page = await self._client.json(request, query, TABLE)
            self._columns = Columns.of(page) or self._columns
            pods.update((pod.name, pod) for pod in pods_of(page, self._columns, self._track_key))
            query["continue"] = text(page, "metadata", "continue")
            if not query["continue"]:
                return pods, text(page, "metadata", "resourceVersion")


def _shape(pods: dict[str, Pod]) -> set[tuple[str, int, int, str, int]]:
    return {(pod.name, pod.ready, pod.containers, pod.status, pod.restarts) for pod in pods.values()}
