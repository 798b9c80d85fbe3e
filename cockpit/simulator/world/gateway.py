"""The gateway controller: tells an HTTPRoute whether it is accepted and its backends exist."""

from __future__ import annotations

from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import HTTP_ROUTE, SERVICE
from cockpit.simulator.world.objects import GATEWAY
from cockpit.simulator.world.values import Obj, dig, namespace_of, rfc3339

CONTROLLER = "simulator/gateway-controller"


class Gateway:
    """Writes its entries of `status.parents` for the parents that it serves, and leaves those of others alone."""

    kind = HTTP_ROUTE

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def reconcile(self, obj: Obj) -> None:
        """Write the conditions for the route's present generation, when they say something new."""
        parents = dig(obj, "status", "parents", default=[])
        others = [each for each in parents if each.get("controllerName") != CONTROLLER]
        mine = [ref for ref in dig(obj, "spec", "parentRefs", default=[]) if ref["name"] == GATEWAY]
        known = [each for each in parents if each.get("controllerName") == CONTROLLER]
        conditions = self._conditions(obj)
        told = [each["parentRef"] for each in known] == mine
        if told and all(_said(each["conditions"]) == _said(conditions) for each in known):
            return
        entries = [{"parentRef": ref, "controllerName": CONTROLLER, "conditions": conditions} for ref in mine]
        self._cluster.set_status(HTTP_ROUTE, obj, {**obj.get("status", {}), "parents": [*others, *entries]})

    def _conditions(self, obj: Obj) -> list[Obj]:
        missing, generation = self._missing(obj), obj["metadata"]["generation"]
        message = f"backend(s) not found: {', '.join(missing)}" if missing else ""
        reason = "BackendNotFound" if missing else "ResolvedRefs"
        return [
            self._condition("Accepted", True, "Accepted", "", generation),
            self._condition("ResolvedRefs", not missing, reason, message, generation),
        ]

    def _missing(self, obj: Obj) -> list[str]:
        names = [ref["name"] for rule in dig(obj, "spec", "rules", default=[]) for ref in rule.get("backendRefs", [])]
        return sorted({name for name in names if not self._cluster.store.get(SERVICE, namespace_of(obj), name)})

    def _condition(self, kind: str, holds: bool, reason: str, message: str, generation: int) -> Obj:
        return {
            "type": kind,
            "status": "True" if holds else "False",
            "reason": reason,
            "message": message,
            "observedGeneration": generation,
            "lastTransitionTime": rfc3339(self._cluster.now),
        }


def _said(conditions: list[Obj]) -> list[Obj]:
    """Conditions without the time, which is new whenever they are made."""
    return [{key: value for key, value in each.items() if key != "lastTransitionTime"} for each in conditions]
