"""The cluster: objects, the queue of what will happen, and the controllers' shared tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cockpit.simulator.world.kinds import EVENT, KINDS, Kind
from cockpit.simulator.world.objects import involved, resource
from cockpit.simulator.world.schedule import Schedule
from cockpit.simulator.world.store import ObjectStore
from cockpit.simulator.world.values import (
    Obj,
    clone,
    name_of,
    namespace_of,
    rfc3339,
    rfc3339_micro,
    stable_uid,
    suffix,
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a new pod will fare. Times are run seconds; `crash_after` is None for a pod that stays up."""

    image_known: bool = True
    ready_after: float = 20.0
    crash_after: float | None = None


class Controller(Protocol):
    """What keeps a kind of object in order."""

    kind: Kind

    def reconcile(self, obj: Obj) -> None:
        """Bring the world one step nearer to what `obj` asks for."""


class Cluster:
    """Objects and time together. `behave` says how a new pod will fare."""

    def __init__(self, start: float, behave: Callable[[Obj], Behaviour]) -> None:
        self.store = ObjectStore()
        self.schedule = Schedule(start)
        self.behave = behave
        self._serial = 0
        self._events: dict[tuple[str, str, str], str] = {}

    @property
    def now(self) -> float:
        """The run time the world has reached, in seconds since the epoch."""
        return self.schedule.time

    def unique(self, seed: str, length: int) -> str:
        """A name suffix never given before in this world."""
        self._serial += 1
        return suffix(f"{seed}/{self._serial}", length)

    def create(self, kind: Kind, obj: Obj) -> Obj:
        """Store a new object with identity, creation time and first generation."""
        self._serial += 1
        metadata = obj["metadata"]
        metadata.setdefault("uid", stable_uid(f"{kind.qualified}/{metadata['name']}/{self._serial}"))
        metadata.setdefault("creationTimestamp", rfc3339(self.now))
        if kind.counts_generations:
            metadata["generation"] = 1
        return self.store.put(kind, obj)

    def update(self, kind: Kind, obj: Obj) -> Obj:
        """Store a changed object unless nothing but its resource version differs."""
        current = self.store.get(kind, namespace_of(obj), name_of(obj))
        if current is not None and current == obj:
            return current
        return self.store.put(kind, obj)

    def draft(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        """A copy of an object that may be changed and then given to `update`, or None."""
        found = self.store.get(kind, namespace, name)
        draft: Obj | None = None if found is None else clone(found)
        return draft

    def set_status(self, kind: Kind, obj: Obj, status: Obj) -> Obj:
        """Store a new status for an object."""
        return self.update(kind, {**clone(obj), "status": status})

    def collect(self, owner: Obj) -> None:
        """Remove everything that a deleted object owned, directly or not."""
        uid = owner["metadata"]["uid"]
        for kind in KINDS:
            for obj in self.store.select(kind, namespace_of(owner)):
                if any(ref["uid"] == uid for ref in obj["metadata"].get("ownerReferences") or []):
                    self.store.remove(kind, namespace_of(obj), name_of(obj))
                    self.collect(obj)

    def event(self, about: Obj, reason: str, message: str, component: str, warning: bool = False) -> None:
        """Write a Kubernetes Event, or count up the one that already says the same."""
        about_uid = about["metadata"].get("uid", "")
        key = (about_uid, reason, message)
        namespace = namespace_of(about) or "default"
        known = self.draft(EVENT, namespace, self._events.get(key, ""))
        if known is not None:
            known["count"] += 1
            known["lastTimestamp"] = rfc3339(self.now)
            self.update(EVENT, known)
            return
        name = f"{name_of(about)}.{stable_uid(f'{key}')[:13].replace('-', '')}"
        self._events[key] = name
        self.create(EVENT, self._new_event(about, namespace, name, (reason, message, component, warning)))

    def forget_events(self) -> None:
        """Remove every Event, as their time to live does."""
        for event in self.store.select(EVENT):
            self.store.remove(EVENT, namespace_of(event), name_of(event))
        self._events.clear()

    def _new_event(self, about: Obj, namespace: str, name: str, text: tuple[str, str, str, bool]) -> Obj:
        reason, message, component, warning = text
        return resource(
            EVENT,
            namespace,
            name,
            involvedObject=involved(about),
            reason=reason,
            message=message,
            source={"component": component},
            reportingComponent=component,
            reportingInstance="",
            firstTimestamp=rfc3339(self.now),
            lastTimestamp=rfc3339(self.now),
            eventTime=rfc3339_micro(self.now),
            count=1,
            type="Warning" if warning else "Normal",
        )
