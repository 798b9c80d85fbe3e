"""Pods, from the rows of the API server's Table form, or from whole objects where it has no Tables.

Source: Kubernetes API concepts, "Receiving resources as Tables"; the STATUS column is that of `kubectl get pods`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cockpit.adapters.kubernetes.resource import Json, items, mapping, number, text
from cockpit.model.cluster import Pod
from cockpit.model.text import clean

TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
"""Asks for a Table, in words that every server since 1.15 knows, or else for the objects."""

_COLUMNS = ("Name", "Ready", "Status", "Restarts", "Age")
_AGE = re.compile(r"(\d+)([ydhms])")
_UNITS = {"y": 365 * 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the cells of a row are; the defaults are those of every server so far."""

    name: int = 0
    ready: int = 1
    status: int = 2
    restarts: int = 3
    age: int = 4

    @classmethod
    def of(cls, table: Json) -> Columns | None:
        """The columns that a Table defines, or None if it leaves them out, as later events of a watch do."""
        names = [text(column, "name") for column in items(table, "columnDefinitions")]
        if not set(_COLUMNS) <= set(names):
            return None
        return cls(*(names.index(column) for column in _COLUMNS))

    def pick(self, cells: list[Any]) -> tuple[Any, Any, Any, Any, Any]:
        """Name, ready, status, restarts and age; None where the row is too short."""
        try:
            return cells[self.name], cells[self.ready], cells[self.status], cells[self.restarts], cells[self.age]
        except IndexError:
            return self.pick([*cells, *[None] * (1 + max(self.name, self.ready, self.status, self.restarts, self.age))])


def pods_of(answer: Json, columns: Columns, track_key: str, track: str = "") -> Iterable[Pod]:
    """The pods in a Table, a PodList or a single Pod; `track` is that of rows that come without labels."""
    if text(answer, "kind") == "Table":
        found: list[Pod | None] = [pod_of_row(row, columns, track_key, track) for row in items(answer, "rows")]
    elif "items" in answer:
        found = [pod_of_object(item, track_key) for item in items(answer, "items")]
    else:
        found = [pod_of_object(answer, track_key)]
    return (pod for pod in found if pod is not None)


def pod_of_row(row: Json, columns: Columns, track_key: str, track: str = "") -> Pod | None:
    """The pod of a Table row; None when the row has no name, as in a bookmark."""
    metadata = mapping(row, "object", "metadata")
    called, ready, status, restarts, age = columns.pick(items(row, "cells"))
    name = text(metadata, "name") or _string(called)
    if not name:
        return None
    some, containers = _ready(_string(ready))
    return Pod(
        name=clean(name, 253),
        track=_word(text(metadata, "labels", track_key), 63) or track,
        ready=some,
        containers=containers,
        status=_word(_string(status), 100),
        restarts=_count(restarts),
        created=parse_time(text(metadata, "creationTimestamp")) or _born(_string(age), int(time.time())),
    )


def pod_of_object(pod: Json, track_key: str) -> Pod | None:
    """The pod of a whole object; None when it has no name."""
    name = text(pod, "metadata", "name")
    if not name:
        return None
    states = [state for state in items(pod, "status", "containerStatuses") if isinstance(state, dict)]
    return Pod(
        name=clean(name, 253),
        track=clean(text(pod, "metadata", "labels", track_key), 63),
        ready=sum(state.get("ready") is True for state in states),
        containers=len(items(pod, "spec", "containers")),
        status=clean(status_of(pod, states), 100),
        restarts=sum(number(state, "restartCount") for state in states),
        created=parse_time(text(pod, "metadata", "creationTimestamp")),
    )


def status_of(pod: Json, states: list[Json]) -> str:
    """What `kubectl get pods` shows as STATUS, without its special cases for init containers that restart."""
    if text(pod, "metadata", "deletionTimestamp"):
        return "Terminating"
    starting = [_reason(state) for state in items(pod, "status", "initContainerStatuses")]
    waiting = next((reason for reason in starting if reason not in ("", "Completed", "PodInitializing")), "")
    if waiting:
        return f"Init:{waiting}"
    reasons = [reason for state in reversed(states) if (reason := _reason(state))]
    return (reasons[-1] if reasons else "") or text(pod, "status", "reason") or text(pod, "status", "phase")


def parse_time(stamp: str) -> datetime | None:
    """An RFC 3339 time, or None."""
    try:
        return datetime.fromisoformat(stamp) if stamp else None
    except ValueError:
        return None


# Thousands of rows have the same few words in their cells.
_word = lru_cache(maxsize=1024)(clean)


@lru_cache(maxsize=1024)
def _ready(cell: str) -> tuple[int, int]:
    some, _, containers = cell.partition("/")
    return _count(some), _count(containers)


@lru_cache(maxsize=1024)
def _born(age: str, now: int) -> datetime | None:
    """When something of that age began; kubectl rounds ages to about two percent."""
    parts = _AGE.findall(age)
    seconds = sum(int(amount) * _UNITS[unit] for amount, unit in parts)
    return datetime.fromtimestamp(now - seconds, UTC) if parts else None


def _reason(state: Json) -> str:
    ended = mapping(state, "state", "terminated")
    code = f"ExitCode:{number(ended, 'exitCode')}" if ended else ""
    return text(state, "state", "waiting", "reason") or text(ended, "reason") or code


def _string(cell: object) -> str:
    return cell if isinstance(cell, str) else ""


def _count(cell: object) -> int:
    if isinstance(cell, int):
        return cell
    # Since 1.22 the cell of the restarts may read `3 (5m ago)`.
    match = _DIGITS.match(str(cell))
    return int(match[0]) if match else 0
