"""Books what a write did to the world: weights, selectors, images, everything else as a plain change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cockpit.simulator.kube.request import Actor
from cockpit.simulator.world.kinds import DEPLOYMENT, HTTP_ROUTE, INGRESS, SERVICE, Kind
from cockpit.simulator.world.objects import CANARY, CANARY_WEIGHT
from cockpit.simulator.world.values import Obj, clone, dig, name_of
from cockpit.simulator.world.world import World


def note_change(world: World, kind: Kind, before: Obj | None, after: Obj, actor: Actor) -> None:
    """Record a creation or a change with its actor."""
    target = f"{kind.plural}/{name_of(after)}"
    who = {"agent": actor.agent, "manager": actor.manager}
    if before is None:
        world.record.add("create", target, actor.user, **who)
        return
    noted = list(_effects(kind, before, after))
    for effect, detail in noted:
        world.record.add(effect, target, actor.user, **detail, **who)
    if not noted:
        world.record.add("update", target, actor.user, **who)


def _effects(kind: Kind, before: Obj, after: Obj) -> Iterator[tuple[str, Obj]]:
    """The effects of a change by name, each with what it was and what it became."""
    for effect, read in _READERS.get(kind, {}).items():
        old, new = read(before), read(after)
        if old != new:
            yield effect, {"before": old, "after": clone(new)}


def _images(obj: Obj) -> list[str]:
    containers: list[Obj] = dig(obj, "spec", "template", "spec", "containers", default=[])
    return [str(container.get("image")) for container in containers]


def _weights(obj: Obj) -> dict[str, int]:
    refs: list[Obj] = dig(obj, "spec", "rules", 0, "backendRefs", default=[])
    return {ref["name"]: int(ref.get("weight", 1)) for ref in refs}


_READERS: dict[Kind, dict[str, Callable[[Obj], Any]]] = {
    INGRESS: {
        "weight": lambda obj: dig(obj, "metadata", "annotations", CANARY_WEIGHT),
        "canary": lambda obj: dig(obj, "metadata", "annotations", CANARY),
    },
    HTTP_ROUTE: {"weight": _weights},
    SERVICE: {"selector": lambda obj: dig(obj, "spec", "selector")},
    DEPLOYMENT: {"image": _images, "scale": lambda obj: dig(obj, "spec", "replicas")},
}
