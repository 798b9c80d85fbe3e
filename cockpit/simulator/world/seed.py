"""The objects that a world begins with."""

from __future__ import annotations

from cockpit.simulator.blueprint import WorldSpec
from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import (
    CONFIG_MAP,
    CRON_JOB,
    DEPLOYMENT,
    HTTP_ROUTE,
    INGRESS,
    LEASE,
    NAMESPACE,
    SERVICE,
)
from cockpit.simulator.world.objects import (
    AFFINITY,
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
from cockpit.simulator.world.values import Obj, rfc3339

REDIS_IMAGE = "redis:7.4"
CANARY_YOUNGER_S = 600.0
SUPPORT_IMAGES = (REDIS_IMAGE, "busybox:1.36")


def plant(cluster: Cluster, spec: WorldSpec) -> None:
    """Create the namespaces, workloads, services and routes of a spec."""
    for name in dict.fromkeys(["default", "kube-system", spec.namespace]):
        made = resource(NAMESPACE, "", name, labels={"kubernetes.io/metadata.name": name})
        cluster.create(NAMESPACE, {**made, "spec": {}, "status": {"phase": "Active"}})
    _plant_workloads(cluster, spec)
    for name in dict.fromkeys(spec.cron_jobs):
        pod = {"restartPolicy": "Never", "containers": [plain_container(name, "busybox:1.36", 80)]}
        made = {"schedule": "@yearly", "suspend": True, "jobTemplate": {"spec": {"template": {"spec": pod}}}}
        cluster.create(CRON_JOB, resource(CRON_JOB, spec.namespace, name, spec=made))
    _plant_services(cluster, spec)
    if spec.backend == "gateway":
        for name in (spec.route, *spec.extra_routes):
            cluster.create(HTTP_ROUTE, resource(HTTP_ROUTE, spec.namespace, name, spec=route_spec(spec)))
    else:
        _plant_ingresses(cluster, spec)
    for name in spec.config_maps:
        cluster.create(CONFIG_MAP, resource(CONFIG_MAP, spec.namespace, name, data={}))
    for name in spec.leases:
        cluster.create(LEASE, resource(LEASE, spec.namespace, name, spec={}))


def pin_users(cluster: Cluster, spec: WorldSpec) -> None:
    """Turn on the session affinity that pins users to where they are."""
    kind, name = (HTTP_ROUTE, spec.route) if spec.backend == "gateway" else (INGRESS, spec.main_ingress)
    found: Obj | None = cluster.draft(kind, spec.namespace, name)
    if found is None:
        return
    if kind is INGRESS:
        found["metadata"].setdefault("annotations", {})[AFFINITY] = "cookie"
    else:
        found["spec"]["rules"][0]["sessionPersistence"] = {"sessionName": "sticky", "type": "Cookie"}
        found["metadata"]["generation"] += 1
    cluster.update(kind, found)


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
    common = dict(set.intersection(*(set(track.labels.items()) for track in spec.tracks.values())))
    for track in spec.tracks.values():
        _plant_service(cluster, spec, track.service, dict(track.labels), (track.port, spec.port))
    _plant_service(cluster, spec, spec.active_service, dict(stable.labels), (stable.port, spec.port))
    for name in spec.extra_services:
        _plant_service(cluster, spec, name, common, (80, spec.port))
    _plant_service(cluster, spec, spec.redis, {"app": spec.redis}, (6379, 6379))


def _plant_service(
    cluster: Cluster, spec: WorldSpec, name: str, selector: dict[str, str], ports: tuple[int, int]
) -> None:
    if cluster.store.get(SERVICE, spec.namespace, name) is not None:
        return
    made = service_spec(selector, *ports, name)
    labels = {"app": selector.get("app", name)}
    parts = {"spec": made, "status": {"loadBalancer": {}}}
    cluster.create(SERVICE, resource(SERVICE, spec.namespace, name, labels=labels, **parts))


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
    # Of two Ingresses of one host the older one serves it once none is a canary.
    canary["metadata"]["creationTimestamp"] = rfc3339(cluster.now + CANARY_YOUNGER_S)
    cluster.create(INGRESS, main)
    cluster.create(INGRESS, canary)
    for name in spec.extra_routes:
        made = ingress_spec(f"{name}.{spec.host}", spec.active_service)
        cluster.create(INGRESS, resource(INGRESS, spec.namespace, name, spec=made, status=address))
