"""Whether the gateways have put an HTTPRoute in force. Pure.

Source: Gateway API v1, RouteStatus: every controller writes one entry of `status.parents` for each of its parentRefs,
whose conditions `Accepted` and `ResolvedRefs` hold for the generation in `observedGeneration`. A controller that
leaves that out is taken at its word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.model.text import clean

_NEEDED = ("Accepted", "ResolvedRefs")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is still missing before the newest route is in force, and why it never will be; empty when it is."""

    pending: str = ""
    rejected: str = ""


def standing(route: Json) -> Standing:
    """The worst that any parent says."""
    said = [_parent(route, ref) for ref in items(route, "spec", "parentRefs")]
    if not said:
        return Standing(rejected="the route names no parent: no gateway can serve it")
    rejected = next((each.rejected for each in said if each.rejected), "")
    pending = next((each.pending for each in said if each.pending), "")
    return Standing("" if rejected else pending, rejected)


def _parent(route: Json, ref: Json) -> Standing:
    namespace = text(route, "metadata", "namespace")
    key = _key(ref, namespace)
    entries = [each for each in items(route, "status", "parents") if _key(dig(each, "parentRef"), namespace) == key]
    name = _name(ref)
    if not entries:
        return Standing(pending=f"{name} has not taken the route yet")
    found = [each for entry in entries for each in _conditions(entry, number(route, "metadata", "generation"), name)]
    rejected = next((each.rejected for each in found if each.rejected), "")
    pending = next((each.pending for each in found if each.pending), "")
    return Standing(pending, rejected)


def _conditions(entry: Json, generation: int, name: str) -> Iterator[Standing]:
    for kind in _NEEDED:
        condition: Json = next((each for each in items(entry, "conditions") if text(each, "type") == kind), {})
        observed = dig(condition, "observedGeneration")
        if not condition or (isinstance(observed, int) and observed < generation):
            yield Standing(pending=f"{name} has not looked at the newest route yet ({kind})")
        elif text(condition, "status") == "False":
            yield Standing(rejected=_refusal(name, kind, condition))
        elif text(condition, "status") != "True":
            yield Standing(pending=f"{name} does not know yet whether the route is {kind}")


def _refusal(name: str, kind: str, condition: Json) -> str:
    words = "does not accept the route" if kind == "Accepted" else "cannot resolve the route's backends"
    said = ": ".join(part for part in (text(condition, "reason"), text(condition, "message")) if part)
    return clean(f"{name} {words}: {said or 'it does not say why'}", 300)


def _key(ref: Any, namespace: str) -> tuple[object, ...]:
    """What a parentRef points at, with the defaults of the specification."""
    ref = mapping(ref)
    group = ref.get("group", "gateway.networking.k8s.io")
    kind, home = ref.get("kind", "Gateway"), ref.get("namespace", namespace)
    return group, kind, home, ref.get("name"), ref.get("sectionName"), ref.get("port")


def _name(ref: Json) -> str:
    section = text(ref, "sectionName")
    return clean(f"gateway {text(ref, 'name')}{f' ({section})' if section else ''}", 100)
