"""What the cockpit reads out of the API's objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.errors import NotFound
from cockpit.model.cluster import DeploymentState, Endpoint, RouteState, ServiceState
from cockpit.model.text import clean

_QUOTED = re.compile(r'"([^"]+)"')


def deployment_state(obj: Json, container: str | None) -> DeploymentState:
    """A Deployment with the image of `container` (the first if None); raises NotFound without such a container."""
    name = clean(text(obj, "metadata", "name"))
    containers = items(obj, "spec", "template", "spec", "containers")
    names = [text(each, "name") for each in containers]
    if not names or (container is not None and container not in names):
        raise NotFound(f"The Deployment {name} has no container {container}.", f"It has: {clean(', '.join(names))}.")
    index = names.index(container) if container is not None else 0
    status = mapping(obj, "status")
    return DeploymentState(
        name=name,
        image=clean(text(containers[index], "image")),
        container=clean(names[index]),
        container_index=index,
        generation=number(obj, "metadata", "generation"),
        observed_generation=number(status, "observedGeneration"),
        wanted=wanted(obj),
        replicas=number(status, "replicas"),
        updated=number(status, "updatedReplicas"),
        available=number(status, "availableReplicas"),
        ready=number(status, "readyReplicas"),
        labels=strings(mapping(obj, "metadata", "labels")),
        problem=_rollout_problem(obj),
        paused=dig(obj, "spec", "paused") is True,
    )


def wanted(deployment: Json) -> int:
    """How many pods a Deployment asks for; one when it does not say."""
    return 1 if dig(deployment, "spec", "replicas") is None else number(deployment, "spec", "replicas")


class Container(NamedTuple):
    """A container of a pod template."""

    name: str
    image: str


def container_at(deployment: Json, index: int) -> Container:
    """The container at that place, with empty texts when there is none."""
    found = dig(deployment, "spec", "template", "spec", "containers", index)
    return Container(clean(text(found, "name")), clean(text(found, "image")))


def newest_replica_set(deployment: Json) -> str:
    """The name of the newest ReplicaSet, which the Progressing condition tells, or an empty string."""
    found = _QUOTED.search(text(condition(deployment, "Progressing"), "message"))
    return found[1] if found else ""


def service_state(obj: Json, endpoints: tuple[Endpoint, ...] | None = None) -> ServiceState:
    """A Service with its selector."""
    return ServiceState(clean(text(obj, "metadata", "name")), strings(mapping(obj, "spec", "selector")), endpoints)


def ingress_route(obj: Json) -> RouteState:
    """An Ingress with the hosts and backends of its rules, and its default backend."""
    rules = items(obj, "spec", "rules")
    hosts = (text(rule, "host") for rule in rules)
    paths = (path for rule in rules for path in items(rule, "http", "paths"))
    backends = [mapping(obj, "spec", "defaultBackend"), *(mapping(path, "backend") for path in paths)]
    names = _names(text(backend, "service", "name") for backend in backends)
    return RouteState(clean(text(obj, "metadata", "name")), _names(hosts), "Ingress", names)


def http_route(obj: Json) -> RouteState:
    """An HTTPRoute with its hosts and backends."""
    hosts = (host for host in items(obj, "spec", "hostnames") if isinstance(host, str))
    home = text(obj, "metadata", "namespace")
    refs = (ref for rule in items(obj, "spec", "rules") for ref in items(rule, "backendRefs"))
    ours = (ref for ref in refs if text(ref, "namespace") in ("", home) and text(ref, "kind") in ("", "Service"))
    backends = _names(text(ref, "name") for ref in ours)
    return RouteState(clean(text(obj, "metadata", "name")), _names(hosts), "HTTPRoute", backends)


def selector_text(obj: Json) -> str:
    """The `spec.selector` of a workload as a label selector string."""
    parts = [f"{key}={value}" for key, value in strings(mapping(obj, "spec", "selector", "matchLabels")).items()]
    parts += map(_requirement, items(obj, "spec", "selector", "matchExpressions"))
    return ",".join(parts)


def strings(value: Mapping[str, object]) -> dict[str, str]:
    """The entries whose values are strings, cleaned."""
    return {clean(key): clean(each) for key, each in value.items() if isinstance(each, str)}


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clean(name) for name in found if name))


def _requirement(expression: Json) -> str:
    key, values = text(expression, "key"), ",".join(map(str, items(expression, "values")))
    operator = text(expression, "operator")
    if operator in ("In", "NotIn"):
        return f"{key} {operator.lower()} ({values})"
    return key if operator == "Exists" else f"!{key}"


def _rollout_problem(obj: Json) -> str:
    progressing, failure = condition(obj, "Progressing"), condition(obj, "ReplicaFailure")
    if text(failure, "status") == "True":
        return clean(f"{text(failure, 'reason')}: {text(failure, 'message')}")
    if text(progressing, "status") == "False":
        return clean(f"{text(progressing, 'reason')}: {text(progressing, 'message')}")
    return ""


def condition(obj: Json, kind: str) -> Json:
    """The condition of that type in an object's status, or an empty one."""
    return next((each for each in items(obj, "status", "conditions") if text(each, "type") == kind), {})
