"""Why a rollout does not get on: the Deployment's conditions, its newest pods, and the Events about them."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cockpit.adapters.kubernetes import objects
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.diagnosis import SETTLE_S, diagnose, newest_warning
from cockpit.adapters.kubernetes.listing import list_pods
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, mapping, number, text
from cockpit.errors import NotFound, OutsideError
from cockpit.model.cluster import Pod, RolloutProblem
from cockpit.model.text import clean

_SAMPLES = 3
_EVENTS = 50
_HINTS = {
    "FailedCreate": "Check the namespace's ResourceQuota and LimitRange, and the admission webhooks.",
    "ProgressDeadlineExceeded": "Describe the newest pods; go back, or correct the cause and try again.",
}


async def problems(client: KubeClient, deployment: Resource) -> tuple[RolloutProblem, ...]:
    """The reasons, the most hopeless first.

    Pods are sampled: one of each STATUS, at most three. Events that may not be read are left out.
    """
    obj = await client.get(deployment)
    if dig(obj, "spec", "paused") is True:
        return (_paused(deployment.name),)
    found = [*_conditions(obj), *await _of_pods(client, deployment, obj)]
    if not found and number(obj, "status", "updatedReplicas") < objects.wanted(obj):
        found += await _of_makers(client, deployment, obj)
    return tuple(sorted(_merged(found), key=lambda each: math.inf if each.patience is None else each.patience))


def _paused(name: str) -> RolloutProblem:
    hint = f"kubectl rollout resume deployment/{name}, if whoever paused it agrees."
    return RolloutProblem("DeploymentPaused", "the Deployment is paused (spec.paused)", hint, 0.0)


def _conditions(obj: Json) -> Iterable[RolloutProblem]:
    """A quota or an admission webhook that refuses pods, and Kubernetes' own progress deadline."""
    for kind, bad in (("ReplicaFailure", "True"), ("Progressing", "False")):
        known = objects.condition(obj, kind)
        if text(known, "status") == bad:
            reason = clean(text(known, "reason"), 60)
            said = f"{reason}: {clean(text(known, 'message'))}"
            yield RolloutProblem(reason, said, _HINTS.get(reason, "Describe the Deployment."), SETTLE_S)


async def _of_pods(client: KubeClient, deployment: Resource, obj: Json) -> list[RolloutProblem]:
    pods = Resource("", "v1", "pods", deployment.namespace)
    newest = objects.newest_replica_set(obj)
    places = await list_pods(client, pods, objects.selector_text(obj))
    unready = [
        place.pod
        for place in places
        if not (place.pod.healthy or place.pod.over) and place.pod.name.startswith(f"{newest}-" if newest else "")
    ]
    counts = Counter(pod.status for pod in unready)
    samples = [next(pod for pod in unready if pod.status == status) for status, _ in counts.most_common(_SAMPLES)]
    found = await asyncio.gather(*(_of_pod(client, pods.named(pod.name), pod, counts) for pod in samples))
    return [problem for problem in found if problem is not None]


async def _of_pod(client: KubeClient, place: Resource, pod: Pod, counts: Counter[str]) -> RolloutProblem | None:
    try:
        obj, warnings = await asyncio.gather(client.get(place), _warnings(client, place.namespace, "Pod", pod.name))
    except NotFound:
        return None
    problem = diagnose(obj, warnings)
    if problem is None:
        return None
    count = counts[pod.status]
    others = f" and {count - 1} more" if count > 1 else ""
    return replace(problem, text=f"pod {pod.name}{others}: {problem.text}", pods=count)


async def _of_makers(client: KubeClient, deployment: Resource, obj: Json) -> list[RolloutProblem]:
    """What Events say of a ReplicaSet that lacks pods, or of a Deployment that has no ReplicaSet."""
    newest = objects.newest_replica_set(obj)
    if newest and not await _lacks_pods(client, Resource("apps", "v1", "replicasets", deployment.namespace, newest)):
        return []
    kind, name = ("ReplicaSet", newest) if newest else ("Deployment", deployment.name)
    warnings = await _warnings(client, deployment.namespace, kind, name)
    if not warnings:
        return []
    reason = clean(text(warnings[0], "reason"), 60)
    said = f"{reason}: {newest_warning(warnings)}"
    return [RolloutProblem(reason, said, _HINTS.get(reason, "Describe the Deployment."))]


async def _lacks_pods(client: KubeClient, replica_set: Resource) -> bool:
    try:
        obj = await client.get(replica_set)
    except OutsideError:
        return False
    return number(obj, "status", "replicas") < number(obj, "spec", "replicas")


async def _warnings(client: KubeClient, namespace: str, kind: str, name: str) -> list[Json]:
    """The Warning Events about an object, newest first; none when they may not be read."""
    selector = f"involvedObject.kind={kind},involvedObject.name={name},type=Warning"
    events = Resource("", "v1", "events", namespace)
    try:
        page = await client.get(events, {"fieldSelector": selector, "limit": str(_EVENTS)})
    except OutsideError:
        return []
    return sorted((each for each in items(page, "items") if isinstance(each, dict)), key=_time, reverse=True)


def _time(event: Json) -> str:
    """When an Event was last seen; its writers fill different fields, all in RFC 3339."""
    times = (
        text(event, "series", "lastObservedTime"),
        text(event, "lastTimestamp"),
        text(event, "eventTime"),
        text(mapping(event, "metadata"), "creationTimestamp"),
    )
    return next((time for time in times if time), "")


def _merged(found: Sequence[RolloutProblem]) -> Iterable[RolloutProblem]:
    """One problem for each reason: a pull shows by turns as two statuses."""
    by_reason: dict[str, RolloutProblem] = {}
    for each in found:
        known = by_reason.get(each.reason)
        by_reason[each.reason] = replace(known, pods=known.pods + each.pods) if known else each
    return by_reason.values()
