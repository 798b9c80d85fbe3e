"""Builders of the Kubernetes objects that a world begins with or makes by itself."""

from __future__ import annotations

from typing import Any

from cockpit.simulator.blueprint import TrackSpec, WorldSpec
from cockpit.simulator.world.kinds import Kind
from cockpit.simulator.world.values import Obj, name_of, namespace_of, suffix

CANARY = "nginx.ingress.kubernetes.io/canary"
CANARY_WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
AFFINITY = "nginx.ingress.kubernetes.io/affinity"
GATEWAY = "public"
"""The Gateway that the simulated controller serves."""

CPU_LIMIT_CORES = 0.5
MEMORY_LIMIT_BYTES = 512 * 1024 * 1024


def resource(kind: Kind, namespace: str, name: str, **parts: Any) -> Obj:
    """A bare object; `labels` and `annotations` go to its metadata, other parts to the top."""
    metadata: Obj = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    for key in ("labels", "annotations", "ownerReferences"):
        if value := parts.pop(key, None):
            metadata[key] = value
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **parts}


def owner_reference(owner: Obj) -> Obj:
    """The reference by which a controller marks what it owns."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference of the object's controller, or None."""
    references: list[Obj] = obj["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


def deployment_spec(labels: dict[str, str], container: Obj, replicas: int) -> Obj:
    """The spec of a Deployment with one container and the careful rolling update: one more, none fewer."""
    return {
        "replicas": replicas,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": labels},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "containers": [container],
                "restartPolicy": "Always",
                "terminationGracePeriodSeconds": 30,
                "dnsPolicy": "ClusterFirst",
                "schedulerName": "default-scheduler",
                "securityContext": {},
            },
        },
    }


def web_container(track: TrackSpec, port: int) -> Obj:
    """The application's container."""
    return {
        "name": track.container,
        "image": track.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": port, "name": "http", "protocol": "TCP"}],
        "env": [{"name": "NODE_ENV", "value": "production"}],
        "resources": {
            "limits": {"cpu": "500m", "memory": "512Mi"},
            "requests": {"cpu": "250m", "memory": "256Mi"},
        },
        "readinessProbe": _probe("/ready", port, 5),
        "livenessProbe": _probe("/health", port, 10),
    }


def _probe(path: str, port: int, period: int) -> Obj:
    """An HTTP probe with the defaults that the API server fills in."""
    asked = {"path": path, "port": port, "scheme": "HTTP"}
    return {
        "httpGet": asked,
        "timeoutSeconds": 1,
        "periodSeconds": period,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def plain_container(name: str, image: str, port: int) -> Obj:
    """A container of a supporting workload."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": port, "protocol": "TCP"}],
        "resources": {},
    }


def service_spec(selector: dict[str, str], port: int, target: int, seed: str) -> Obj:
    """The spec of a ClusterIP Service."""
    number = sum(ord(letter) for letter in suffix(seed, 8)) % 250
    address = f"10.96.{len(seed) % 250}.{number + 1}"
    return {
        "type": "ClusterIP",
        "clusterIP": address,
        "clusterIPs": [address],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
        "selector": selector,
        "ports": [{"name": "http", "port": port, "protocol": "TCP", "targetPort": target}],
    }


def ingress_spec(host: str, service: str) -> Obj:
    """The spec of an Ingress that sends every path of a host to one Service."""
    backend = {"service": {"name": service, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": [path]}}]}


def route_spec(spec: WorldSpec) -> Obj:
    """The spec of an HTTPRoute with all of its weight on the active Service."""
    refs = [
        _backend_ref(spec.active_service, 100),
        _backend_ref(spec.tracks[spec.candidate].service, 0),
    ]
    return {
        "hostnames": [spec.host],
        "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": GATEWAY}],
        "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": refs},
        ],
    }


def _backend_ref(service: str, weight: int) -> Obj:
    return {"group": "", "kind": "Service", "name": service, "port": 80, "weight": weight}


def involved(obj: Obj) -> Obj:
    """The reference an Event makes to what it is about."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": name_of(obj),
        "namespace": namespace_of(obj),
        "resourceVersion": obj["metadata"].get("resourceVersion", ""),
        "uid": obj["metadata"].get("uid", ""),
    }
