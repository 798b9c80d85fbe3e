"""The object store: resource versions, the history watches read, and who listens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from cockpit.simulator.world.kinds import Kind
from cockpit.simulator.world.values import Obj, name_of, namespace_of

FIRST_VERSION = 1000
"""The resource version of an empty store."""


class HistoryGone(Exception):
    """The asked resource version is older than the history that is kept."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write: `before` is None for a creation, `after` is None for a deletion."""

    version: int
    kind: Kind
    before: Obj | None
    after: Obj | None


class ObjectStore:
    """Objects by kind, namespace and name. Objects given out are shared and must not be changed in place."""

    def __init__(self, history: int = 20_000) -> None:
        self.version = FIRST_VERSION
        self._objects: dict[Kind, dict[tuple[str, str], Obj]] = {}
        self._history: deque[Change] = deque(maxlen=history)
        self._listeners: list[Callable[[Change], None]] = []
        self._oldest = FIRST_VERSION

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        """The object, or None."""
        return self._objects.get(kind, {}).get((namespace, name))

    def select(self, kind: Kind, namespace: str = "") -> list[Obj]:
        """The objects of a kind in name order; an empty namespace means all of them."""
        found = self._objects.get(kind, {})
        return [found[key] for key in sorted(found) if not namespace or key[0] == namespace]

    def put(self, kind: Kind, obj: Obj) -> Obj:
        """Store a created or changed object under the next resource version and tell the listeners."""
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        table = self._objects.setdefault(kind, {})
        key = (namespace_of(obj), name_of(obj))
        before = table.get(key)
        table[key] = obj
        self._tell(Change(self.version, kind, before, obj))
        return obj

    def remove(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        """Delete an object and tell the listeners; returns it as it last was, or None."""
        before = self._objects.get(kind, {}).pop((namespace, name), None)
        if before is not None:
            self.version += 1
            self._tell(Change(self.version, kind, before, None))
        return before

    def since(self, version: int) -> list[Change]:
        """The changes after a resource version, oldest first; raises HistoryGone when some are lost."""
        if version < self._oldest:
            raise HistoryGone(str(version))
        return [change for change in self._history if change.version > version]

    def forget_history(self) -> None:
        """Drop the kept changes, as compaction does: older resource versions answer 410 from now on."""
        self._history.clear()
        self._oldest = self.version

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` at each change; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, change: Change) -> None:
        if len(self._history) == self._history.maxlen:
            self._oldest = self._history[0].version
        self._history.append(change)
        for listener in tuple(self._listeners):
            listener(change)
