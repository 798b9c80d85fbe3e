"""Whether the pods of a track are ready, and whether a Service's endpoints are those pods. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cockpit.model.cluster import Endpoint, Pod, PodPlace

NAMED = 4
"""How many pods are named in one text."""


def label_selector(labels: Mapping[str, str]) -> str:
    """A Service's selector as a label selector."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def shown(pod: Pod) -> str:
    """A pod in words."""
    restarts = f", {pod.restarts} restart{'s' * (pod.restarts != 1)}" if pod.restarts else ""
    return f"{pod.name} {pod.status} {pod.ready}/{pod.containers}{restarts}"


def listed(texts: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    every = list(texts)
    more = [f"and {len(every) - NAMED} more"] if len(every) > NAMED else []
    return ", ".join([*every[:NAMED], *more])


def ready(places: Iterable[PodPlace]) -> tuple[PodPlace, ...]:
    """The pods that can serve."""
    return tuple(place for place in places if place.pod.healthy and not place.pod.over)


def too_few(places: Sequence[PodPlace], needed: int) -> str:
    """What is missing to so many ready pods, or an empty text."""
    serving = len(ready(places))
    if serving >= needed:
        return ""
    others = [shown(place.pod) for place in places if not place.pod.healthy and not place.pod.over]
    return f"{serving} of {needed} pods ready" + (f" ({listed(others)})" if others else "")


def strangers(endpoints: Iterable[Endpoint], places: Iterable[PodPlace]) -> tuple[str, ...]:
    """The endpoints that are none of the pods, by name or by address where a person wrote them."""
    every = tuple(places)
    names, addresses = {place.pod.name for place in every}, {place.address for place in every}
    return tuple(
        each.pod or each.address
        for each in endpoints
        if (each.pod not in names if each.pod else each.address not in addresses)
    )


def unreached(endpoints: Iterable[Endpoint], places: Iterable[PodPlace]) -> tuple[str, ...]:
    """The ready pods that no endpoint leads to. Pods that share their node's address share an endpoint."""
    every = tuple(endpoints)
    names, addresses = {each.pod for each in every}, {each.address for each in every}
    return tuple(
        place.pod.name
        for place in ready(places)
        if place.pod.name not in names and not (place.address and place.address in addresses)
    )
