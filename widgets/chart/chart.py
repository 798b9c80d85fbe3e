"""One number's whole chart: words, marks, field, verdicts, time. Pure; what has no room is left out from the edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len

from widgets.chart.axes import clock_text, number, since_text, ticks
from widgets.chart.picture import Picture
from widgets.chart.plot import cell_row, limit_values, plot, strip
from widgets.chart.words import age_line, facts_line, readout, title_line, value_of, verdict_of, why_lines
from widgets.lines import Line, Tone, cut, cut_line, ends, fit, inert, joined, right, width_of

if TYPE_CHECKING:
    from cockpit.model.history import Mark

LEFT = 8
RIGHT = 14
LEAST_FIELD = 3
NAMED_FROM = 60
"""Cells from which on the lines of the bands have their names beside them."""
FIRST = {"rollback": -1, "trip": 0, "end": 2, "engine": 3}
"""What gets its word first, by kind; the others are 1."""
MARK_TONES = {"trip": Tone.BAD, "rollback": Tone.BAD, "hold": Tone.WARN, "weight": Tone.NOW, "decision": Tone.NOW}


def chart_lines(picture: Picture, width: int, height: int) -> list[Line]:
    """The chart in `height` lines of `width` cells."""
    field = field_width(width)
    if field < 10 or height < LEAST_FIELD + 2:
        return tiny(picture, width, height)
    top = [chart_heading(picture, width)]
    top += [facts_line(picture, width)] if height >= 9 else []
    limits = picture.remarks() if height >= 16 else ()
    top += [limits] if limits else []
    top += [_inset(marks_row(picture, field))] if height >= 8 else []
    bottom = [_inset(strip(picture, field), "verdict ")]
    bottom += [_inset(line) for line in time_rows(picture, field)[: 3 if height >= 14 else 2 if height >= 10 else 1]]
    said = 3 if height >= 20 else 2 if height >= 14 else 1 if height >= 11 else 0
    below = readout(picture, field, said) if picture.chosen is not None else why_lines(picture, width, said)
    # The field keeps its height while the crosshair moves over what happened.
    below += [()] * (said - len(below))
    rest = height - len(top) - len(bottom) - len(below)
    lines = [*top, *_sided(picture, field, rest, named=width >= NAMED_FROM), *bottom, *below]
    return [cut_line(line, width) for line in lines[:height]]


def field_width(width: int) -> int:
    """The cells that the field of a chart has."""
    return width - LEFT - (RIGHT if width >= NAMED_FROM else 0)


def tiny(picture: Picture, width: int, height: int) -> list[Line]:
    """The name and value, a field without numbers, and the verdicts when there is room."""
    rows = [title_line(picture, width)]
    if height >= 3:
        rows += plot(picture, width, height - 2)
    return [*rows, strip(picture, width)][: max(0, height)] if height >= 2 else rows[: max(0, height)]


def tile(picture: Picture, width: int, height: int, chosen: bool) -> list[Line]:
    """A small chart among others: the name with the value, the field, the verdicts."""
    small = replace(picture, cursor=None)
    rows: list[Line] = [title_line(small, width, chosen)]
    if height >= 9:
        rows += [marks_row(small, width), *plot(small, width, height - 3), strip(small, width)]
    elif height >= 4:
        rows += [*plot(small, width, height - 2), strip(small, width)]
    elif height >= 3:
        rows += [*plot(small, width, 1), strip(small, width)]
    elif height == 2:
        rows += [strip(small, width)]
    return rows[: max(0, height)]


def chart_heading(picture: Picture, width: int) -> Line:
    """The first line: name, value, verdict, age."""
    value: Line = ((value_of(picture) + "  ", Tone.STRONG),)
    end: Line = (*value, *verdict_of(picture), *age_line(picture))
    start: Line = (
        (cut(picture.metric.title.upper(), max(8, width // 3)), Tone.TITLE),
        (f"  {picture.label}{scale_word(picture)} ", Tone.QUIET),
    )
    return ends(start, ((" ", Tone.TEXT), *end), width, ("─", Tone.FAINT))


def scale_word(picture: Picture) -> str:
    """That the scale is not the usual one."""
    return ", scale close to the values" if picture.close else ""


def _inset(line: Line, label: str = "") -> Line:
    return ((right(label, LEFT), Tone.QUIET), *line)


def _sided(picture: Picture, field: int, height: int, *, named: bool) -> list[Line]:
    """The field with its numbers on the left and the names of its lines on the right."""
    rows = plot(picture, field, height)
    left = _numbers(picture, len(rows))
    names = _names(picture, len(rows)) if named else {}
    return [
        ((right(left.get(y, "") + " ", LEFT), Tone.QUIET), *row, *((names[y],) if y in names else ()))
        for y, row in enumerate(rows)
    ]


def _numbers(picture: Picture, height: int) -> dict[int, str]:
    scale, decimals = picture.scale, picture.metric.decimals
    middle = (scale.low + scale.high) / 2
    places = decimals + 1 if scale.high - scale.low < 4 * 10**-decimals else decimals
    shown = {0: scale.high, height - 1: scale.low}
    if height >= 7:
        shown[cell_row(picture, middle, height)] = middle
    return {y: number(value, places, LEFT - 2) for y, value in shown.items()}


def _names(picture: Picture, height: int) -> dict[int, tuple[str, Tone]]:
    """The names of the bands and limits at their lines, in the order of their values where lines are close."""
    named = sorted(limit_values(picture, height)[-height:], key=lambda each: -each[0])
    rows: list[int] = []
    for value, _ in named:
        rows.append(max(cell_row(picture, value, height), rows[-1] + 1 if rows else 0))
    lowest = height
    for place in range(len(rows) - 1, -1, -1):
        lowest = rows[place] = min(rows[place], lowest - 1)
    return {row: (cut(f" {rule.text}", RIGHT), rule.tone) for row, (_, rule) in zip(rows, named, strict=True)}


def marks_row(picture: Picture, width: int) -> Line:
    """What happened, above its moment; what has no room is a dot, and the grave ones come first."""
    row = [" "] * width
    tones = [Tone.TEXT] * width
    order = sorted(picture.marks, key=lambda mark: (FIRST.get(mark.kind, 1), not mark.grave, -mark.at))
    for mark in order:
        x = picture.window.column(mark.at, width)
        if 0 <= x < width:
            _place(row, tones, x, mark)
    return joined(list(zip(row, tones, strict=True)))


def _place(row: list[str], tones: list[Tone], x: int, mark: Mark) -> None:
    tone = MARK_TONES.get(mark.kind, Tone.QUIET)
    # One cell a letter, or the rest of the row would move.
    text = "".join(char for char in inert(mark.short) if cell_len(char) == 1)[:10]
    start = min(x, len(row) - len(text))
    around = row[max(0, start - 1) : start + len(text) + 1]
    if text and start >= 0 and all(char == " " for char in around):
        for offset, char in enumerate(text):
            row[start + offset], tones[start + offset] = char, tone
    elif row[x] == " ":
        row[x], tones[x] = "·", tone


def time_rows(picture: Picture, width: int) -> list[Line]:
    """The line of ticks, the run's clock, and the time since the start."""
    signs = picture.style.value
    marks = ticks(picture.window, max(1, width // 12))
    places = {picture.window.column(at, width): at for at in marks}
    chosen = picture.chosen
    line = [signs.tick if x in places else signs.axis for x in range(width)]
    now = picture.window.column(picture.now, width)
    rows: list[Line] = [(("".join(line), Tone.FAINT),)]
    seconds = picture.window.span <= 600
    clocks = {x: clock_text(at, seconds and at % 60 != 0) for x, at in places.items()}
    here = picture.window.column(chosen.at, width) if chosen is not None else -1
    if chosen is not None and 0 <= here < width:
        # The crosshair's own time comes first; round times that have no room beside it yield.
        clocks.pop(here, None)
        clocks = {here: clock_text(chosen.at, True), **clocks}
    rows.append(((_labels(width, clocks), Tone.QUIET),))
    if picture.began is not None:
        began = picture.began
        rows.append(
            ((_labels(width, {x: since_text(at - began) for x, at in places.items()}), Tone.FAINT),),
        )
    if 0 <= now < width:
        rows[0] = _put(rows[0], now, ("now"[: max(1, width - now)], Tone.NOW))
    return rows


def _labels(width: int, texts: dict[int, str]) -> str:
    row = [" "] * width
    for x, text in texts.items():
        start = min(max(0, x - len(text) // 2), width - len(text))
        if start >= 0 and all(char == " " for char in row[max(0, start - 1) : start + len(text) + 1]):
            row[start : start + len(text)] = list(text)
    return "".join(row)


def _put(line: Line, x: int, span: tuple[str, Tone]) -> Line:
    """The line with a span over what stands at `x`."""
    text, tone = "".join(part for part, _ in line), line[0][1] if line else Tone.TEXT
    if x < 0 or x + len(span[0]) > len(text):
        return line
    return tuple(part for part in ((text[:x], tone), span, (text[x + len(span[0]) :], tone)) if part[0])


def grid_lines(pictures: Sequence[Picture], chosen: int, width: int, height: int) -> list[Line]:
    """All metrics side by side on one time axis; with too many, the part with the chosen one."""
    if not pictures or height < 3:
        return []
    across = grid_columns(width, len(pictures))
    rows = -(-len(pictures) // across)
    each = max(2, min(24, (height - 2) // rows))
    fit_rows = max(1, (height - 2) // each)
    first = max(0, min(chosen // across - fit_rows // 2, rows - fit_rows))
    room = (width - 2 * (across - 1)) // across
    lines: list[Line] = []
    for row in range(first, min(rows, first + fit_rows)):
        tiles = [
            tile(pictures[at], room, each - (1 if each >= 6 else 0), at == chosen)
            for at in range(row * across, min(len(pictures), (row + 1) * across))
        ]
        lines += [_across([part[y] if y < len(part) else () for part in tiles], room) for y in range(each)]
    head = _span_line(pictures[0], width, rows > fit_rows)
    return [head, *lines, *([()] * (height - len(lines) - 2)), _foot(pictures[0], across, room)][:height]


def grid_columns(width: int, count: int) -> int:
    """How many small charts stand side by side."""
    return min(count, 1 if width < 60 else 2 if width < 150 else 3)


def _across(parts: Sequence[Line], room: int) -> Line:
    line: Line = ()
    for place, part in enumerate(parts):
        gap = room - width_of(part)
        line += (*((("  ", Tone.TEXT),) if place else ()), *part, (" " * max(0, gap), Tone.TEXT))
    return line


def _span_line(picture: Picture, width: int, more: bool) -> Line:
    window = picture.window
    since = f" ({since_text(window.start - picture.began)})" if picture.began is not None else ""
    end = clock_text(min(window.end, picture.now), True)
    words = f"{picture.label}{scale_word(picture)}: {clock_text(window.start)}{since} to {end} UTC"
    signs = picture.style.value.verdicts
    key: Line = (
        (
            f"{signs[0]} normal  {signs[1]} warning  {signs[4]} critical  {signs[2]} no data  {signs[3]} broken",
            Tone.QUIET,
        ),
    )
    start: Line = ((words, Tone.TEXT), ("   more below, above" if more else "", Tone.WARN))
    return ends(start, key, width) if width_of((*start, *key)) < width else ends(start, (), width)


def _foot(picture: Picture, across: int, room: int) -> Line:
    row = time_rows(replace(picture, cursor=None), room)[1]
    return _across([(((fit("".join(text for text, _ in row), room)), Tone.QUIET),)] * across, room)
