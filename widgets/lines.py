"""Lines of toned text: what panes are made of, and how two versions of a pane are compared.

A span is a text and its ink, a line is a tuple of spans. Panes build lines with pure functions, so that they can be
tested without a terminal and only the cells that changed are painted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.geometry import Region

from cockpit.model.text import clean


class Tone(StrEnum):
    """What a span means; the theme gives the colour."""

    TEXT = "text"
    STRONG = "strong"
    QUIET = "quiet"
    FAINT = "faint"
    TITLE = "title"
    KEY = "key"
    NOW = "now"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    ALARM = "alarm"
    NOTICE = "notice"
    PRODUCTION = "production"
    BLUE = "blue"
    GREEN = "green"
    SELECTED = "selected"
    CALM = "calm"
    CAP = "cap"


class Link(NamedTuple):
    """A tone, and the address that the terminal opens for the text; `cockpit.model.address.opens` makes it."""

    tone: Tone
    address: str


Ink = Tone | Link
Span = tuple[str, Ink]
Line = tuple[Span, ...]
BLANK: Line = ()


@lru_cache(4096)
def inert(text: str) -> str:
    """The text without anything a terminal could act on."""
    return clean(text, 1000)


def width_of(line: Line) -> int:
    """The cells that a line takes."""
    return sum(cell_len(text) for text, _ in line)


def cut(text: str, width: int) -> str:
    """At most `width` cells of the text; an ellipsis says that something is missing."""
    text = inert(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def fit(text: str, width: int) -> str:
    """Exactly `width` cells: cut or padded on the right."""
    return set_cell_size(cut(text, width), max(0, width))


def middle(text: str, width: int) -> str:
    """At most `width` cells; what is cut is in the middle, because names differ at their ends."""
    text = inert(text)
    if cell_len(text) <= width or width < 5:
        return fit(text, width)
    tail = min(len(text), width * 2 // 3)
    return fit(set_cell_size(text, width - tail - 1) + "…" + text[-tail:], width)


def right(text: str, width: int) -> str:
    """Exactly `width` cells: cut or padded on the left."""
    text = cut(text, width)
    return " " * (width - cell_len(text)) + text


def cut_line(line: Line, width: int) -> Line:
    """At most `width` cells of the line."""
    spans: list[Span] = []
    left = width
    for text, tone in line:
        if left <= 0:
            break
        text = cut(text, left)
        left -= cell_len(text)
        spans.append((text, tone))
    return tuple(spans)


def ends(start: Line, end: Line, width: int, fill: Span = (" ", Tone.TEXT)) -> Line:
    """`start` on the left and `end` on the right, with `fill` between; `start` yields when there is no room."""
    room = width - width_of(end)
    start = cut_line(start, max(0, room - (1 if end else 0)))
    gap = max(0, room - width_of(start))
    return cut_line((*start, (fill[0] * gap, fill[1]), *end), width)


def heading(title: str, width: int, summary: Line = (), number: str = "") -> Line:
    """The first line of a pane: its key, its name, a rule, and a summary on the right."""
    key: Line = ((number, Tone.FAINT), (" ", Tone.TEXT)) if number else ()
    start: Line = (*key, (title, Tone.TITLE), (" ", Tone.TEXT))
    end: Line = ((" ", Tone.TEXT), *summary) if summary else ()
    return ends(start, end, width, ("─", Tone.FAINT))


def wrap(text: str, width: int, limit: int = 99) -> list[str]:
    """The text on at most `limit` lines of at most `width` cells, broken at spaces; the last may end in an ellipsis."""
    lines: list[str] = []
    rest = inert(text).strip()
    while rest and width > 0:
        if len(lines) == limit - 1 or cell_len(rest) <= width:
            lines.append(cut(rest, width))
            break
        head = set_cell_size(rest, width).rstrip()
        at = head.rfind(" ") if len(rest) > len(head) and rest[len(head)] != " " else len(head)
        at = at if at > width // 3 else len(head)
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return lines


def toned(texts: Sequence[str], tone: Tone, indent: str = "") -> list[Line]:
    """One line for each text."""
    return [((indent + text, tone),) for text in texts]


def _cells(line: Line) -> list[Span]:
    return [(char, tone) for text, tone in line for char in text]


def changed_cells(old: Line, new: Line) -> tuple[int, int] | None:
    """The first cell that differs and the number of cells up to the last that does, or None."""
    if old == new:
        return None
    before, after = _cells(old), _cells(new)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    x = sum(cell_len(char) for char, _ in after[:start])
    end = 0
    if width_of(old) == width_of(new):
        while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
            end += 1
    kept = sum(cell_len(char) for char, _ in after[len(after) - end :])
    return x, max(1, max(width_of(old), width_of(new)) - x - kept)


def joined(cells: Sequence[tuple[str, Tone]]) -> Line:
    """Cells as spans: neighbours of one tone share a span."""
    spans: list[tuple[str, Tone]] = []
    for char, tone in cells:
        if spans and spans[-1][1] is tone:
            spans[-1] = (spans[-1][0] + char, tone)
        else:
            spans.append((char, tone))
    return tuple(spans)


APART = 8
"""Unchanged cells between two changes from which on it takes fewer bytes to paint them apart."""


def changed_runs(old: Line, new: Line) -> Iterator[tuple[int, int]]:
    """The stretches of cells that differ, each with its first cell and length; one if the lines differ in length."""
    span = changed_cells(old, new)
    if span is None:
        return
    before, after = _cells(old), _cells(new)
    if not len(before) == len(after) == width_of(old) == width_of(new):
        yield span
        return
    # The same cells may be in other spans: then none differs.
    differing = [x for x in range(len(before)) if before[x] != after[x]]
    for place, x in enumerate(differing):
        if place == 0 or x - differing[place - 1] > APART:
            start = x
        if place == len(differing) - 1 or differing[place + 1] - x > APART:
            yield start, x - start + 1


def changed_regions(old: Sequence[Line], new: Sequence[Line]) -> Iterator[Region]:
    """What must be painted again so that `old` looks like `new`."""
    for y in range(max(len(old), len(new))):
        for x, width in changed_runs(old[y] if y < len(old) else BLANK, new[y] if y < len(new) else BLANK):
            yield Region(x, y, width, 1)
