"""What is wrong with a runbook, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """A finding that does not know its file yet.

    It stands in the line of the node at `path`, in that node's first line that holds `near`, or in `line` itself.
    """

    path: Path
    problem: str
    hint: str
    near: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to correct; `line` counts from 1 and `path` is empty for the whole document."""

    file: str
    line: int
    path: str
    problem: str
    hint: str

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}: {where}{self.problem}.{hint}"


def path_text(path: Path) -> str:
    """A path as people write it, such as `phases[1].steps[0].title`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).lstrip(".")


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings from the top of the file to its end, each once."""
    return tuple(sorted(set(findings)))
