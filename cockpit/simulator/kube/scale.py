"""The scale subresource of Deployments and ReplicaSets."""

from __future__ import annotations

from cockpit.simulator.kube.status import ApiError
from cockpit.simulator.world.values import Obj, clone, dig


def scale_of(obj: Obj) -> Obj:
    """The Scale object of a workload."""
    metadata = obj["metadata"]
    keys = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels: dict[str, str] = dig(obj, "spec", "selector", "matchLabels", default={})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in keys if key in metadata},
        "spec": {"replicas": dig(obj, "spec", "replicas", default=0)},
        "status": {
            "replicas": dig(obj, "status", "replicas", default=0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def with_scale(obj: Obj, scale: Obj) -> Obj:
    """The workload with a Scale's replicas and precondition; raises ApiError 422."""
    replicas = dig(scale, "spec", "replicas", default=0)
    if not isinstance(replicas, int) or replicas < 0:
        raise ApiError(422, f"Scale is invalid: spec.replicas: Invalid value: {replicas}")
    changed: Obj = clone(obj)
    changed["spec"]["replicas"] = replicas
    if version := dig(scale, "metadata", "resourceVersion"):
        changed["metadata"]["resourceVersion"] = version
    return changed
