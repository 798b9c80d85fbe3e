"""Defaults and validation, as far as wrong writes would otherwise pass unnoticed."""

from __future__ import annotations

from typing import Any

from cockpit.simulator.kube.status import invalid
from cockpit.simulator.world.kinds import CONFIG_MAP, DEPLOYMENT, HTTP_ROUTE, INGRESS, JOB, SERVICE, Kind
from cockpit.simulator.world.objects import service_spec
from cockpit.simulator.world.values import Obj, dig, name_of


def complete(kind: Kind, obj: Obj) -> None:
    """Fill in the defaults that the world relies on."""
    if kind is DEPLOYMENT:
        _complete_deployment(obj)
    elif kind is JOB:
        _complete_pod(dig(obj, "spec", "template", "spec", default={}), "Never")
    elif kind is SERVICE:
        defaults = service_spec({}, 80, 80, name_of(obj))
        for key in ("type", "clusterIP", "clusterIPs", "sessionAffinity", "ipFamilies", "internalTrafficPolicy"):
            obj.setdefault("spec", {}).setdefault(key, defaults[key])
        for port in obj["spec"].get("ports", []):
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))


def validate(kind: Kind, before: Obj | None, after: Obj) -> None:
    """Refuse what an API server would refuse; raises ApiError 422."""
    _check_strings(kind, after)
    if kind is DEPLOYMENT:
        _check_deployment(before, after)
    elif kind is SERVICE and not dig(after, "spec", "ports"):
        raise invalid(kind, name_of(after), "spec.ports", "Required value")
    elif kind is HTTP_ROUTE:
        _check_route(after)
    elif kind is INGRESS and not (dig(after, "spec", "rules") or dig(after, "spec", "defaultBackend")):
        raise invalid(
            kind, name_of(after), "spec", "Invalid value: either `defaultBackend` or `rules` must be specified"
        )


def _complete_deployment(obj: Obj) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("progressDeadlineSeconds", 600)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    spec.setdefault("strategy", rolling)
    _complete_pod(dig(obj, "spec", "template", "spec", default={}), "Always")


def _complete_pod(spec: Obj, policy: str) -> None:
    spec.setdefault("restartPolicy", policy)
    for container in spec.get("containers", []):
        container.setdefault("imagePullPolicy", "IfNotPresent")
        container.setdefault("resources", {})


def _check_strings(kind: Kind, obj: Obj) -> None:
    """Labels, annotations and the data of config maps hold strings and nothing else."""
    maps = [
        ("metadata.labels", dig(obj, "metadata", "labels")),
        ("metadata.annotations", dig(obj, "metadata", "annotations")),
    ]
    if kind is CONFIG_MAP:
        maps.append(("data", obj.get("data")))
    if kind is SERVICE:
        maps.append(("spec.selector", dig(obj, "spec", "selector")))
    for field, found in maps:
        for key, value in (found or {}).items():
            if not isinstance(value, str):
                raise invalid(kind, name_of(obj), f"{field}.{key}", f"Invalid value: {_type(value)}: must be a string")


def _type(value: Any) -> str:
    return {bool: "boolean", int: "number", float: "number"}.get(type(value), "object")


def _check_deployment(before: Obj | None, after: Obj) -> None:
    name = name_of(after)
    replicas = dig(after, "spec", "replicas")
    if not isinstance(replicas, int) or replicas < 0:
        raise invalid(
            DEPLOYMENT, name, "spec.replicas", f"Invalid value: {replicas}: must be greater than or equal to 0"
        )
    if not dig(after, "spec", "template", "spec", "containers"):
        raise invalid(DEPLOYMENT, name, "spec.template.spec.containers", "Required value")
    selector = dig(after, "spec", "selector", "matchLabels", default={})
    labels = dig(after, "spec", "template", "metadata", "labels", default={})
    if not selector or any(labels.get(key) != value for key, value in selector.items()):
        message = "Invalid value: `selector` does not match template `labels`"
        raise invalid(DEPLOYMENT, name, "spec.template.metadata.labels", message)
    if before is not None and dig(before, "spec", "selector") != dig(after, "spec", "selector"):
        raise invalid(DEPLOYMENT, name, "spec.selector", "Invalid value: field is immutable")
    for index, container in enumerate(dig(after, "spec", "template", "spec", "containers")):
        if not container.get("image"):
            raise invalid(DEPLOYMENT, name, f"spec.template.spec.containers[{index}].image", "Required value")


def _check_route(obj: Obj) -> None:
    for rule_at, rule in enumerate(dig(obj, "spec", "rules", default=[])):
        for at, ref in enumerate(rule.get("backendRefs", [])):
            weight = ref.get("weight", 1)
            if not isinstance(weight, int) or not 0 <= weight <= 1_000_000:
                field = f"spec.rules[{rule_at}].backendRefs[{at}].weight"
                message = f"Invalid value: {weight}: should be between 0 and 1000000"
                raise invalid(HTTP_ROUTE, name_of(obj), field, message)
