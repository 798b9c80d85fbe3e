"""Choose one of a few."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding

from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.screens.main import MainScreen
from widgets.lines import Line, Tone
from widgets.virtual_table import VirtualTable

MOST_ROWS = 12


class ChoiceDialog(Dialog[str | None]):
    """Arrows move, Enter takes."""

    BINDINGS = [Binding("enter", "confirm", "Take", show=False)]  # noqa: RUF012 - as in the base
    TITLE = "CHOOSE"
    bound = False

    def __init__(self, main: MainScreen, title: str, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__(main)
        self._title = title
        self._choices = rows

    @property
    def armed(self) -> bool:
        """Looking is always possible."""
        return True

    def fields(self) -> ComposeResult:
        """The rows."""
        table = VirtualTable[tuple[str, str]](self._draw, cursor=True, id="choices")
        table.styles.height = min(MOST_ROWS, len(self._choices))
        yield table

    def on_mount(self) -> None:
        """The first one is chosen."""
        table = self._table
        table.set_rows(self._choices)
        table.focus()

    @property
    def _table(self) -> VirtualTable[tuple[str, str]]:
        found: VirtualTable[tuple[str, str]] = self.query_one("#choices", VirtualTable)
        return found

    def _draw(self, row: tuple[str, str], width: int) -> Line:
        cursor = self._table.cursor
        mark = "▶ " if cursor is not None and self._choices[cursor] == row else "  "
        return ((mark, Tone.KEY), (row[1], Tone.TEXT))

    def said(self) -> list[Line]:
        """What is chosen."""
        return [(), ((self._title, Tone.STRONG),), ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter takes."""
        return (("↑↓", "move"), ("Enter", "take"), ("Esc", "cancel"))

    def confirm(self) -> None:
        """Take the row under the cursor."""
        cursor = self._table.cursor
        self.dismiss(self._choices[cursor][0] if cursor is not None else None)
