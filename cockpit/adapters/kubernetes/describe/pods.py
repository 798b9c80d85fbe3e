"""A pod."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cockpit.adapters.kubernetes.describe.containers import container_section
from cockpit.adapters.kubernetes.describe.parts import age, ago, conditions, events, owner, pairs, section, table
from cockpit.adapters.kubernetes.pods import status_of
from cockpit.adapters.kubernetes.resource import Json, items, mapping, text
from cockpit.model.lens import Described, DescribedSection
from cockpit.model.text import clean

_KINDS = (
    ("Container", "containers", "containerStatuses"),
    ("Init container", "initContainers", "initContainerStatuses"),
    ("Ephemeral container", "ephemeralContainers", "ephemeralContainerStatuses"),
)
_NAMES = ("name", "secretName", "claimName", "path", "server", "driver")


def describe_pod(pod: Json, found: Sequence[Json], now: datetime, problem: str = "") -> Described:
    """A pod with its containers and events; `problem` says why there are no events."""
    volumes = items(pod, "spec", "volumes")
    sections = [
        _status(pod, now),
        *_containers(pod, now),
        *conditions(pod, now),
        *([section("Volumes", lines=table([_volume(each) for each in volumes]))] if volumes else []),
        events(found, now, problem),
    ]
    name = clean(text(pod, "metadata", "name"), 253)
    return Described(kind="pod", name=name, at=now, sections=tuple(sections))


def _status(pod: Json, now: datetime) -> DescribedSection:
    states = [each for each in items(pod, "status", "containerStatuses") if isinstance(each, dict)]
    node = " / ".join(filter(None, (text(pod, "spec", "nodeName"), text(pod, "status", "hostIP"))))
    ips = [text(each, "ip") for each in items(pod, "status", "podIPs")] or [text(pod, "status", "podIP")]
    return section("Status", [
        ("Phase", text(pod, "status", "phase")),
        ("Status", status_of(pod, states)),
        ("Reason", text(pod, "status", "reason")),
        ("Message", text(pod, "status", "message")),
        ("Being deleted", "since " + text(pod, "metadata", "deletionTimestamp") if _dying(pod) else ""),
        ("Node", node or "none yet"),
        ("IP", ", ".join(filter(None, ips))),
        ("Owner", owner(pod)),
        ("Created", ago(text(pod, "metadata", "creationTimestamp"), now)),
        ("Started", ago(text(pod, "status", "startTime"), now)),
        ("QoS", text(pod, "status", "qosClass")),
        ("Priority class", text(pod, "spec", "priorityClassName")),
        ("Service account", text(pod, "spec", "serviceAccountName")),
        ("Labels", pairs(mapping(pod, "metadata", "labels"))),
    ])  # fmt: skip


def _containers(pod: Json, now: datetime) -> Iterator[DescribedSection]:
    for kind, specs, statuses in _KINDS:
        known = {text(each, "name"): each for each in items(pod, "status", statuses)}
        for container in items(pod, "spec", specs):
            yield container_section(container, known.get(text(container, "name"), {}), now, kind)


def _volume(volume: Json) -> list[str]:
    """The volume's name, kind, and what it is of."""
    kind = next((key for key in volume if key != "name"), "") if isinstance(volume, dict) else ""
    source = mapping(volume, kind)
    return [text(volume, "name"), kind, next(filter(None, (text(source, key) for key in _NAMES)), "")]


def _dying(pod: Json) -> bool:
    return bool(text(pod, "metadata", "deletionTimestamp"))


def pod_rows(pods: Sequence[Json], now: datetime) -> list[str]:
    """Pods of a workload in a table."""
    rows = [
        [
            text(pod, "metadata", "name"),
            status_of(pod, [each for each in items(pod, "status", "containerStatuses") if isinstance(each, dict)]),
            age(text(pod, "metadata", "creationTimestamp"), now),
        ]
        for pod in pods
    ]
    return table(rows, ("NAME", "STATUS", "AGE")) or ["none"]
