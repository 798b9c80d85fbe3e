"""What a closer look at the cluster shows: logs, descriptions, port-forwards. All texts are cleaned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cockpit.model.base import Value

DescribedKind = Literal["pod", "deployment", "service", "ingress", "httproute", "job"]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which log of a pod: `tail` is the number of lines before now; `previous` is that of the container's last end."""

    pod: str
    container: str | None = None
    previous: bool = False
    follow: bool = True
    tail: int = 1000
    timestamps: bool = False


class DescribedSection(Value):
    """One part of a description: labelled values, then lines of a table or a list."""

    title: str
    rows: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


class Described(Value):
    """An object as a person reads it: status, conditions, resources, events. `at` is when it was read."""

    kind: DescribedKind
    name: str
    at: datetime
    sections: tuple[DescribedSection, ...]


class WorkloadRow(Value):
    """One object that can be looked at: its kind, its name and its state in a few words."""

    kind: DescribedKind
    name: str
    state: str
    healthy: bool = True


class ForwardState(Value):
    """A local port that leads to a pod. `problem` says why it failed or ended, or what its last connection met."""

    id: str
    target: str
    pod: str
    local_port: int
    remote_port: int
    started_at: datetime
    state: Literal["listening", "ended"] = "listening"
    connections: int = 0
    problem: str = ""
