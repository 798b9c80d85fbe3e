"""What the screen knows about its line to the engine."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Line(StrEnum):
    """The state of the line."""

    WAITING = "waiting"
    UP = "up"
    SILENT = "silent"
    LOST = "lost"
    CLOSED = "closed"


class LinkState(NamedTuple):
    """The line, since when (run time) it is so, and why."""

    line: Line = Line.WAITING
    since: datetime | None = None
    reason: str = ""

    @property
    def old(self) -> bool:
        """Whether what is on screen is no longer kept up to date."""
        return self.line in (Line.SILENT, Line.LOST, Line.CLOSED)
