"""What the cockpit reads out of the API's objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.errors import NotFound
from cockpit.model.cluster import DeploymentState, RouteState, ServiceState
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
    status, wanted = mapping(obj, "status"), dig(obj, "spec", "replicas")
    return DeploymentState(
        name=name,
        image=clean(text(containers[index], "image")),
        container=clean(names[index]),
        container_index=index,
        generation=number(obj, "metadata", "generation"),
        observed_generation=number(status, "observedGeneration"),
        wanted=1 if wanted is None else number(obj, "spec", "replicas"),
        replicas=number(status, "replicas"),
        updated=number(status, "updatedReplicas"),
        available=number(status, "availableReplicas"),
        ready=number(status, "readyReplicas"),
        labels=strings(mapping(obj, "metadata", "labels")),
        problem=_rollout_problem(obj),
    )


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
    found = _QUOTED.search(text(_condition(deployment, "Progressing"), "message"))
    return found[1] if found else ""


def service_state(obj: Json, ready_endpoints: int | None = None) -> ServiceState:
    """A Service with its selector."""
    name = clean(text(obj, "metadata", "name"))
    return ServiceState(name, strings(mapping(obj, "spec", "selector")), ready_endpoints)


def ingress_route(obj: Json) -> RouteState:
    """An Ingress with the hosts of its rules."""
    hosts = (text(rule, "host") for rule in items(obj, "spec", "rules"))
    return RouteState(clean(text(obj, "metadata", "name")), tuple(clean(host) for host in hosts if host))


def http_route(obj: Json) -> RouteState:
    """An HTTPRoute with its hosts."""
    hosts = (host for host in items(obj, "spec", "hostnames") if isinstance(host, str))
    return RouteState(clean(text(obj, "metadata", "name")), tuple(map(clean, hosts)))


def ready_in_slices(slices: list[Json]) -> int:
    """How many different endpoints are ready. One that does not say counts as ready; slices may repeat one."""
    return len(
        {
            text(endpoint, "targetRef", "name") or text(endpoint, "addresses", 0)
            for each in slices
            for endpoint in items(each, "endpoints")
            if dig(endpoint, "conditions", "ready") is not False
        }
    )


def ready_in_endpoints(obj: Json) -> int:
    """The same for the older Endpoints object."""
    return len(
        {
            text(address, "targetRef", "name") or text(address, "ip")
            for subset in items(obj, "subsets")
            for address in items(subset, "addresses")
        }
    )


def selector_text(obj: Json) -> str:
    """The `spec.selector` of a workload as a label selector string."""
    parts = [f"{key}={value}" for key, value in strings(mapping(obj, "spec", "selector", "matchLabels")).items()]
    parts += map(_requirement, items(obj, "spec", "selector", "matchExpressions"))
    return ",".join(parts)


def strings(value: Mapping[str, object]) -> dict[str, str]:
    """The entries whose values are strings, cleaned."""
    return {clean(key): clean(each) for key, each in value.items() if isinstance(each, str)}


def _requirement(expression: Json) -> str:
    key, values = text(expression, "key"), ",".join(map(str, items(expression, "values")))
    operator = text(expression, "operator")
    if operator in ("In", "NotIn"):
        return f"{key} {operator.lower()} ({values})"
    return key if operator == "Exists" else f"!{key}"


def _rollout_problem(obj: Json) -> str:
    progressing, failure = _condition(obj, "Progressing"), _condition(obj, "ReplicaFailure")
    if text(failure, "status") == "True":
        return clean(f"{text(failure, 'reason')}: {text(failure, 'message')}")
    if text(progressing, "status") == "False":
        return clean(f"{text(progressing, 'reason')}: {text(progressing, 'message')}")
    return ""


def _condition(obj: Json, kind: str) -> Json:
    return next((each for each in items(obj, "status", "conditions") if text(each, "type") == kind), {})
