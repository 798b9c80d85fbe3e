"""Finds the pod and the port that a target such as `deployment/web` or `service/web` stands for, as kubectl does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.objects import strings
from cockpit.adapters.kubernetes.portforward import Goal
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, mapping, number, text
from cockpit.errors import NotFound
from cockpit.model.text import clean

_SERVICES = ("service", "services", "svc")


class Goals:
    """Goals in one namespace; `ready_pod` finds the first ready pod of a workload."""

    def __init__(self, client: KubeClient, namespace: str, ready_pod: Callable[[str], Awaitable[str]]) -> None:
        self._client = client
        self._pods = Resource("", "v1", "pods", namespace)
        self._services = Resource("", "v1", "services", namespace)
        self._ready_pod = ready_pod

    async def find(self, target: str, port: int) -> Goal:
        """The goal of a pod's name, of `pod/name`, of a workload, or of a Service and one of its own ports.

        Raises NotFound when nothing is ready there, or the Service has no such port.
        """
        kind, slash, name = target.partition("/")
        if not slash:
            return Goal(target, port)
        if kind in _SERVICES:
            return await self._behind(name, port)
        return Goal(await self._ready_pod(target), port)

    async def _behind(self, service: str, port: int) -> Goal:
        obj = await self._client.get(self._services.named(service))
        ports = items(obj, "spec", "ports")
        entry = next((each for each in ports if number(each, "port") == port), None)
        if entry is None:
            known = ", ".join(str(number(each, "port")) for each in ports)
            raise NotFound(f"The Service {clean(service)} has no port {port}.", f"It has: {known or 'none'}.")
        pod = await self._ready(service, strings(mapping(obj, "spec", "selector")))
        return Goal(text(pod, "metadata", "name"), _pod_port(pod, dig(entry, "targetPort"), port))

    async def _ready(self, service: str, selector: dict[str, str]) -> Json:
        query = {"labelSelector": ",".join(f"{key}={value}" for key, value in selector.items())}
        pods = await self._client.all_of(self._pods, query) if selector else []
        ready = sorted((pod for pod in pods if pod_is_ready(pod)), key=lambda pod: text(pod, "metadata", "name"))
        if not ready:
            raise NotFound(f"No ready pod is behind the Service {clean(service)}.", "Wait until one is ready.")
        return ready[0]


def pod_is_ready(pod: Json) -> bool:
    """Whether a Service would send traffic to a pod."""
    conditions = {text(each, "type"): text(each, "status") for each in items(pod, "status", "conditions")}
    return conditions.get("Ready") == "True" and not text(pod, "metadata", "deletionTimestamp")


def _pod_port(pod: Json, target: object, port: int) -> int:
    """The pod's port for a Service's `targetPort`, which may be a name, or absent."""
    if isinstance(target, int) and target:
        return target
    if not isinstance(target, str) or not target:
        return port
    for container in items(pod, "spec", "containers"):
        for each in items(container, "ports"):
            if text(each, "name") == target:
                return number(each, "containerPort")
    pod_name = clean(text(pod, "metadata", "name"), 253)
    raise NotFound(f"The pod {pod_name} has no port named {clean(target)}.", "Correct the Service's targetPort.")
