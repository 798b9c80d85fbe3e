"""The ready endpoints of Services.

Source: discovery.k8s.io EndpointSlice; v1 Endpoints for servers without it.
"""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, text
from cockpit.errors import NotFound
from cockpit.model.cluster import Endpoint
from cockpit.model.text import clean

_DISCOVERY = "discovery.k8s.io"
_SERVICE = "kubernetes.io/service-name"

ByService = dict[str, tuple[Endpoint, ...]]


async def ready_endpoints(client: KubeClient, namespace: str, service: str = "") -> ByService:
    """The ready endpoints of one Service, or of all, by the Service's name."""
    offered = await client.versions(_DISCOVERY)
    version = next((each for each in ("v1", "v1beta1") if each in offered), "")
    if version:
        query = {"labelSelector": f"{_SERVICE}={service}" if service else _SERVICE}
        return in_slices(await client.all_of(Resource(_DISCOVERY, version, "endpointslices", namespace), query))
    endpoints = Resource("", "v1", "endpoints", namespace)
    if not service:
        return in_endpoints(await client.all_of(endpoints))
    try:
        return in_endpoints([await client.get(endpoints.named(service))])
    except NotFound:
        return {}


def in_slices(slices: Iterable[Json]) -> ByService:
    """The ready endpoints in slices. One that does not say counts as ready; several slices may have the same one."""
    found: dict[str, list[Endpoint]] = {}
    for each in slices:
        endpoints = found.setdefault(text(each, "metadata", "labels", _SERVICE), [])
        for endpoint in items(each, "endpoints"):
            if dig(endpoint, "conditions", "ready") is not False:
                endpoints.append(_endpoint(endpoint, text(endpoint, "addresses", 0)))
    return {name: _distinct(endpoints) for name, endpoints in found.items()}


def in_endpoints(objects: Iterable[Json]) -> ByService:
    """The same in the older Endpoints objects."""
    return {
        text(each, "metadata", "name"): _distinct(
            _endpoint(address, text(address, "ip"))
            for subset in items(each, "subsets")
            for address in items(subset, "addresses")
        )
        for each in objects
    }


def _endpoint(endpoint: Json, address: str) -> Endpoint:
    is_pod = text(endpoint, "targetRef", "kind") == "Pod"
    return Endpoint(clean(text(endpoint, "targetRef", "name"), 253) if is_pod else "", clean(address, 60))


def _distinct(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    # A pod with an address of each family is in two slices.
    return tuple({each.pod or each.address: each for each in endpoints}.values())
