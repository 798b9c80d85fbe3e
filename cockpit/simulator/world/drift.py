"""Another writer: somebody who changes the canary weight behind the commander's back."""

from __future__ import annotations

from cockpit.simulator.blueprint import WorldSpec
from cockpit.simulator.record import Record
from cockpit.simulator.scenario import Drift
from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import HTTP_ROUTE, INGRESS
from cockpit.simulator.world.managed import stamp
from cockpit.simulator.world.objects import CANARY_WEIGHT
from cockpit.simulator.world.values import Obj, clone


def plan_drift(cluster: Cluster, spec: WorldSpec, drift: Drift, record: Record) -> None:
    """Let the other writer act once, after the drift's delay."""
    kind, name = (HTTP_ROUTE, spec.route) if spec.backend == "gateway" else (INGRESS, spec.canary_ingress)

    def act() -> None:
        before = cluster.draft(kind, spec.namespace, name)
        if before is None:
            return
        after: Obj = clone(before)
        _set_weight(after, spec, drift.weight)
        if kind.counts_generations and after.get("spec") != before.get("spec"):
            after["metadata"]["generation"] += 1
        stamp(before, after, drift.manager, cluster.now)
        cluster.update(kind, after)
        record.add("weight", name, actor=drift.manager, weight=drift.weight, drift=True)

    cluster.schedule.after(drift.after, act)


def _set_weight(obj: Obj, spec: WorldSpec, weight: int) -> None:
    if spec.backend == "nginx":
        obj["metadata"].setdefault("annotations", {})[CANARY_WEIGHT] = str(weight)
        return
    candidate = spec.tracks[spec.candidate].service
    for ref in obj["spec"]["rules"][0]["backendRefs"]:
        ref["weight"] = weight if ref["name"] == candidate else 100 - weight
