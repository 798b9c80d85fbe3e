"""The status a Deployment shows while and after it rolls out."""

from __future__ import annotations

from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import DEPLOYMENT
from cockpit.simulator.world.values import Obj, clone, dig, name_of, namespace_of, parse_time, rfc3339

REVISION = "deployment.kubernetes.io/revision"
_COUNTS = ("updatedReplicas", "readyReplicas", "availableReplicas")


class RolloutStatus:
    """Writes Deployment statuses and watches their progress deadline."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def write(self, obj: Obj, new: Obj, old: list[Obj]) -> None:
        """Write the counts and conditions that follow from the Deployment's ReplicaSets."""
        desired = obj["spec"].get("replicas", 1)
        status = _counts([*old, new], new, desired)
        status["observedGeneration"] = obj["metadata"]["generation"]
        before: Obj = dig(obj, "status", default={})
        conditions = [self._available(before, status, desired), self._progressing(obj, before, status, new)]
        status["conditions"] = conditions
        draft: Obj = clone(obj)
        draft["metadata"].setdefault("annotations", {})[REVISION] = new["metadata"]["annotations"][REVISION]
        draft["status"] = status
        self._cluster.update(DEPLOYMENT, draft)

    def _available(self, before: Obj, status: Obj, desired: int) -> Obj:
        enough = status.get("availableReplicas", 0) >= desired
        reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
        has = "has" if enough else "does not have"
        return self._condition(before, "Available", enough, (reason, f"Deployment {has} minimum availability."))

    def _progressing(self, obj: Obj, before: Obj, status: Obj, new: Obj) -> Obj:
        name, desired = name_of(new), obj["spec"].get("replicas", 1)
        counts = (status.get("updatedReplicas", 0), status["replicas"], status.get("availableReplicas", 0))
        if counts == (desired, desired, desired):
            text = f'ReplicaSet "{name}" has successfully progressed.'
            return self._condition(before, "Progressing", True, ("NewReplicaSetAvailable", text))
        known = _find(before, "Progressing")
        if known is None or _moved(before, status):
            return self._moving(obj, before, name)
        if known["reason"] == "NewReplicaSetAvailable":
            return self._moving(obj, before, name) if counts[0] < desired else known
        deadline = obj["spec"].get("progressDeadlineSeconds", 600)
        if self._cluster.now - parse_time(known["lastUpdateTime"]) >= deadline:
            text = f'ReplicaSet "{name}" has timed out progressing.'
            return self._condition(before, "Progressing", False, ("ProgressDeadlineExceeded", text))
        return known

    def _moving(self, obj: Obj, before: Obj, name: str) -> Obj:
        """The condition of a rollout that has just made progress; looks again at its deadline."""
        namespace, deployment = namespace_of(obj), name_of(obj)
        deadline = obj["spec"].get("progressDeadlineSeconds", 600)

        def look_again() -> None:
            draft = self._cluster.draft(DEPLOYMENT, namespace, deployment)
            known = _find(dig(draft, "status", default={}), "Progressing")
            if draft is None or known is None or known["reason"] != "ReplicaSetUpdated":
                return
            if self._cluster.now - parse_time(known["lastUpdateTime"]) >= deadline:
                known["status"], known["reason"] = "False", "ProgressDeadlineExceeded"
                known["message"] = f'ReplicaSet "{name}" has timed out progressing.'
                known["lastTransitionTime"] = known["lastUpdateTime"] = rfc3339(self._cluster.now)
                self._cluster.update(DEPLOYMENT, draft)

        self._cluster.schedule.after(deadline + 1, look_again)
        text = f'ReplicaSet "{name}" is progressing.'
        moving = self._condition(before, "Progressing", True, ("ReplicaSetUpdated", text))
        return {**moving, "lastUpdateTime": rfc3339(self._cluster.now)}

    def _condition(self, before: Obj, kind: str, holds: bool, text: tuple[str, str]) -> Obj:
        """A condition with its times: kept when it says what it said before."""
        known = _find(before, kind) or {}
        now, status = rfc3339(self._cluster.now), "True" if holds else "False"
        if (known.get("status"), known.get("reason"), known.get("message")) == (status, *text):
            return known
        since = known["lastTransitionTime"] if known.get("status") == status else now
        reason, message = text
        return {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastUpdateTime": now,
            "lastTransitionTime": since,
        }


def _counts(everything: list[Obj], new: Obj, desired: int) -> Obj:
    total = sum(dig(item, "status", "replicas", default=0) for item in everything)
    ready = sum(dig(item, "status", "readyReplicas", default=0) for item in everything)
    updated = dig(new, "status", "replicas", default=0)
    missing = max(0, max(total, desired) - ready)
    found = {"updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": ready}
    status: Obj = {"replicas": total, **{key: value for key, value in found.items() if value}}
    if missing:
        status["unavailableReplicas"] = missing
    return status


def _find(status: Obj, kind: str) -> Obj | None:
    conditions: list[Obj] = status.get("conditions") or []
    return next((item for item in conditions if item["type"] == kind), None)


def _moved(before: Obj, status: Obj) -> bool:
    """Whether more pods are new or ready than before."""
    return any(status.get(key, 0) > before.get(key, 0) for key in _COUNTS)
