"""The controllers' work queue: which objects need a look after which change."""

from __future__ import annotations

from cockpit.simulator.world.cluster import Cluster, Controller
from cockpit.simulator.world.kinds import DEPLOYMENT, HTTP_ROUTE, JOB, KINDS, POD, REPLICA_SET, SERVICE, Kind
from cockpit.simulator.world.objects import controller_of
from cockpit.simulator.world.store import Change
from cockpit.simulator.world.values import Obj, name_of, namespace_of

NOTICE_SECONDS = 0.4
"""How long a controller needs to notice a new spec: until then `observedGeneration` is behind."""

_Key = tuple[Kind, str, str]


class Controllers:
    """Runs each controller on the objects that changes concern."""

    def __init__(self, cluster: Cluster, controllers: list[Controller]) -> None:
        self._cluster = cluster
        self._by_kind = {controller.kind: controller for controller in controllers}
        self._queue: dict[_Key, None] = {}
        cluster.store.listen(self._changed)

    def settle(self) -> None:
        """Reconcile until nothing is queued."""
        while self._queue:
            key = next(iter(self._queue))
            del self._queue[key]
            kind, namespace, name = key
            obj = self._cluster.store.get(kind, namespace, name)
            if obj is not None and not obj["metadata"].get("deletionTimestamp"):
                self._by_kind[kind].reconcile(obj)

    def _changed(self, change: Change) -> None:
        obj = change.after or change.before
        if obj is None:
            return
        if change.kind in (DEPLOYMENT, HTTP_ROUTE, JOB) and _new_generation(change):
            self._notice_later(change.kind, obj)
        elif change.kind is REPLICA_SET:
            self._add(REPLICA_SET, obj)
            self._add_owner(obj)
        elif change.kind is POD:
            self._add_owner(obj)
            self._add_services(namespace_of(obj))
        elif change.kind is SERVICE:
            self._add(SERVICE, obj)

    def _add(self, kind: Kind, obj: Obj) -> None:
        self._queue[(kind, namespace_of(obj), name_of(obj))] = None

    def _add_owner(self, obj: Obj) -> None:
        owner = controller_of(obj)
        if owner is None:
            return
        kind = next((kind for kind in KINDS if kind.name == owner["kind"]), None)
        if kind in self._by_kind and kind is not None:
            self._queue[(kind, namespace_of(obj), owner["name"])] = None

    def _add_services(self, namespace: str) -> None:
        for service in self._cluster.store.select(SERVICE, namespace):
            self._add(SERVICE, service)

    def _notice_later(self, kind: Kind, obj: Obj) -> None:
        key = (kind, namespace_of(obj), name_of(obj))
        self._cluster.schedule.after(NOTICE_SECONDS, lambda: self._queue.setdefault(key, None))


def _new_generation(change: Change) -> bool:
    if change.after is None:
        return False
    if change.before is None:
        return True
    before, after = change.before["metadata"], change.after["metadata"]
    return bool(before.get("generation") != after.get("generation"))
