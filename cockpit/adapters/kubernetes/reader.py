"""Keeps something up to date that the API server has: a list, then a watch, and what to do when either breaks.

Source: Kubernetes API concepts, "Efficient detection of changes". The library's own Watch asks again without a pause,
retries a version that is gone, and passes web pages on as events.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import aiohttp
from pydantic_core import from_json

from cockpit.adapters.kubernetes.classify import Gone, Request
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.lines import LineBroken, Lines
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping, number, text
from cockpit.errors import BadAnswer, OutsideError, Unreachable
from cockpit.model.text import clean

_MANY = 1000
"""More objects than this are told of less often, so that a storm among thousands costs little."""

_LIST_AFTER = 2
"""So many failures in a row make every further try begin with a list."""


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """All in real seconds, but `line`, which is in bytes.

    `quiet` is how long a watch may tell of no change before a list checks that it still lives; `conflate` is the
    shortest time between two tellings, for a thousand objects at most; a watch that ends before it is `settled` has
    failed; `pause` doubles with every failure up to `longest_pause`.
    """

    lifetime: float = 240.0
    quiet: float = 30.0
    conflate: float = 0.1
    pause: float = 1.0
    longest_pause: float = 30.0
    settled: float = 1.0
    line: int = 2**21


@dataclass(frozen=True, slots=True)
class Asked:
    """What a watch asks for. `what` names it to people: `pods`, `services web`."""

    what: str
    collection: Resource
    query: Mapping[str, str]
    accept: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far what is kept can be believed.

    `seen_at` is when it was last known to be what the API server has (None: never yet); `problem` says why it may be
    old, and is empty while the watch lives.
    """

    began: datetime
    seen_at: datetime | None = None
    problem: str = ""

    @property
    def stale_since(self) -> datetime | None:
        """While there is a problem: when what is kept was last known to be right, or when the reading began."""
        return (self.seen_at or self.began) if self.problem else None


class Kept(Protocol):
    """What a Reader keeps up to date. The first two raise OutsideError."""

    asked: Asked

    @property
    def size(self) -> int:
        """How many objects are kept."""

    async def read(self) -> str:
        """Read everything; returns the resource version from which a watch goes on."""

    async def same(self) -> bool:
        """Whether the API server has what is kept."""

    def take(self, kind: str, obj: Json) -> None:
        """Take over one event of the watch, BOOKMARK included; raises BadAnswer for one that makes no sense."""


