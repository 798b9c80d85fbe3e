"""Deployments and Jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cockpit.adapters.kubernetes.describe.containers import container_section
from cockpit.adapters.kubernetes.describe.parts import (
    age,
    ago,
    conditions,
    events,
    human,
    pairs,
    section,
    selector_words,
    table,
)
from cockpit.adapters.kubernetes.describe.pods import pod_rows
from cockpit.adapters.kubernetes.pods import parse_time
from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.model.lens import Described, DescribedSection
from cockpit.model.text import clean

_REVISION = "deployment.kubernetes.io/revision"


def describe_deployment(
    obj: Json, replica_sets: Sequence[Json], found: Sequence[Json], now: datetime, problem: str = ""
) -> Described:
    """A Deployment with its ReplicaSets, newest first, and events."""
    sections = [
        _deployment_status(obj, now),
        *conditions(obj, now),
        *_template(obj, now),
        section("ReplicaSets", lines=_replica_sets(obj, replica_sets, now)),
        events(found, now, problem),
    ]
    return Described(kind="deployment", name=_name(obj), at=now, sections=tuple(sections))


def describe_job(obj: Json, pods: Sequence[Json], found: Sequence[Json], now: datetime, problem: str = "") -> Described:
    """A Job with its pods and events."""
    sections = [
        _job_status(obj, now),
        *conditions(obj, now),
        *_template(obj, now),
        section("Pods", lines=pod_rows(pods, now)),
        events(found, now, problem),
    ]
    return Described(kind="job", name=_name(obj), at=now, sections=tuple(sections))


def _deployment_status(obj: Json, now: datetime) -> DescribedSection:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    wanted = dig(spec, "replicas")
    behind = number(status, "observedGeneration") < number(obj, "metadata", "generation")
    counted = ("updated", "updatedReplicas"), ("ready", "readyReplicas"), ("available", "availableReplicas")
    counts = [f"{1 if wanted is None else wanted} desired", *(f"{number(status, key)} {word}" for word, key in counted)]
    return section("Status", [
        ("Replicas", ", ".join([*counts, f"{number(status, 'unavailableReplicas')} unavailable"])),
        ("Spec", "not yet seen by the controller" if behind else ""),
        ("Paused", "yes" if dig(spec, "paused") is True else ""),
        ("Strategy", _strategy(spec)),
        ("Selector", selector_words(mapping(spec, "selector"))),
        ("Revision", text(obj, "metadata", "annotations", _REVISION)),
        ("Progress deadline", f"{number(spec, 'progressDeadlineSeconds') or 600} s"),
        ("Min ready", f"{number(spec, 'minReadySeconds')} s" if number(spec, "minReadySeconds") else ""),
        ("Created", ago(text(obj, "metadata", "creationTimestamp"), now)),
        ("Labels", pairs(mapping(obj, "metadata", "labels"))),
    ])  # fmt: skip


def _strategy(spec: Json) -> str:
    kind, rolling = text(spec, "strategy", "type") or "RollingUpdate", mapping(spec, "strategy", "rollingUpdate")
    if kind != "RollingUpdate":
        return kind
    surge, out = (rolling.get(key, "25%") for key in ("maxSurge", "maxUnavailable"))
    return f"{kind}, {surge} more at most, {out} fewer at most"


def _template(obj: Json, now: datetime) -> list[DescribedSection]:
    containers = items(obj, "spec", "template", "spec", "containers")
    return [container_section(container, None, now) for container in containers]


def _replica_sets(obj: Json, replica_sets: Sequence[Json], now: datetime) -> list[str]:
    uid = text(obj, "metadata", "uid")
    owned = [
        each
        for each in replica_sets
        if any(text(reference, "uid") == uid for reference in items(each, "metadata", "ownerReferences"))
    ]
    owned.sort(key=_revision, reverse=True)
    rows = [
        [
            "new" if place == 0 else "old",
            text(each, "metadata", "name"),
            _revision(each),
            f"{number(each, 'status', 'readyReplicas')}/{number(each, 'spec', 'replicas')}",
            age(text(each, "metadata", "creationTimestamp"), now),
            ", ".join(text(one, "image") for one in items(each, "spec", "template", "spec", "containers")),
        ]
        for place, each in enumerate(owned)
    ]
    return table(rows, ("", "NAME", "REVISION", "READY", "AGE", "IMAGE")) or ["none"]


def _revision(replica_set: Json) -> int:
    found = text(replica_set, "metadata", "annotations", _REVISION)
    return int(found) if found.isascii() and found.isdecimal() else 0


def _job_status(obj: Json, now: datetime) -> DescribedSection:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    words = ", ".join(f"{number(status, key)} {key}" for key in ("active", "succeeded", "failed"))
    return section("Status", [
        ("Pods", words),
        ("Completions", number(spec, "completions") or 1),
        ("Retries", number(spec, "backoffLimit") if "backoffLimit" in spec else 6),
        ("Deadline", f"{number(spec, 'activeDeadlineSeconds')} s" if number(spec, "activeDeadlineSeconds") else ""),
        ("Started", ago(text(status, "startTime"), now)),
        ("Completed", ago(text(status, "completionTime"), now)),
        ("Took", _took(status)),
        ("Created", ago(text(obj, "metadata", "creationTimestamp"), now)),
    ])  # fmt: skip


def _took(status: Json) -> str:
    begin, end = parse_time(text(status, "startTime")), parse_time(text(status, "completionTime"))
    return human((end - begin).total_seconds()) if begin and end else ""


def _name(obj: Json) -> str:
    return clean(text(obj, "metadata", "name"), 253)
