"""Endpoints and EndpointSlices: the ready pods behind each Service."""

from __future__ import annotations

from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import ENDPOINT_SLICE, ENDPOINTS, POD, SERVICE
from cockpit.simulator.world.objects import owner_reference, resource
from cockpit.simulator.world.pods import is_ready
from cockpit.simulator.world.selectors import matches_labels
from cockpit.simulator.world.values import Obj, dig, name_of, namespace_of, suffix


def pods_behind(cluster: Cluster, service: Obj) -> list[Obj]:
    """The pods with an address that a Service selects, ready or not."""
    selector = dig(service, "spec", "selector", default={})
    if not selector:
        return []
    return [
        pod
        for pod in cluster.store.select(POD, namespace_of(service))
        if matches_labels(selector, pod["metadata"].get("labels", {})) and dig(pod, "status", "podIP")
    ]


class EndpointsController:
    """Keeps the Endpoints and the EndpointSlice of each Service."""

    kind = SERVICE

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def reconcile(self, obj: Obj) -> None:
        """Write what is behind the Service now."""
        pods = pods_behind(self._cluster, obj)
        self._write_endpoints(obj, pods)
        self._write_slice(obj, pods)

    def _write_endpoints(self, service: Obj, pods: list[Obj]) -> None:
        namespace, name = namespace_of(service), name_of(service)
        subset: Obj = {"ports": _ports(service)}
        for key, wanted in (("addresses", True), ("notReadyAddresses", False)):
            found = [_address(pod) for pod in pods if is_ready(pod) is wanted and not _leaving(pod)]
            if found:
                subset[key] = found
        subsets = [subset] if len(subset) > 1 else []
        draft = self._cluster.draft(ENDPOINTS, namespace, name)
        if draft is None:
            self._cluster.create(ENDPOINTS, _owned(service, subsets))
        else:
            self._cluster.update(ENDPOINTS, {**draft, "subsets": subsets})

    def _write_slice(self, service: Obj, pods: list[Obj]) -> None:
        namespace, name = namespace_of(service), name_of(service)
        slice_name = f"{name}-{suffix(name, 5)}"
        endpoints = [_endpoint(pod) for pod in pods]
        draft = self._cluster.draft(ENDPOINT_SLICE, namespace, slice_name)
        if draft is not None:
            self._cluster.update(ENDPOINT_SLICE, {**draft, "endpoints": endpoints})
            return
        made = resource(
            ENDPOINT_SLICE,
            namespace,
            slice_name,
            labels={"kubernetes.io/service-name": name},
            ownerReferences=[owner_reference(service)],
            addressType="IPv4",
            endpoints=endpoints,
            ports=_ports(service),
        )
        self._cluster.create(ENDPOINT_SLICE, made)


def _owned(service: Obj, subsets: list[Obj]) -> Obj:
    """New Endpoints that go when their Service goes."""
    namespace, name = namespace_of(service), name_of(service)
    return resource(ENDPOINTS, namespace, name, ownerReferences=[owner_reference(service)], subsets=subsets)


def _ports(service: Obj) -> list[Obj]:
    return [
        {"name": port.get("name", ""), "port": port.get("targetPort", port["port"]), "protocol": "TCP"}
        for port in dig(service, "spec", "ports", default=[])
    ]


def _leaving(pod: Obj) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _target(pod: Obj) -> Obj:
    metadata = pod["metadata"]
    return {"kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}


def _address(pod: Obj) -> Obj:
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}


def _endpoint(pod: Obj) -> Obj:
    ready = is_ready(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": ready, "terminating": _leaving(pod)},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": _target(pod),
    }