class Reader:
    """One list and watch. `changes` may be used once."""

    def __init__(self, client: KubeClient, kept: Kept, times: WatchTimes) -> None:
        self._client = client
        self._kept = kept
        self._times = times
        self._version = ""
        self._failures = 0
        self._suspect = False
        self._check_at = 0.0
        self._dirty = asyncio.Event()
        self.freshness = Freshness(datetime.now(UTC))

    def touch(self) -> None:
        """Tell whoever reads `changes` that there is something new."""
        self._dirty.set()

    async def changes(self) -> AsyncGenerator[Freshness, None]:
        """After every change, several changes in one; ends only when it is closed."""
        reader = asyncio.create_task(self._keep_reading(), name=f"watch-{self._kept.asked.what}")
        reader.add_done_callback(lambda _: self._dirty.set())
        try:
            while True:
                await self._dirty.wait()
                self._dirty.clear()
                if reader.done():
                    # It never returns; a fault in it must not look like a quiet cluster.
                    reader.result()
                yield self.freshness
                await asyncio.sleep(self._pause)
        finally:
            reader.cancel()
            await asyncio.wait((reader,))

    async def _keep_reading(self) -> None:
        while True:
            try:
                if not self._version:
                    await self._read()
                await self._follow()
            except OutsideError as error:
                self._doubt(error)
                # Once, a list at once helps; a server that says so again and again is ill.
                if isinstance(error, Gone) and not self._failures:
                    self._failures = 1
                else:
                    await self._rest()

    async def _read(self) -> None:
        self._version = await self._kept.read()
        self._confirm()

    def _confirm(self) -> None:
        """What is kept is what the API server has at this moment."""
        self._suspect = False
        self._check_at = time.monotonic() + self._times.quiet
        self.freshness = replace(self.freshness, seen_at=datetime.now(UTC), problem="")
        self._dirty.set()

    def _doubt(self, error: OutsideError) -> None:
        """What is kept may be old from now on."""
        if isinstance(error, BadAnswer) or self._failures >= _LIST_AFTER:
            # Nobody knows what was lost; or no watch can be had for now, and lists must do.
            self._version = ""
        self.freshness = replace(self.freshness, problem=str(error))
        self._dirty.set()

    async def _rest(self) -> None:
        seconds = min(self._times.pause * 2**self._failures, self._times.longest_pause)
        self._failures = min(self._failures + 1, 16)
        await asyncio.sleep(seconds * random.uniform(1.0, 1.25))

    async def _follow(self) -> None:
        """Watch, and watch again whenever a watch ends in good time; raises OutsideError otherwise."""
        while True:
            opened = await self._watch_once()
            if time.monotonic() - opened < self._times.settled:
                raise Unreachable(f"The API server ends the watch of {self._kept.asked.what} at once.")
            self._failures = 0

    async def _watch_once(self) -> float:
        """One watch to its end; returns when it was opened. Raises OutsideError."""
        asked, seconds = self._kept.asked, self._times.lifetime * random.uniform(0.8, 1.2)
        query = {
            **asked.query,
            "watch": "true",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, round(seconds))),
        }
        request = Request("watch", asked.collection)
        async with self._client.stream(request, query, asked.accept, seconds + 30) as response:
            opened = time.monotonic()
            if self.freshness.problem:
                self._check_at = opened + self._times.settled
            try:
                await self._take_all(response, Lines(response.content, self._times.line, asked.what))
            except LineBroken:
                # Nothing is lost when it lived: the next watch goes on from the same version.
                if self.freshness.problem:
                    raise
        return opened

    async def _take_all(self, response: aiohttp.ClientResponse, lines: Lines) -> None:
        while True:
            wait = self._check_at - time.monotonic()
            if wait <= 0:
                await self._check()
                continue
            try:
                async with asyncio.timeout(wait) as due:
                    found = await lines.more()
            except TimeoutError:
                if not due.expired():
                    raise LineBroken(f"The watch of {lines.what} did not end in time.") from None
                continue
            if found is None:
                return
            for line in found:
                self._take(from_json(line))
            await self._let_gather(response)

    async def _let_gather(self, response: aiohttp.ClientResponse) -> None:
        """In a storm, many events are cheaper to read in one go, from the kernel's buffer, than each when it comes."""
        transport = response.connection.transport if response.connection else None
        if transport is not None:
            transport.pause_reading()
        try:
            await asyncio.sleep(self._pause / 2)
        finally:
            if transport is not None and not transport.is_closing():
                transport.resume_reading()

    @property
    def _pause(self) -> float:
        return self._times.conflate * max(1.0, self._kept.size / _MANY)

    async def _check(self) -> None:
        """After a long silence: raises Gone when the API server has something else than the watch has told of."""
        if await self._kept.same():
            self._failures = 0
            self._confirm()
        elif self._suspect:
            raise Gone(f"The watch of {self._kept.asked.what} is dead.")
        else:
            # What has just changed may still be on its way.
            self._suspect, self._check_at = True, time.monotonic() + self._times.settled

    def _take(self, event: Json) -> None:
        kind, obj, what = text(event, "type"), mapping(event, "object"), self._kept.asked.what
        if kind == "ERROR":
            said = clean(text(obj, "message")) or "no reason given"
            raise Gone(said) if number(obj, "code") == 410 else Unreachable(f"The watch of {what} ended: {said}")
        if kind not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"):
            raise BadAnswer(f"The watch of {what} sent something that is not an event.")
        self._version = text(obj, "metadata", "resourceVersion") or self._version
        self._kept.take(kind, obj)
        self.freshness = replace(self.freshness, seen_at=datetime.now(UTC))
        self._dirty.set()
        if kind != "BOOKMARK":
            # A bookmark says that the line lives, but only changes say that they are told.
            self._suspect = False
            if not self.freshness.problem:
                self._check_at = time.monotonic() + self._times.quiet
