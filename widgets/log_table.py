"""A log on screen: only the rows in sight are drawn, whatever comes."""

from __future__ import annotations

from textual.geometry import Region

from widgets.lines import Line, Span, Tone
from widgets.log_buffer import LogBuffer, Row, matches
from widgets.virtual_table import VirtualTable


class LogTable(VirtualTable[Row]):
    """Shows a buffer's rows; stays at the end while the end is in sight."""

    def __init__(self, buffer: LogBuffer, *, id: str | None = None) -> None:
        super().__init__(self._log_row, id=id)
        self.buffer = buffer
        self.wanted = ""
        self.mark: int | None = None
        self.at_end = True

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Whoever scrolls up reads; whoever comes to the newest row follows again."""
        super().watch_scroll_y(old, new)
        self.at_end = new >= self.max_scroll_y

    @property
    def room(self) -> int:
        """The cells of a row."""
        return self._room

    def keep_up(self, gone: int = 0) -> None:
        """Show what the buffer shows now; `gone` rows went away at the top, and the text in sight stays in place."""
        reading = not self.at_end
        top = self.scroll_offset.y
        if gone:
            self._painted.clear()
        self.set_rows(list(self.buffer.rows))
        if not reading:
            self.to_end()
        elif gone:
            self.scroll_to(y=max(0, top - gone), animate=False, immediate=True)
        if gone:
            self.refresh()

    def to_end(self) -> None:
        """Follow; the end is where the next layout puts it."""
        self.at_end = True
        self.scroll_end(animate=False, immediate=True)
        self.call_after_refresh(self._stay_at_end)

    def _stay_at_end(self) -> None:
        if self.at_end:
            self.scroll_end(animate=False, immediate=True)

    def show_place(self, place: int) -> None:
        """Bring a row into the middle of the sight; who looks there does not follow."""
        self.at_end = False
        self.scroll_to(y=max(0, place - self.size.height // 2), animate=False, immediate=True, force=True)
        self.repaint()

    def repaint(self) -> None:
        """Paint all rows again."""
        self._painted.clear()
        self.refresh(Region(0, 0, *self.size))

    def _log_row(self, row: Row, width: int) -> Line:
        if not self.buffer.first <= row.line < self.buffer.end:
            return ()
        line = self.buffer.drawn(row)
        if self.mark == row.line and row.part == 0 and line:
            line = (("▶ ", Tone.KEY), *line[1:])
        return lit(line, self.wanted)


def lit(line: Line, part: str) -> Line:
    """The line with every match of the search on another ground."""
    if not part:
        return line
    out: list[Span] = []
    for text, tone in line:
        at = 0
        for start, end in matches(text, part):
            out += [(text[at:start], tone), (text[start:end], Tone.CAP)]
            at = end
        out.append((text[at:], tone))
    return tuple(span for span in out if span[0])
