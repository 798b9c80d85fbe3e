"""The log of one container, read once or followed to its end.

A followed log has no total deadline. Instead it is asked for again, without a word, when it says nothing for a while:
a dead connection looks like a quiet application. Every time it is asked for again it goes on after the last line that
was shown. What the API cannot give back is lost: lines that were rotated away meanwhile, the log of a pod that is gone,
and all but the last run of a container that was started again.
Source: Kubernetes API, PodLogOptions; `sinceTime` reaches the kubelet in whole seconds.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import aiohttp

from cockpit.adapters.kubernetes.classify import BadRequest, Request
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.containers import Sight, chosen_container, sight
from cockpit.adapters.kubernetes.loglines import Cursor, Splitter, shown
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.errors import DeadlineExceeded, Denied, NotFound, OutsideError
from cockpit.model.lens import LogQuery

Batches = AsyncGenerator[tuple[str, ...], None]
_NOT_STARTED = "is waiting to start"
_FORMS = "text/plain, */*"
_LOOKS = 4


@dataclass(frozen=True, slots=True)
class LogTimes:
    """All in real seconds.

    `whole` is how long the server may take for a log that is not followed; `quiet` how long a followed one may say
    nothing before it is asked for again; `lifetime` how long it may last before that. `pause` doubles with every
    failure up to `longest_pause`; `waiting` is between two looks at a container that has not started, `settle`
    between two looks at one whose log has ended.
    """

    whole: float = 30.0
    quiet: float = 30.0
    lifetime: float = 86_400.0
    pause: float = 0.5
    longest_pause: float = 10.0
    waiting: float = 2.0
    settle: float = 0.7


class LogReader:
    """One reading; `batches` may be used once.

    The reader's pace is the server's: while a batch is being worked on, nothing is fetched beyond the buffers of the
    connection. The reader's own words, such as that it goes on after a broken connection, stand between dashes.
    """

    def __init__(self, client: KubeClient, pods: Resource, query: LogQuery, times: LogTimes | None = None) -> None:
        self._client = client
        self._pod_at = pods.named(query.pod)
        self._query = query
        self._times = times or LogTimes()
        self._container = query.container or ""
        self._cursor = Cursor()
        self._splitter = Splitter()
        self._first: Sight | None = None
        self._begun: float | None = None
        self._ended_by_server = False
        self._gone = False
        self._over = False
        self._failures = 0
        self._waiting_for = ""

    def batches(self) -> Batches:
        """The cleaned lines as they arrive. Raises NotFound when there is no such pod, container or log."""
        return self._followed() if self._query.follow and not self._query.previous else self._once()

    async def _once(self) -> Batches:
        await self._look()
        asked = {"tailLines": str(self._query.tail)} | ({"previous": "true"} if self._query.previous else {})
        try:
            async with aclosing(self._read(asked)) as lines:
                async for batch in lines:
                    yield batch
        except BadRequest as refused:
            raise _no_log(refused) from refused
        yield self._unfinished()

    async def _followed(self) -> Batches:
        self._first = await self._look()
        while not self._over:
            async with aclosing(self._attempt()) as lines:
                async for batch in lines:
                    yield batch

    async def _attempt(self) -> Batches:
        """One connection, and what follows from its end."""
        trouble = ""
        try:
            async with aclosing(self._read(self._place() | {"follow": "true"})) as lines:
                async for batch in lines:
                    yield batch
        except BadRequest as refused:
            yield await self._not_started(refused)
            return
        except OutsideError as error:
            fresh = self._begun is None and not self._waiting_for
            if fresh or isinstance(error, Denied):
                raise
            trouble = str(error)
            self._gone = isinstance(error, NotFound)
        async with aclosing(self._go_on(trouble)) as lines:
            async for batch in lines:
                yield batch

    async def _read(self, asked: dict[str, str]) -> Batches:
        """The new lines of one connection."""
        query = {"timestamps": "true", **({"container": self._container} if self._container else {}), **asked}
        following = "follow" in asked
        patience = self._times.quiet if following else self._times.whole
        request = Request("get", self._pod_at.named(self._query.pod, "log"))
        self._splitter.take_rest()
        async with self._client.stream(request, query, _FORMS, self._times.lifetime) as response:
            self._begun = self._begun or time.monotonic()
            self._cursor.resume()
            while True:
                before = time.monotonic()
                data = await _next_part(response, patience)
                if data is None and not following:
                    raise DeadlineExceeded(f"The log of {self._query.pod} did not come to its end in time.")
                self._ended_by_server = data == b""
                if not data:
                    return
                patience -= 0.0 if following else time.monotonic() - before
                if batch := shown(self._splitter.feed(data), self._cursor, self._query.timestamps):
                    again, self._failures = self._failures > 0, 0
                    yield (_note("reading on"), *batch) if again else batch

    async def _go_on(self, trouble: str) -> Batches:
        """After the end of a connection: the end of the log with its reason, or a pause before the next one."""
        ended = self._ended_by_server and not trouble
        now, end = await self._judge(_LOOKS if ended else 1)
        if end or (ended and self._first is None):
            self._over = True
            if not ended:
                yield await self._remainder(now)
            yield (*self._unfinished(), _note(end or "the log ended"))
            return
        if ended:
            trouble = "the server ended the log, but the container goes on"
        if trouble:
            if not self._failures:
                yield (_note(f"{trouble}; trying to read on"),)
            await asyncio.sleep(min(self._times.pause * 2**self._failures, self._times.longest_pause))
            self._failures = min(self._failures + 1, 16)

    async def _judge(self, looks: int) -> tuple[Sight | None, str]:
        """The container as it is, and what has ended it; its status lags behind its log."""
        if self._gone:
            return None, "the pod is gone"
        if self._first is None:
            return None, ""
        for number in range(looks):
            if number:
                await asyncio.sleep(self._times.settle)
            try:
                now = await self._look()
            except NotFound:
                return None, "the pod is gone"
            except OutsideError:
                return None, ""
            if now is not None and (end := now.end_since(self._first)):
                return now, end
        return None, ""

    async def _remainder(self, now: Sight | None) -> tuple[str, ...]:
        """What an ended container still said after the connection broke, where the API has it."""
        found: list[str] = []
        if now is None or self._first is None or now.pod_uid != self._first.pod_uid:
            return ()
        restarted = now.restarts - self._first.restarts
        if restarted > 1:
            return (_note("the rest of this container's log is no longer kept"),)
        asked = self._place() | ({"previous": "true"} if restarted else {})
        self._failures = 0
        try:
            async with aclosing(self._read(asked)) as lines:
                async for batch in lines:
                    found += batch
        except OutsideError as error:
            found.append(_note(f"the rest of its log cannot be read: {error}"))
        return tuple(found)

    async def _not_started(self, refused: BadRequest) -> tuple[str, ...]:
        if _NOT_STARTED not in refused.said:
            raise _no_log(refused) from refused
        await asyncio.sleep(self._times.waiting if self._waiting_for else 0)
        fresh, self._waiting_for = refused.said != self._waiting_for, refused.said
        return (_note(refused.said),) if fresh else ()

    def _place(self) -> dict[str, str]:
        """Where in the log to begin."""
        if self._begun is None:
            return {"tailLines": str(self._query.tail)}
        if self._cursor.since:
            return {"sinceTime": self._cursor.since}
        return {"sinceSeconds": str(math.ceil(time.monotonic() - self._begun) + 1)}

    def _unfinished(self) -> tuple[str, ...]:
        rest = self._splitter.take_rest()
        return shown((rest,), self._cursor, self._query.timestamps) if rest else ()

    async def _look(self) -> Sight | None:
        """The container as it is, None without the right to see its pod; raises NotFound."""
        try:
            pod = await self._client.get(self._pod_at)
        except Denied:
            return None
        self._container = chosen_container(pod, self._container)
        return sight(pod, self._container)


async def _next_part(response: aiohttp.ClientResponse, patience: float) -> bytes | None:
    """What has arrived, empty at the end of the log, None when nothing comes within `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            return await response.content.readany()
    except TimeoutError:
        return None


def _no_log(refused: BadRequest) -> NotFound:
    return NotFound(f"There is no such log: {refused.said}", "Choose another container, or the live log.")


def _note(words: str) -> str:
    return f"── {words} ──"
