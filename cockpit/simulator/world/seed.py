"""The objects that a world begins with."""

from __future__ import annotations

from cockpit.simulator.spec import WorldSpec
from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    HTTP_ROUTE,
    INGRESS,
    LEASE,
    NAMESPACE,
    SERVICE,
)
from cockpit.simulator.world.objects import (
    CANARY,
    CANARY_WEIGHT,
    deployment_spec,
    ingress_spec,
    plain_container,
    resource,
    route_spec,
    service_spec,
    web_container,
)

REDIS_IMAGE = "redis:7.4"
SUPPORT_IMAGES = (REDIS_IMAGE, "busybox:1.36")


def plant(cluster: Cluster, spec: WorldSpec) -> None:
    """Create the namespaces, workloads, services and routes of a spec."""
    for name in dict.fromkeys(["default", "kube-system", spec.namespace]):
        made = resource(NAMESPACE, "", name, labels={"kubernetes.io/metadata.name": name})
        cluster.create(NAMESPACE, {**made, "spec": {}, "status": {"phase": "Active"}})
    _plant_workloads(cluster, spec)
    _plant_services(cluster, spec)
    if spec.backend == "gateway":
        cluster.create(HTTP_ROUTE, resource(HTTP_ROUTE, spec.namespace, spec.route, spec=route_spec(spec)))
    else:
        _plant_ingresses(cluster, spec)
    for name in spec.config_maps:
        cluster.create(CONFIG_MAP, resource(CONFIG_MAP, spec.namespace, name, data={}))
    for name in spec.leases:
        cluster.create(LEASE, resource(LEASE, spec.namespace, name, spec={}))


def _plant_workloads(cluster: Cluster, spec: WorldSpec) -> None:
    for track in spec.tracks.values():
        made = deployment_spec(dict(track.labels), web_container(track, spec.port), track.replicas)
        labels = dict(track.labels)
        found = resource(DEPLOYMENT, spec.namespace, track.deployment, labels=labels, spec=made)
        cluster.create(DEPLOYMENT, found)
    for name in dict.fromkeys([spec.redis, *spec.extra_deployments]):
        container = plain_container(name, REDIS_IMAGE if name == spec.redis else "busybox:1.36", 6379)
        made = deployment_spec({"app": name}, container, 1)
        cluster.create(DEPLOYMENT, resource(DEPLOYMENT, spec.namespace, name, labels={"app": name}, spec=made))


def _plant_services(cluster: Cluster, spec: WorldSpec) -> None:
    stable = spec.tracks[spec.stable]
    wanted = {track.service: dict(track.labels) for track in spec.tracks.values()}
    wanted[spec.active_service] = {**stable.labels, spec.selector_key: stable.name}
    for name, selector in wanted.items():
        made = service_spec(selector, 80, spec.port, name)
        cluster.create(
            SERVICE,
            resource(SERVICE, spec.namespace, name, labels={"app": spec.app}, spec=made, status={"loadBalancer": {}}),
        )
    made = service_spec({"app": spec.redis}, 6379, 6379, spec.redis)
    cluster.create(SERVICE, resource(SERVICE, spec.namespace, spec.redis, spec=made, status={"loadBalancer": {}}))


def _plant_ingresses(cluster: Cluster, spec: WorldSpec) -> None:
    address = {"loadBalancer": {"ingress": [{"ip": "203.0.113.10"}]}}
    main = resource(
        INGRESS,
        spec.namespace,
        spec.main_ingress,
        labels={"app": spec.app},
        spec=ingress_spec(spec.host, spec.active_service),
        status=address,
    )
    canary = resource(
        INGRESS,
        spec.namespace,
        spec.canary_ingress,
        labels={"app": spec.app},
        annotations={CANARY: "true", CANARY_WEIGHT: "0"},
        spec=ingress_spec(spec.host, spec.tracks[spec.candidate].service),
        status=address,
    )
    cluster.create(INGRESS, main)
    cluster.create(INGRESS, canary)
