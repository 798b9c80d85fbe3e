"""One object, whole, kept up to date: what somebody else does to it is seen when it happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.reader import Asked, Reader, WatchTimes
from cockpit.adapters.kubernetes.resource import Json, Resource, items, text

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ObjectChanged:
    """The object as the API server has it, or None when it has none of that name.

    `seen_at` is when that was last known to be so; None means that it was never read, so that None as the object says
    nothing. `stale_since` is set, and `problem` says why, while the object may have changed unseen.
    """

    object: Json | None
    seen_at: datetime | None = None
    stale_since: datetime | None = None
    problem: str = ""


async def watch_object(
    client: KubeClient, resource: Resource, times: WatchTimes | None = None
) -> AsyncGenerator[ObjectChanged, None]:
    """The named object after every change, and whenever its age is renewed; for ever, so close the iterator.

    The text in the object is as it came: clean what is shown. Needs the rights `list` and `watch`, which RBAC may
    narrow to the object's name. Never raises for a broken line.
    """
    kept = _Object(client, resource)
    async with aclosing(Reader(client, kept, times or WatchTimes()).changes()) as changes:
        async for fresh in changes:
            yield ObjectChanged(kept.object, fresh.seen_at, fresh.stale_since, fresh.problem)


class _Object:
    size = 1

    def __init__(self, client: KubeClient, resource: Resource) -> None:
        self._client = client
        self.object: Json | None = None
        query = {"fieldSelector": f"metadata.name={resource.name}"}
        self.asked = Asked(str(resource), resource.named(""), query, _JSON)

    async def read(self) -> str:
        self.object, version = await self._list()
        return version

    async def same(self) -> bool:
        found, _ = await self._list()
        return _identity(found) == _identity(self.object)

    def take(self, kind: str, obj: Json) -> None:
        if kind != "BOOKMARK":
            self.object = None if kind == "DELETED" else obj

    async def _list(self) -> tuple[Json | None, str]:
        page = await self._client.get(self.asked.collection, self.asked.query)
        found = next((item for item in items(page, "items") if isinstance(item, dict)), None)
        if found is not None:
            # A list says once for all of its items what they are.
            kind = text(page, "kind").removesuffix("List")
            found = {"apiVersion": text(page, "apiVersion"), "kind": kind, **found}
        return found, text(page, "metadata", "resourceVersion")


def _identity(obj: Json | None) -> tuple[str, str]:
    return text(obj, "metadata", "uid"), text(obj, "metadata", "resourceVersion")
