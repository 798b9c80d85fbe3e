"""A look at the objects of a run before it starts: shapes, labels, ports, and who else writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cockpit.adapters.kubernetes.client import FIELD_MANAGER, KubeClient
from cockpit.adapters.kubernetes.gateway import GROUP as GATEWAY
from cockpit.adapters.kubernetes.nginx import PREFIX
from cockpit.adapters.kubernetes.objects import strings
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, mapping, number, text
from cockpit.model.text import clean

Field = tuple[str, ...]
_REPLICAS: Field = ("f:spec", "f:replicas")


@dataclass(frozen=True, slots=True)
class Writer:
    """A field manager other than the cockpit that wrote a field which the run writes or relies on."""

    manager: str
    field: str


@dataclass(frozen=True, slots=True)
class WorkloadFacts:
    """A Deployment or StatefulSet; `labels` are those of its pods."""

    name: str
    wanted: int
    available: int
    labels: Mapping[str, str]
    containers: tuple[str, ...]
    writers: tuple[Writer, ...]


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A Service and its port numbers."""

    name: str
    selector: Mapping[str, str]
    ports: tuple[int, ...]
    writers: tuple[Writer, ...]


@dataclass(frozen=True, slots=True)
class ScalerFacts:
    """A HorizontalPodAutoscaler: its target as KIND/NAME and its bounds."""

    name: str
    target: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class BudgetFacts:
    """A PodDisruptionBudget, the labels it selects by, and how many pods may go at the moment."""

    name: str
    labels: Mapping[str, str]
    allowed: int


class Survey:
    """Reads of one namespace. Every method raises OutsideError alone."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def workload(self, plural: str, name: str, container: str | None = None) -> WorkloadFacts:
        """A Deployment or StatefulSet; `container` is the one whose image is set, the first if None."""
        obj = await self._client.get(self._at("apps", "v1", plural, name))
        containers = tuple(clean(text(each, "name")) for each in items(obj, "spec", "template", "spec", "containers"))
        watched = container or (containers[0] if containers else "")
        template: Field = ("f:spec", "f:template", "f:spec", "f:containers", f'k:{{"name":"{watched}"}}', "f:image")
        wanted, ready = dig(obj, "spec", "replicas"), number(obj, "status", "readyReplicas")
        return WorkloadFacts(
            name=clean(text(obj, "metadata", "name")),
            wanted=1 if wanted is None else number(obj, "spec", "replicas"),
            available=number(obj, "status", "availableReplicas") if plural == "deployments" else ready,
            labels=strings(mapping(obj, "spec", "template", "metadata", "labels")),
            containers=containers,
            writers=(*writers(obj, template, "the image"), *writers(obj, _REPLICAS, "the replicas")),
        )

    async def service(self, name: str) -> ServiceFacts:
        """One Service."""
        obj = await self._client.get(self._at("", "v1", "services", name))
        return ServiceFacts(
            name=clean(text(obj, "metadata", "name")),
            selector=strings(mapping(obj, "spec", "selector")),
            ports=tuple(number(port, "port") for port in items(obj, "spec", "ports")),
            writers=tuple(writers(obj, ("f:spec", "f:selector"), "the selector")),
        )

    async def ingress_writers(self, name: str) -> tuple[Writer, ...]:
        """Who else writes the canary annotations of an Ingress."""
        obj = await self._client.get(self._at("networking.k8s.io", "v1", "ingresses", name))
        fields = [("f:metadata", "f:annotations", f"f:{PREFIX}{key}") for key in ("canary", "canary-weight")]
        return tuple(dict.fromkeys(found for field in fields for found in writers(obj, field, "the canary's weight")))

    async def route_writers(self, name: str) -> tuple[Writer, ...]:
        """Who else writes the rules of an HTTPRoute."""
        versions = await self._client.versions(GATEWAY)
        version = "v1" if "v1" in versions or not versions else versions[0]
        obj = await self._client.get(self._at(GATEWAY, version, "httproutes", name))
        return tuple(writers(obj, ("f:spec", "f:rules"), "the weights"))

    async def scalers(self) -> tuple[ScalerFacts, ...]:
        """All HorizontalPodAutoscalers; none where the server has no such thing."""
        return tuple(map(_scaler, await self._all("autoscaling", "horizontalpodautoscalers")))

    async def budgets(self) -> tuple[BudgetFacts, ...]:
        """All PodDisruptionBudgets; none where the server has no such thing."""
        return tuple(map(_budget, await self._all("policy", "poddisruptionbudgets")))

    async def _all(self, group: str, plural: str) -> list[Json]:
        versions = await self._client.versions(group)
        return await self._client.all_of(self._at(group, versions[0], plural)) if versions else []

    def _at(self, group: str, version: str, plural: str, name: str = "") -> Resource:
        return Resource(group, version, plural, self._namespace, name)


def writers(obj: Json, field: Field, called: str) -> Iterator[Writer]:
    """The managers of a field other than the cockpit, each once.

    Source: Kubernetes "Server-Side Apply", managedFields in the FieldsV1 form.
    """
    entries = items(obj, "metadata", "managedFields")
    found = (text(entry, "manager") for entry in entries if dig(mapping(entry, "fieldsV1"), *field) is not None)
    for manager in dict.fromkeys(found):
        if manager and manager != FIELD_MANAGER:
            yield Writer(clean(manager, 100), called)


def _scaler(obj: Json) -> ScalerFacts:
    target = mapping(obj, "spec", "scaleTargetRef")
    return ScalerFacts(
        name=clean(text(obj, "metadata", "name")),
        target=clean(f"{text(target, 'kind').lower()}/{text(target, 'name')}"),
        least=number(obj, "spec", "minReplicas") or 1,
        most=number(obj, "spec", "maxReplicas"),
    )


def _budget(obj: Json) -> BudgetFacts:
    return BudgetFacts(
        name=clean(text(obj, "metadata", "name")),
        labels=strings(mapping(obj, "spec", "selector", "matchLabels")),
        allowed=number(obj, "status", "disruptionsAllowed"),
    )
