"""One line of text that somebody else decides."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.lines import BLANK, Line
from widgets.pane import Pane


class StatusLine(Pane):
    """A line."""

    DEFAULT_CSS = "StatusLine { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._line: Line = BLANK

    def show(self, line: Line) -> None:
        """Say something else."""
        self._line = line
        self.rewrite()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """The line."""
        return [self._line]
