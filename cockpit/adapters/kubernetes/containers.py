"""One container of a pod, as its status tells."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.errors import NotFound
from cockpit.model.text import clean

_DEFAULT = "kubectl.kubernetes.io/default-container"
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


@dataclass(frozen=True, slots=True)
class Sight:
    """A container as it was seen; `end` is how it last ended, in words."""

    pod_uid: str
    restarts: int
    running: bool
    end: str

    def end_since(self, before: Sight) -> str:
        """In words, what has ended the container that was seen before; empty while it goes on."""
        if self.pod_uid != before.pod_uid:
            return "the pod was replaced by another of the same name"
        how = f" ({self.end})" if self.end else ""
        if self.restarts > before.restarts:
            return f"the container ended{how} and was started again"
        return "" if self.running else f"the container ended{how}"


def container_names(pod: Json) -> tuple[str, ...]:
    """The names of a pod's containers, init containers last."""
    spec = mapping(pod, "spec")
    kinds = ("containers", "ephemeralContainers", "initContainers")
    return tuple(text(each, "name") for kind in kinds for each in items(spec, kind))


def chosen_container(pod: Json, wanted: str | None) -> str:
    """The container that is meant, as kubectl chooses it; raises NotFound when the pod has no such container."""
    names = container_names(pod)
    default = text(pod, "metadata", "annotations", _DEFAULT)
    name = wanted or (default if default in names else "") or (names[0] if names else "")
    if name not in names:
        pod_name = clean(text(pod, "metadata", "name"), 253)
        hint = f"It has: {', '.join(map(clean, names)) or 'none'}."
        raise NotFound(f"The pod {pod_name} has no container {clean(name)}.", hint)
    return name


def sight(pod: Json, container: str) -> Sight:
    """How a container is."""
    statuses = (each for kind in _STATUSES for each in items(pod, "status", kind))
    status: Json = next((each for each in statuses if text(each, "name") == container), {})
    state = mapping(status, "state")
    ended = mapping(state, "terminated") or mapping(status, "lastState", "terminated")
    return Sight(
        pod_uid=text(pod, "metadata", "uid"),
        restarts=number(status, "restartCount"),
        running=dig(state, "running") is not None,
        end=ending(ended),
    )


def ending(terminated: Json) -> str:
    """How a container ended, in words, or an empty string."""
    if not terminated:
        return ""
    parts = [text(terminated, "reason"), f"exit code {number(terminated, 'exitCode')}"]
    if signal := number(terminated, "signal"):
        parts.append(f"signal {signal}")
    return clean(", ".join(filter(None, parts)))
