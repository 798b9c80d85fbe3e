"""What a preflight finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether a run could go on with it. Warnings fail nothing."""

    OK = "ok"
    WARNING = "warning"
    FAIL = "FAIL"

    @property
    def glyph(self) -> str:
        """A sign beside the word."""
        return {State.OK: "✔", State.WARNING: "▲", State.FAIL: "✘"}[self]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what is there, or what is wrong and what to do (`fix`)."""

    group: str
    name: str
    state: State
    message: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        """Whether it does not keep a run from starting."""
        return self.state is not State.FAIL

    def __str__(self) -> str:
        text = f"{self.state.glyph} {self.state.value}  {self.name}: {self.message}"
        return f"{text}\n  → {self.fix}" if self.fix else text


@dataclass(frozen=True, slots=True)
class Note:
    """A finding whose group its check knows, and whose name too unless it gives another one."""

    state: State
    message: str
    fix: str = ""
    name: str = ""


Look = Callable[[], Awaitable[Sequence[Note]]]


@dataclass(frozen=True, slots=True)
class Check:
    """One independent look. `broken` is what it means when the look itself fails."""

    group: str
    name: str
    look: Look
    broken: State = State.FAIL


def ok(message: str, name: str = "") -> Note:
    """All is well."""
    return Note(State.OK, message, "", name)


def warning(message: str, fix: str = "", name: str = "") -> Note:
    """Worth knowing before a run."""
    return Note(State.WARNING, message, fix, name)


def fail(message: str, fix: str = "", name: str = "") -> Note:
    """A run must not start."""
    return Note(State.FAIL, message, fix, name)
