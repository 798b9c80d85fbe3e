"""The last lines of a flood, which of them are shown, and where a search finds something. No terminal in here."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from widgets.lines import Line, Span
from widgets.log_text import LogLine, Source, spans, text_of

CAPACITY = 20_000


class Row(NamedTuple):
    """One row on screen: the number of a line since the beginning, and which of its wrapped parts."""

    line: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class Face:
    """How lines are shown. `only` keeps lines with that text, `!text` those without it."""

    raw: bool = False
    stamps: bool = False
    wrap: bool = False
    width: int = 80
    only: str = ""


class LogBuffer:
    """Keeps the newest `capacity` lines; up to twice as many while `held`, so that what is read does not go away."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.lines: list[LogLine] = []
        self.first = 0
        self.face = Face()
        self.rows: list[Row] = []

    @property
    def end(self) -> int:
        """The number that the next line gets; also how many lines came in all."""
        return self.first + len(self.lines)

    @property
    def full(self) -> bool:
        """Whether nothing more fits while the buffer is held."""
        return len(self.lines) >= 2 * self.capacity

    def line(self, number: int) -> LogLine:
        """A line by its number."""
        return self.lines[number - self.first]

    def add(self, lines: Iterable[LogLine], *, held: bool = False) -> int:
        """Take lines; returns how many rows went away at the top."""
        start = self.end
        self.lines.extend(lines)
        for number in range(max(start, self.end - 2 * self.capacity), self.end):
            self._show(number)
        return 0 if held else self.trim()

    def trim(self) -> int:
        """Give up the oldest lines beyond the capacity; returns how many rows went away at the top."""
        extra = len(self.lines) - self.capacity
        if extra <= 0:
            return 0
        del self.lines[:extra]
        self.first += extra
        gone = bisect_left(self.rows, Row(self.first))
        del self.rows[:gone]
        return gone

    def put_on(self, face: Face) -> None:
        """Show the same lines another way."""
        self.face = face
        self.rows = []
        for number in range(self.first, self.end):
            self._show(number)

    def spans(self, number: int) -> Line:
        """A line as it is shown, in full length."""
        return spans(self.line(number), raw=self.face.raw, stamps=self.face.stamps)

    def drawn(self, row: Row) -> Line:
        """What one row shows."""
        whole = self.spans(row.line)
        if not self.face.wrap:
            return whole
        parts = split(whole, self.face.width)
        return parts[row.part] if row.part < len(parts) else ()

    def find(self, text: str, start: int, step: int) -> int | None:
        """The place of the next row from `start` on, in the direction of `step`, that shows the text."""
        places = range(start, len(self.rows), 1) if step > 0 else range(min(start, len(self.rows) - 1), -1, -1)
        return next((place for place in places if self._hit(self.rows[place], text)), None)

    def hits(self, text: str) -> int:
        """How many lines show the text."""
        return sum(row.part == 0 and contains(text_of(self.spans(row.line)), text) for row in self.rows)

    def place_of(self, row: Row) -> int:
        """The place of a row, or of the next one after it."""
        return min(bisect_left(self.rows, row), max(0, len(self.rows) - 1))

    def _hit(self, row: Row, text: str) -> bool:
        return row.part == 0 and contains(text_of(self.spans(row.line)), text)

    def _show(self, number: int) -> None:
        line = self.line(number)
        if not wanted(line, self.face.only):
            return
        if not self.face.wrap:
            self.rows.append(Row(number))
            return
        self.rows.extend(Row(number, part) for part in range(self._height(number)))

    def _height(self, number: int) -> int:
        whole = self.spans(number)
        text = text_of(whole)
        return -(-len(text) // self._room) or 1 if text.isascii() else len(split(whole, self.face.width))

    @property
    def _room(self) -> int:
        return max(1, self.face.width)


def wanted(line: LogLine, only: str) -> bool:
    """Whether a line passes the filter; what the cockpit says always does."""
    if not only or line.source in (Source.MARK, Source.FAULT):
        return True
    if only.startswith("!"):
        return len(only) == 1 or not contains(line.text, only[1:])
    return contains(line.text, only)


def contains(text: str, part: str) -> bool:
    """Whether the part is in the text; capitals count only when the part has some."""
    return part in text if part != part.lower() else part in text.lower()


def matches(text: str, part: str) -> list[tuple[int, int]]:
    """Where the part is in the text."""
    if not part:
        return []
    seen = text if part != part.lower() else text.lower()
    found: list[tuple[int, int]] = []
    at = seen.find(part)
    while at >= 0 and len(found) < 50:
        found.append((at, at + len(part)))
        at = seen.find(part, at + len(part))
    return found


@lru_cache(1024)
def split(line: Line, width: int) -> Sequence[Line]:
    """The line in parts of at most `width` cells, broken anywhere: nothing of a log line is lost or moved."""
    parts: list[Line] = []
    now: list[Span] = []
    left = max(1, width)
    for text, tone in line:
        rest = text
        while rest:
            head = rest if cell_len(rest) <= left else _head(rest, left)
            if head:
                now.append((head, tone))
            rest = rest[len(head) :]
            left -= cell_len(head)
            if rest:
                parts.append(tuple(now))
                now, left = [], max(2, width)
    return (*parts, tuple(now)) if now or not parts else tuple(parts)


def _head(text: str, width: int) -> str:
    """As many characters as fit into `width` cells."""
    if text.isascii():
        return text[:width]
    head = set_cell_size(text, width)
    # A wide character that does not fit is replaced by a blank.
    return head if text.startswith(head) else head[:-1]
