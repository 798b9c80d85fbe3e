"""What outside systems take and answer: the values that cross the engine's ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer."""

    value: float
    at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer of a metrics server; `warnings` mean that data may be missing."""

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


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
class ProgramResult:
    """A program that ended by itself; `output` is the cleaned tail of what it wrote."""

    exit_code: int
    output: str
