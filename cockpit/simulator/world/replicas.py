"""ReplicaSets: as many pods as they ask for."""

from __future__ import annotations

from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import POD, REPLICA_SET
from cockpit.simulator.world.objects import controller_of
from cockpit.simulator.world.pods import PodLives, is_active, is_ready
from cockpit.simulator.world.values import Obj, name_of, namespace_of


def pods_of(cluster: Cluster, owner: Obj) -> list[Obj]:
    """The pods that an object controls."""
    uid = owner["metadata"]["uid"]
    found = []
    for pod in cluster.store.select(POD, namespace_of(owner)):
        reference = controller_of(pod)
        if reference is not None and reference["uid"] == uid:
            found.append(pod)
    return found


class ReplicaSets:
    """The ReplicaSet controller."""

    kind = REPLICA_SET

    def __init__(self, cluster: Cluster, pods: PodLives) -> None:
        self._cluster = cluster
        self._pods = pods

    def reconcile(self, obj: Obj) -> None:
        """Create or end pods, then write the status."""
        wanted = obj["spec"].get("replicas", 1)
        active = [pod for pod in pods_of(self._cluster, obj) if is_active(pod)]
        for _ in range(wanted - len(active)):
            pod = self._pods.create(obj, obj["spec"]["template"])
            self._say(obj, "SuccessfulCreate", f"Created pod: {name_of(pod)}")
        if len(active) > wanted:
            for pod in sorted(active, key=_worth)[: len(active) - wanted]:
                self._pods.terminate(pod)
                self._say(obj, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        self._write_status(obj)

    def _write_status(self, obj: Obj) -> None:
        active = [pod for pod in pods_of(self._cluster, obj) if is_active(pod)]
        ready = sum(is_ready(pod) for pod in active)
        status: Obj = {"observedGeneration": obj["metadata"]["generation"], "replicas": len(active)}
        if active:
            status["fullyLabeledReplicas"] = len(active)
        if ready:
            status.update(readyReplicas=ready, availableReplicas=ready)
        self._cluster.set_status(REPLICA_SET, obj, status)

    def _say(self, obj: Obj, reason: str, message: str) -> None:
        self._cluster.event(obj, reason, message, "replicaset-controller")


def _worth(pod: Obj) -> tuple[bool, float]:
    """Sorts the pods to end first: those not ready, then the youngest."""
    return is_ready(pod), -float(pod["metadata"]["resourceVersion"])
