"""A table of any length that draws only the rows in sight, and paints only the cells that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.lines import BLANK, Line, Tone, changed_cells, cut_line
from widgets.pane import Toned

Row = TypeVar("Row")
Draw = Callable[[Row, int], Line]


class VirtualTable(Toned, ScrollView, Generic[Row], can_focus=True):
    """Rows of any kind, with a function that draws one. With `cursor` a row can be chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", show=False),
        Binding("down,j", "step(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(-1)", "First", show=False),
        Binding("end,G", "edge(1)", "Last", show=False),
    ]
    DEFAULT_CSS = """
    VirtualTable { background: $surface; color: $foreground; padding: 0 1; scrollbar-size-vertical: 1;
        overflow-x: hidden; overflow-y: auto; }
    """

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        row: int

    def __init__(self, draw: Draw[Row], *, cursor: bool = False, tail: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._rows: Sequence[Row] = ()
        self._cursor: int | None = 0 if cursor else None
        self._tail = tail
        self._painted: dict[int, Line] = {}

    @property
    def cursor(self) -> int | None:
        """The number of the chosen row, or None when there is none."""
        return self._cursor if self._rows else None

    @property
    def rows(self) -> Sequence[Row]:
        """All rows."""
        return self._rows

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; the place is kept, or the end when the end was in sight."""
        at_end = self._tail and self.scroll_offset.y >= self.max_scroll_y
        resized = len(rows) != len(self._rows)
        self._rows = rows
        if self._cursor is not None:
            self._cursor = min(self._cursor, max(0, len(rows) - 1))
        if resized:
            self.virtual_size = Size(self.size.width, len(rows))
        self.redraw()
        if at_end and resized:
            self.scroll_end(animate=False, immediate=True)

    def redraw(self) -> None:
        """Paint the cells in sight that differ from what was painted."""
        top = self.scroll_offset.y
        regions: list[Region] = []
        for y in range(self.size.height):
            if top + y in self._painted:
                line = self._line(top + y)
                span = changed_cells(self._painted[top + y], line)
                if span:
                    self._painted[top + y] = line
                    regions.append(Region(span[0], y, span[1], 1))
            elif top + y < len(self._rows):
                regions.append(Region(0, y, self.size.width, 1))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Paint one line in sight."""
        number = self.scroll_offset.y + y
        if len(self._painted) > 4 * max(1, self.size.height):
            self._painted.clear()
        line = self._line(number)
        self._painted[number] = line
        return self.strip(line, self._room, Tone.SELECTED if number == self.cursor else None)

    @property
    def _room(self) -> int:
        """The columns that a row has beside the scrollbar."""
        return self.scrollable_content_region.width

    def _line(self, number: int) -> Line:
        if not 0 <= number < len(self._rows):
            return BLANK
        width = self._room
        return cut_line(self._draw(self._rows[number], width), width)

    def choose(self, number: int) -> None:
        """Put the cursor on a row and bring it in sight."""
        if self._cursor is None or not self._rows:
            return
        self._cursor = min(max(0, number), len(self._rows) - 1)
        self.scroll_to_region(Region(0, self._cursor, 1, 1), animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved(self._cursor))

    def follow(self, number: int) -> None:
        """The chosen row has another number now; the place on screen stays."""
        if self._cursor is not None and number != self._cursor and 0 <= number < len(self._rows):
            self._cursor = number
            self.refresh()

    def action_step(self, by: int) -> None:
        """One row up or down."""
        if self._cursor is None:
            self.scroll_relative(y=by, animate=False)
        else:
            self.choose(self._cursor + by)

    def action_page(self, by: int) -> None:
        """One page up or down."""
        self._go(by * max(1, self.size.height - 1))

    def action_edge(self, by: int) -> None:
        """To the first or the last row."""
        self._go(by * len(self._rows))

    def _go(self, by: int) -> None:
        if self._cursor is None:
            self.scroll_relative(y=by, animate=False)
        else:
            self.choose(self._cursor + by)
