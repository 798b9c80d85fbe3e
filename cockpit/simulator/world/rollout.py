"""Deployments: new ReplicaSets for new templates, rolled out with a surge and without a gap."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import DEPLOYMENT, REPLICA_SET
from cockpit.simulator.world.objects import controller_of, owner_reference, resource
from cockpit.simulator.world.rollout_status import RolloutStatus
from cockpit.simulator.world.values import Obj, clone, dig, name_of, namespace_of, suffix

REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


class Rollouts:
    """The Deployment controller."""

    kind = DEPLOYMENT

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._status = RolloutStatus(cluster)

    def reconcile(self, obj: Obj) -> None:
        """Move the rollout on by what its strategy allows now, then write the status."""
        new, old = self._replica_sets(obj)
        if dig(obj, "spec", "paused"):
            if new is not None:
                self._status.write(obj, new, old)
            return
        if new is None:
            new = self._create(obj, old)
        desired = obj["spec"].get("replicas", 1)
        self._scale_up(obj, new, old, desired)
        self._scale_down(obj, desired)
        new, old = self._replica_sets(obj)
        if new is not None:
            self._status.write(obj, new, old)

    def _replica_sets(self, obj: Obj) -> tuple[Obj | None, list[Obj]]:
        """The ReplicaSet of the present template, and the others."""
        uid, wanted = obj["metadata"]["uid"], template_hash(obj)
        new, old = None, []
        for item in self._cluster.store.select(REPLICA_SET, namespace_of(obj)):
            reference = controller_of(item)
            if reference is None or reference["uid"] != uid:
                continue
            if item["metadata"]["labels"].get(_HASH) == wanted:
                new = item
            else:
                old.append(item)
        return new, old

    def _create(self, obj: Obj, old: list[Obj]) -> Obj:
        digest = template_hash(obj)
        template = clone(obj["spec"]["template"])
        labels = {**dig(template, "metadata", "labels", default={}), _HASH: digest}
        template.setdefault("metadata", {})["labels"] = labels
        made = resource(
            REPLICA_SET,
            namespace_of(obj),
            f"{name_of(obj)}-{digest}",
            labels=labels,
            annotations={REVISION: str(_last_revision(old) + 1)},
            ownerReferences=[owner_reference(obj)],
            spec={
                "replicas": 0,
                "selector": {"matchLabels": {**obj["spec"]["selector"]["matchLabels"], _HASH: digest}},
                "template": template,
            },
            status={"replicas": 0},
        )
        return self._cluster.create(REPLICA_SET, made)

    def _scale_up(self, obj: Obj, new: Obj, old: list[Obj], desired: int) -> None:
        if _revision(new) <= _last_revision(old):
            draft: Obj = clone(new)
            draft["metadata"].setdefault("annotations", {})[REVISION] = str(_last_revision(old) + 1)
            new = self._cluster.update(REPLICA_SET, draft)
        present = new["spec"]["replicas"]
        if present >= desired:
            if present > desired:
                self._scale(obj, new, desired)
            return
        limit = desired + _allowance(obj, "maxSurge", desired, math.ceil)
        room = limit - present - sum(item["spec"]["replicas"] for item in old)
        if room > 0:
            self._scale(obj, new, min(desired, present + room))

    def _scale_down(self, obj: Obj, desired: int) -> None:
        new, old = self._replica_sets(obj)
        floor = desired - _allowance(obj, "maxUnavailable", desired, math.floor)
        ready = sum(_ready(item) for item in [*old, *([new] if new else [])])
        spare = ready - floor
        for item in old:
            present = item["spec"]["replicas"]
            unready = present - _ready(item)
            drop = min(present, unready + max(0, spare))
            if drop > 0:
                spare -= max(0, drop - unready)
                self._scale(obj, item, present - drop)

    def _scale(self, obj: Obj, replica_set: Obj, replicas: int) -> None:
        draft: Obj = clone(replica_set)
        before = draft["spec"]["replicas"]
        draft["spec"]["replicas"] = replicas
        draft["metadata"]["generation"] += 1
        self._cluster.update(REPLICA_SET, draft)
        direction = "up" if replicas > before else "down"
        text = f"Scaled {direction} replica set {name_of(draft)} to {replicas} from {before}"
        self._cluster.event(obj, "ScalingReplicaSet", text, "deployment-controller")


def template_hash(obj: Obj) -> str:
    """The hash that names the ReplicaSet of a Deployment's pod template."""
    return suffix(json.dumps(_meant(obj["spec"]["template"]), sort_keys=True), 10)


def _meant(value: Any) -> Any:
    """A template without its nulls and empty parts, which clients write or leave out as they like."""
    if isinstance(value, dict):
        parts = {key: _meant(item) for key, item in value.items()}
        return {key: item for key, item in parts.items() if item not in (None, {}, [], "")}
    return [_meant(item) for item in value] if isinstance(value, list) else value


def _revision(item: Obj) -> int:
    return int(dig(item, "metadata", "annotations", REVISION, default="0"))


def _last_revision(items: list[Obj]) -> int:
    return max((_revision(item) for item in items), default=0)


def _ready(item: Obj) -> int:
    return int(dig(item, "status", "readyReplicas", default=0))


def _allowance(obj: Obj, field: str, desired: int, rounding: Callable[[float], int]) -> int:
    """A surge or gap, given as a number or as a percentage of the replicas."""
    value = dig(obj, "spec", "strategy", "rollingUpdate", field, default="25%")
    if isinstance(value, int):
        return value
    return rounding(desired * float(str(value).rstrip("%")) / 100)
