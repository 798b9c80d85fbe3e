"""The chart itself: bands, values, silence, and what happened, in cells. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from cockpit.model.readings import SEVERITY
from cockpit.model.verdict import Verdict
from widgets.chart.canvas import Canvas
from widgets.chart.picture import Picture, Rule, Slot
from widgets.lines import Line, Tone, joined

Cell = tuple[str, Tone]
Field = list[list[Cell]]
EMPTY: Cell = (" ", Tone.TEXT)
FINE_FROM = 16
"""Lines of a field from which on fine lines are more than noise."""
VERDICT_TONES = (Tone.CALM, Tone.WARN, Tone.WARN, Tone.BAD, Tone.BAD)
WORDS: dict[Verdict | None, tuple[str, Tone]] = {
    Verdict.NO_DATA: ("NO DATA", Tone.WARN),
    Verdict.BROKEN: ("BROKEN", Tone.BAD),
    None: ("not measured", Tone.QUIET),
}


def plot(picture: Picture, width: int, height: int) -> list[Line]:
    """The field of the chart, `height` lines of `width` cells."""
    if width <= 0 or height <= 0:
        return []
    canvas = Canvas(width, height, picture.style)
    slots = picture.columns(canvas.columns)
    draw_values(canvas, picture, slots)
    cells: Field = [[canvas.cell(x, y) or EMPTY for x in range(width)] for y in range(height)]
    standing = by_cell(slots, canvas.across)
    _rules(cells, picture)
    _silence(cells, picture, standing)
    _over(cells, picture, slots, canvas.across)
    _upright(cells, picture, width)
    return [joined(row) for row in cells]


def strip(picture: Picture, width: int) -> Line:
    """One sign a column: the verdict that must not be overlooked in it, so that colours are not needed."""
    across = picture.style.value.dots[0]
    slots = by_cell(picture.columns(width * across), across)
    return joined([_verdict(picture, verdict) for verdict in slots])


def _verdict(picture: Picture, verdict: Verdict | None) -> Cell:
    if verdict is None:
        return EMPTY
    place = SEVERITY.index(verdict)
    return picture.style.value.verdicts[place], VERDICT_TONES[place]


def by_cell(slots: Sequence[Slot], across: int) -> list[Verdict | None]:
    """What stood in each cell: the verdict of the gravest of its columns."""
    found = []
    for first in range(0, len(slots), across):
        stood = [slot.stands for slot in slots[first : first + across] if slot.stands is not None]
        found.append(max(stood, key=SEVERITY.index) if stood else None)
    return found


def draw_values(canvas: Canvas, picture: Picture, slots: Sequence[Slot]) -> None:
    """A step for each reading: a value stands until the next one, and nothing is drawn through silence."""
    for x, slot in enumerate(slots):
        for low, high in _strokes(slot):
            _stroke(canvas, picture, slot.stands, x, (low, high))


def _strokes(slot: Slot) -> Iterator[tuple[float, float]]:
    span = slot.span
    if span is None:
        if slot.value is not None:
            yield slot.value, slot.value
    elif span.low is not None and span.high is not None:
        # The step from the value that stood before to the first one here.
        joins = [] if slot.value is None or span.entry is None else [slot.value]
        yield min([span.low, *joins]), max([span.high, *joins])


def _stroke(canvas: Canvas, picture: Picture, verdict: Verdict | None, x: int, ends: tuple[float, float]) -> None:
    scale, rows = picture.scale, canvas.rows
    low, high = ends
    top, bottom = scale.row(high, rows), scale.row(low, rows)
    canvas.dot(x, top, picture.tone(high, verdict))
    canvas.dot(x, bottom, picture.tone(low, verdict))
    for y in range(top + 1, bottom):
        share = (rows - 1 - y) / max(1, rows - 1)
        canvas.dot(x, y, picture.tone(scale.low + share * (scale.high - scale.low), verdict))


def _rules(cells: Field, picture: Picture) -> None:
    """Limits, and what was commanded, where no value is drawn."""
    width = len(cells[0])
    edges = [picture.window.edges(x, width) for x in range(width)]
    signs = picture.style.value
    for rule in drawn_rules(picture, len(cells)):
        drawn: Cell = (signs.course, Tone.NOW) if rule.heavy else (signs.limit, Tone.FAINT)
        for x, (start, end) in enumerate(edges):
            # A step is seen from the column on that it is in.
            value = rule.at(math.nextafter(end, start)) if start <= rule.until else None
            row = None if value is None or not picture.scale.holds(value) else cell_row(picture, value, len(cells))
            if row is not None and cells[row][x] == EMPTY:
                cells[row][x] = drawn


def drawn_rules(picture: Picture, height: int) -> list[Rule]:
    """Those for which a field of that height has room."""
    return [rule for rule in picture.rules if height >= FINE_FROM or not rule.fine]


def limit_values(picture: Picture, height: int = FINE_FROM) -> list[tuple[float, Rule]]:
    """The lines that are on the scale at the end of the window, each with its value there."""
    found = [(rule.at(picture.window.end), rule) for rule in drawn_rules(picture, height)]
    return [(value, rule) for value, rule in found if value is not None and picture.scale.holds(value)]


def cell_row(picture: Picture, value: float, height: int) -> int:
    """The line of cells that a value is in."""
    down = picture.style.value.dots[1]
    return picture.scale.row(value, height * down) // down


def _silence(cells: Field, picture: Picture, standing: Sequence[Verdict | None]) -> None:
    """Where there was no value, the whole height says so; the words are written where there is room."""
    signs = {Verdict.NO_DATA: picture.style.value.no_data, Verdict.BROKEN: picture.style.value.broken}
    width = len(cells[0])
    now = picture.window.column(picture.now, width)
    rests = [picture.rests(picture.window.edges(column, width)[0]) for column in range(width)]
    x = 0
    for (verdict, rest), group in groupby(zip(standing, rests, strict=True)):
        length = len(list(group))
        silent = x < now if verdict is None else not verdict.measured
        if silent:
            word = (rest, Tone.QUIET) if rest and verdict is None else WORDS[verdict]
            _fill(cells, (x, min(length, max(0, now + 1 - x) or length)), word, signs.get(verdict) if verdict else None)
        x += length


def _fill(cells: Field, stretch: tuple[int, int], word: Cell, sign: str | None) -> None:
    """A gap says its `word`; what was commanded meanwhile is known, and stays."""
    x, width = stretch
    columns = [at for at in range(x, min(x + width, len(cells[0]))) if all(not _drawn(row[at]) for row in cells)]
    for row in cells:
        for at in columns:
            if row[at][1] is not Tone.NOW:
                row[at] = (sign, Tone.FAINT) if sign else EMPTY
    text, tone = word
    if len(columns) >= len(text) + 2 and columns[-1] - columns[0] < len(columns):
        start = columns[0] + (len(columns) - len(text) - 2) // 2
        for offset, char in enumerate(f" {text} "):
            cells[len(cells) // 2][start + offset] = (char, tone)


def _drawn(cell: Cell) -> bool:
    return cell[1] in (Tone.CALM, Tone.WARN, Tone.BAD)


def _over(cells: Field, picture: Picture, slots: Sequence[Slot], across: int) -> None:
    """A value beyond the scale has an arrow at its edge."""
    signs, scale = picture.style.value, picture.scale
    for x in range(len(cells[0])):
        spans = [slot.span for slot in slots[x * across : (x + 1) * across] if slot.span is not None]
        if any(span.high is not None and span.high > scale.high for span in spans):
            high = max(span.high for span in spans if span.high is not None)
            cells[0][x] = (signs.over, picture.tone(high, spans[0].worst))
        if any(span.low is not None and span.low < scale.low for span in spans):
            low = min(span.low for span in spans if span.low is not None)
            cells[-1][x] = (signs.under, picture.tone(low, spans[0].worst))


def _upright(cells: Field, picture: Picture, width: int) -> None:
    """What happened, and the crosshair, as lines behind the values."""
    signs = picture.style.value
    for mark in picture.marks:
        if mark.grave:
            _line(cells, picture.window.column(mark.at, width), signs.mark, Tone.FAINT)
    chosen = picture.chosen
    if chosen is not None:
        _line(cells, picture.window.column(chosen.at, width), signs.cross, Tone.NOW)


def _line(cells: Field, x: int, sign: str, tone: Tone) -> None:
    if 0 <= x < len(cells[0]):
        for row in cells:
            if row[x] == EMPTY or row[x][1] is Tone.FAINT:
                row[x] = (sign, tone)
