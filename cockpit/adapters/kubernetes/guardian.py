"""The guarded objects: their facts, their stamp, and a watch of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.fence import EPOCH, HOLDER, Fence, epoch_of, holder_of
from cockpit.adapters.kubernetes.object_watch import watch_object
from cockpit.adapters.kubernetes.patch import last_writer, pointer, test
from cockpit.adapters.kubernetes.reader import WatchTimes
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping, text
from cockpit.errors import Conflict, DeadlineExceeded, NotFound, OutsideError
from cockpit.model.guarded import GuardedChanged, GuardedObject

_TRIES = 3
_ANNOTATIONS = ("metadata", "annotations")


@dataclass(frozen=True, slots=True)
class Guarded:
    """One object to guard: where it is, what of it matters, and the managed field behind each fact.

    `stamped` ones are written by the run and carry its epoch; the others are only watched.
    """

    key: str
    where: Callable[[], Awaitable[Resource]]
    facts: Callable[[Json], Mapping[str, str]]
    fields: Callable[[Json], Mapping[str, tuple[str, ...]]]
    stamped: bool = True

    def seen(self, obj: Json) -> GuardedObject:
        """The object's facts."""
        managers = {name: last_writer(obj, path) for name, path in self.fields(obj).items()}
        known = {name: manager for name, manager in managers.items() if manager}
        return GuardedObject(self.key, self.facts(obj), known, epoch_of(obj), holder_of(obj), self.stamped)


class KubeGuardian:
    """See `cockpit.engine.ports.Guardian`."""

    def __init__(self, client: KubeClient, guarded: Sequence[Guarded], times: WatchTimes | None = None) -> None:
        self._client = client
        self._guarded = {each.key: each for each in guarded}
        self._times = times or WatchTimes()

    async def look(self) -> tuple[GuardedObject, ...]:
        """All guarded objects, read at the same time."""
        return tuple(await asyncio.gather(*map(self._look, self._guarded.values())))

    async def read(self, key: str) -> GuardedObject | None:
        """One guarded object, None when it was deleted."""
        try:
            return await self._look(self._guarded[key])
        except NotFound:
            return None

    async def stamp(self, epoch: int, holder: str) -> tuple[GuardedObject, ...]:
        """Write the epoch on every object that the run writes; from then on the client tests it in each write."""
        fence = Fence(epoch, holder)
        stamped = [each for each in self._guarded.values() if each.stamped]
        found = await asyncio.gather(*(self._stamp(each, fence) for each in stamped))
        self._client.fence = fence
        return tuple(found)

    def obey(self, refusal: Callable[[], str]) -> None:
        """Ask `refusal` before each change that is sent, and send none that it gives a reason against."""
        self._client.refusal = refusal

    async def confirm(self) -> None:
        """Read one stamped object; raises Fenced when somebody else has stamped it, Conflict when the stamp is gone."""
        fence = self._client.fence
        if fence is None:
            return
        first = next(each for each in self._guarded.values() if each.stamped)
        obj = await self._client.get(await first.where())
        if fence.broken(obj):
            raise fence.refusal(first.key, obj)

    async def watch(self) -> AsyncGenerator[GuardedChanged, None]:
        """Each guarded object after every change; close the iterator to end all watches."""
        queue: asyncio.Queue[GuardedChanged] = asyncio.Queue()
        tasks = [asyncio.create_task(self._follow(each, queue)) for each in self._guarded.values()]
        try:
            while True:
                waiting = asyncio.ensure_future(queue.get())
                done, _ = await asyncio.wait((waiting, *tasks), return_when=asyncio.FIRST_COMPLETED)
                for task in done - {waiting}:
                    # It never ends; a fault in it must not look like a quiet cluster.
                    task.result()
                yield await waiting
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, guarded: Guarded, queue: asyncio.Queue[GuardedChanged]) -> None:
        changes: AsyncIterator[GuardedChanged] = self._changes(guarded)
        async for change in changes:
            await queue.put(change)

    async def _changes(self, guarded: Guarded) -> AsyncGenerator[GuardedChanged, None]:
        watch = watch_object(self._client, await self._found(guarded), self._times)
        async with aclosing(watch) as changes:
            async for change in changes:
                if change.seen_at is None:
                    continue
                seen = guarded.seen(change.object) if change.object is not None else None
                yield GuardedChanged(seen, guarded.key, change.stale_since, change.problem)

    async def _found(self, guarded: Guarded) -> Resource:
        """Where the object is; asked until the API server answers."""
        while True:
            try:
                return await guarded.where()
            except OutsideError:
                await asyncio.sleep(self._times.pause)

    async def _look(self, guarded: Guarded) -> GuardedObject:
        return guarded.seen(await self._client.get(await guarded.where()))

    async def _stamp(self, guarded: Guarded, fence: Fence) -> GuardedObject:
        resource = await guarded.where()
        for attempt in range(_TRIES):
            obj = await self._client.get(resource)
            if not fence.broken(obj) and holder_of(obj) == fence.holder:
                break
            if (epoch_of(obj) or 0) >= fence.epoch:
                raise fence.refusal(guarded.key, obj)
            try:
                obj = await self._client.patch(resource, _stamping(obj, fence))
                break
            except (Conflict, DeadlineExceeded):
                # The next look tells whether a stamp without an answer is there.
                if attempt + 1 == _TRIES:
                    raise
        return guarded.seen(obj)


def _stamping(obj: Json, fence: Fence) -> list[Json]:
    annotations = mapping(obj, *_ANNOTATIONS)
    version = test("/metadata/resourceVersion", text(obj, "metadata", "resourceVersion"))
    known = test(pointer(*_ANNOTATIONS, EPOCH), annotations[EPOCH]) if EPOCH in annotations else version
    missing: list[Json] = [] if annotations else [{"op": "add", "path": pointer(*_ANNOTATIONS), "value": {}}]
    values = {EPOCH: str(fence.epoch), HOLDER: fence.holder}
    adding = [{"op": "add", "path": pointer(*_ANNOTATIONS, key), "value": value} for key, value in values.items()]
    return [known, *missing, *adding]
