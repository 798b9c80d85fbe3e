"""The whole journal that this screen was sent, with a search."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from cockpit.model.describe import describe
from cockpit.model.events import Event
from cockpit.tui.screens.base import SubScreen
from widgets.journal_pane import OutputLine, expanded, journal_row
from widgets.lines import Line, Tone
from widgets.status_line import StatusLine
from widgets.virtual_table import VirtualTable


class JournalScreen(SubScreen):
    """The newest rows stay in sight until one scrolls up; `/` searches."""

    HINTS = (("/", "search"), ("End", "newest"), ("↑↓ PgUp PgDn", "scroll"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "search", "Search", show=False)]

    def body(self) -> ComposeResult:
        """Counts, search, rows."""
        yield StatusLine(id="counts")
        yield Input(placeholder="search; Enter closes", id="search", classes="-hidden")
        yield VirtualTable[Event | OutputLine](journal_row, tail=True, id="table")

    def on_mount(self) -> None:
        """Show the newest."""
        self.rewrite()
        self.query_one("#table").focus()
        self.call_after_refresh(self.query_one(VirtualTable).action_edge, 1)

    def watch_rows(self) -> None:
        """New rows."""
        self.rewrite()

    @on(Input.Changed, "#search")
    def rewrite(self) -> None:
        """The rows that fit the search."""
        table = self.query_one_optional(VirtualTable)
        if table is None:
            return
        wanted = self.query_one("#search", Input).value.strip().lower()
        rows = tuple(expanded(self.rows))
        if wanted:
            rows = tuple(row for row in rows if wanted in _searched(row).lower())
        table.set_rows(rows)
        earlier = "   earlier rows: cockpit report" if self.earlier else ""
        words: Line = ((f"{len(rows)} of {sum(1 for _ in expanded(self.rows))} rows", Tone.TEXT), (earlier, Tone.QUIET))
        self.query_one(StatusLine).show(words)

    def action_search(self) -> None:
        """Open the search."""
        field = self.query_one("#search", Input)
        field.remove_class("-hidden")
        field.focus()

    @on(Input.Submitted, "#search")
    def close_search(self) -> None:
        """Keep the search, give the keys back."""
        field = self.query_one("#search", Input)
        field.set_class(not field.value, "-hidden")
        self.query_one(VirtualTable).focus()


def _searched(row: Event | OutputLine) -> str:
    return row.text if isinstance(row, OutputLine) else f"{row.actor} {row.type} {describe(row)}"
