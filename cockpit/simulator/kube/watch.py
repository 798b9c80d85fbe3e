"""Watches: the history since a resource version, then what happens, one JSON line an event."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from aiohttp import web

from cockpit.simulator.kube.query import selection, stored_kind
from cockpit.simulator.kube.request import Target
from cockpit.simulator.kube.status import ApiError, expired
from cockpit.simulator.kube.table import Form, present
from cockpit.simulator.world.selectors import Predicate
from cockpit.simulator.world.store import Change, HistoryGone
from cockpit.simulator.world.values import Obj
from cockpit.simulator.world.world import World

BOOKMARK_SECONDS = 10.0
"""Real seconds between the bookmarks of a quiet watch."""

MAX_BEHIND = 20_000
"""A watcher with so many unread events is cut off, as the API server does."""


class Watches:
    """Serves watch requests until they time out, their client goes, or everything closes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every watch."""
        self._closing.set()

    def cut(self) -> None:
        """End the present watches, as a proxy that restarts does; new ones may begin."""
        self._closing.set()
        self._closing = asyncio.Event()

    async def serve(self, request: web.Request, target: Target, form: Form) -> web.StreamResponse:
        """Answer one watch request."""
        query = request.query
        feed = _Feed(self._world, target, selection(target, query), lambda: _gone(request))
        try:
            feed.begin(query)
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            response.enable_chunked_encoding()
            await response.prepare(request)
            with suppress(ConnectionError):
                await self._send(request, response, feed, form)
            return response
        finally:
            feed.end()

    async def _send(self, request: web.Request, response: web.StreamResponse, feed: _Feed, form: Form) -> None:
        headed, query = True, request.query
        seconds = float(query.get("timeoutSeconds") or random.uniform(1800.0, 3600.0))
        try:
            async with asyncio.timeout(seconds):
                bookmarks = query.get("allowWatchBookmarks") == "true"
                async with aclosing(feed.events(self._closing, bookmarks)) as events:
                    async for kind, obj in events:
                        if kind != "ERROR":
                            obj = present(feed.kind, obj, form, self._world.cluster.now, headed)
                        headed = False
                        await response.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")
        except TimeoutError:
            pass
        await response.write_eof()


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


class _Feed:
    """The events of one watch."""

    def __init__(self, world: World, target: Target, chosen: Predicate, gone: Callable[[], bool]) -> None:
        self.kind = target.kind
        self._stored = stored_kind(target.kind)
        self._store = world.cluster.store
        self._chosen = chosen
        self._gone = gone
        self._queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._first: list[tuple[str, Obj]] = []
        self._stop = self._store.listen(self._heard)
        self._over = False

    def begin(self, query: Mapping[str, str]) -> None:
        """Collect what comes before the live events; raises ApiError 400.

        A resource version older than the history is told by an ERROR event, as the API server does.
        """
        version = query.get("resourceVersion", "")
        if version in ("", "0") or query.get("sendInitialEvents") == "true":
            found = [obj for obj in self._store.select(self._stored) if self._chosen(obj)]
            self._first = [("ADDED", obj) for obj in found]
            if query.get("sendInitialEvents") == "true":
                self._first.append(("BOOKMARK", self._bookmark({"k8s.io/initial-events-end": "true"})))
            return
        if not version.isdigit():
            raise ApiError(400, f'invalid resource version "{version}"')
        try:
            missed = self._store.since(int(version))
        except HistoryGone:
            self._first = [("ERROR", expired(version, self._store.version).body())]
            self._over = True
            return
        self._first = [event for change in missed if (event := self._event(change))]

    def end(self) -> None:
        """Stop listening."""
        self._stop()

    async def events(self, closing: asyncio.Event, bookmarks: bool) -> AsyncGenerator[tuple[str, Obj], None]:
        """The events, until `closing` or too far behind."""
        for first in self._first:
            yield first
        while not closing.is_set() and not self._over and not self._gone():
            found = await self._next(closing)
            if isinstance(found, Change):
                if event := self._event(found):
                    yield event
            elif bookmarks and not closing.is_set():
                yield "BOOKMARK", self._bookmark({})

    async def _next(self, closing: asyncio.Event) -> Change | None:
        """The next change, or None after a quiet time or at the end."""
        if not self._queue.empty():
            return self._queue.get_nowait()
        waits: list[asyncio.Task[Any]] = [
            asyncio.ensure_future(self._queue.get()),
            asyncio.ensure_future(closing.wait()),
        ]
        try:
            await asyncio.wait(waits, timeout=BOOKMARK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            change: Change | None = waits[0].result() if waits[0].done() else None
            return change
        finally:
            for wait in waits:
                wait.cancel()

    def _heard(self, change: Change) -> None:
        if change.kind is not self._stored:
            return
        if self._queue.qsize() >= MAX_BEHIND:
            self._over = True
        else:
            self._queue.put_nowait(change)

    def _event(self, change: Change) -> tuple[str, Obj] | None:
        """What a change means to this selection: objects may enter and leave it."""
        if change.kind is not self._stored:
            return None
        before, after = change.before, change.after
        was = before is not None and self._chosen(before)
        if after is not None and self._chosen(after):
            return ("MODIFIED" if was else "ADDED"), after
        if was and before is not None:
            metadata = {**before["metadata"], "resourceVersion": str(change.version)}
            return "DELETED", {**before, "metadata": metadata}
        return None

    def _bookmark(self, annotations: Obj) -> Obj:
        metadata: Obj = {"resourceVersion": str(self._store.version)}
        if annotations:
            metadata["annotations"] = annotations
        return {"kind": self.kind.name, "apiVersion": self.kind.api_version, "metadata": metadata}
