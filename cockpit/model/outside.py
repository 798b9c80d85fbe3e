"""What outside systems take and answer: the values that cross the engine's ports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cockpit.model.masking import Mask


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer."""

    value: float
    at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer of a metrics server; `warnings` mean that data may be missing, `source` is its address, for people."""

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer of an HTTP check; `body` is at most 64 KiB of cleaned text."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one channel. `key` is the same for every try, so that a receiver can drop doubles."""

    key: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Printed:
    """Lines that were printed one after the other on one stream, cleaned and masked.

    `left_out` lines came before them and are not kept.
    """

    stream: Literal["out", "err", "log"]
    lines: tuple[str, ...]
    left_out: int = 0


Emit = Callable[[Printed], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the user's: `sha256` is that of the file that was inspected, `deadline` is in seconds.

    `environ` is added to a small allow-list of the engine's own environment.
    """

    argv: tuple[str, ...]
    sha256: str
    deadline: float
    environ: Mapping[str, str] = field(default_factory=dict)
    mask: Mask = field(default_factory=Mask)


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """A program that ended by itself. A negative exit code is the signal that ended it; `tail` are its last lines."""

    exit_code: int
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PodLog:
    """The end of a pod's log, or why it cannot be read."""

    pod: str
    lines: tuple[str, ...] = ()
    problem: str = ""


PurgeBy = Literal["everything", "hosts", "tags", "urls", "prefixes"]


@dataclass(frozen=True, slots=True)
class Purge:
    """What to take out of a CDN's cache; `values` are empty for everything."""

    by: PurgeBy = "everything"
    values: tuple[str, ...] = ()
