"""The gateway controller: tells an HTTPRoute whether it is accepted and its backends exist."""

from __future__ import annotations

from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import HTTP_ROUTE, SERVICE
from cockpit.simulator.world.values import Obj, dig, namespace_of, rfc3339


class Gateway:
    """Writes `status.parents` of HTTPRoutes."""

    kind = HTTP_ROUTE

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def reconcile(self, obj: Obj) -> None:
        """Write the conditions for the route's present generation."""
        generation = obj["metadata"]["generation"]
        known = dig(obj, "status", "parents", 0, "conditions", default=[])
        resolved = self._resolved(obj)
        current = all(item["observedGeneration"] == generation for item in known)
        if known and current and (known[-1]["status"] == "True") is resolved:
            return
        conditions = [
            self._condition("Accepted", True, "Accepted", generation),
            self._condition("ResolvedRefs", resolved, "ResolvedRefs" if resolved else "BackendNotFound", generation),
        ]
        parents = [
            {"parentRef": ref, "controllerName": "simulator/gateway-controller", "conditions": conditions}
            for ref in dig(obj, "spec", "parentRefs", default=[])
        ]
        self._cluster.set_status(HTTP_ROUTE, obj, {"parents": parents})

    def _resolved(self, obj: Obj) -> bool:
        names = [ref["name"] for rule in dig(obj, "spec", "rules", default=[]) for ref in rule.get("backendRefs", [])]
        return all(self._cluster.store.get(SERVICE, namespace_of(obj), name) for name in names)

    def _condition(self, kind: str, holds: bool, reason: str, generation: int) -> Obj:
        return {
            "type": kind,
            "status": "True" if holds else "False",
            "reason": reason,
            "message": "",
            "observedGeneration": generation,
            "lastTransitionTime": rfc3339(self._cluster.now),
        }
