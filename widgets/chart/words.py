"""What is said around a chart: value, verdict, bands, what was clipped, and the reading under the crosshair. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.model.readings import SEVERITY
from widgets.chart.axes import clock_text, since_text
from widgets.chart.picture import Picture
from widgets.formatting import STALE_INTERVALS, VERDICT, age, valued
from widgets.lines import Line, Tone, cut_line, ends, width_of

if TYPE_CHECKING:
    from cockpit.model.history import Mark


def title_line(picture: Picture, width: int, chosen: bool = False) -> Line:
    """Name, value, verdict in words, age. When room is short the name yields."""
    metric = picture.metric
    pointer: Line = (("▸ " if chosen else "  ", Tone.KEY),)
    end: Line = ((value_of(picture) + " ", Tone.STRONG), *verdict_of(picture))
    signs = picture.style.value
    edge = signs.under if metric.low_is_bad else signs.over
    clipped: Line = ((f" {edge} clipped", Tone.WARN),) if picture.scale.clipped else ()
    return ends((*pointer, (metric.title, Tone.SELECTED if chosen else Tone.STRONG), *clipped), end, width)


def value_of(picture: Picture) -> str:
    """The value of the last reading; nothing when that is of another time and nobody asks now."""
    return picture.stated(None if picture.rests(picture.now) else picture.readings.last)


def verdict_of(picture: Picture) -> Line:
    """The verdict of the last reading, and its age once it is old."""
    last, rests = picture.readings.last, picture.rests(picture.now)
    if rests:
        return ((f"· {rests}", Tone.QUIET),)
    if last is None:
        return (("○ not measured yet", Tone.WARN),)
    mark = picture.mark(last)
    seconds = picture.now - last.at
    if seconds > STALE_INTERVALS * picture.interval_s:
        return ((f"{mark.glyph} OLD {age(seconds)}", Tone.WARN),)
    return mark.line


def age_line(picture: Picture) -> Line:
    """How old the last value is; in a silence that is not the last time that somebody asked."""
    last = picture.readings.last
    if last is None or picture.rests(picture.now):
        return ()
    if last.value is None:
        known = picture.last_value
        if known is None:
            return (("  no value yet", Tone.WARN),)
        words = f"  last value {valued(picture.metric, known.value)} {age(max(0.0, picture.now - known.at))} ago"
        return ((words, Tone.WARN),)
    seconds = max(0.0, picture.now - last.at)
    # A fresh one is not counted second by second: that would only make noise.
    words = "now" if seconds <= 1.5 * picture.interval_s else f"{age(seconds)} ago"
    return ((f"  {words}", Tone.QUIET),)


def facts_line(picture: Picture, width: int) -> Line:
    """Lowest, highest and last value in the window, and what they are held against."""
    line: Line = ()
    for piece in (_extremes(picture), _clipped(picture), _silences(picture)):
        line += ((("   ", Tone.TEXT), *piece)) if line and piece else piece
    bands = picture.held()
    # Two lines' worth of words on one: the bands stand beside the chart as well.
    return (*line, *bands) if width_of((*line, *bands)) <= width else cut_line(line, width)


def _extremes(picture: Picture) -> Line:
    metric = picture.metric
    values, last = picture.values, picture.last_value
    if not values:
        return (("nothing measured in this window", Tone.WARN),)
    newest = picture.readings.last
    old = f" {clock_text(last.at, True)}" if last is not None and last != newest else ""
    worst = picture.readings[picture.readings.extreme(*picture.shown, metric.low_is_bad)]
    bad: Line = (
        (valued(metric, worst.value), picture.tone(worst.value or 0.0, worst.verdict)),
        (f" {clock_text(worst.at, True)}", Tone.QUIET),
    )
    best = min(values) if not metric.low_is_bad else max(values)
    good: Line = ((valued(metric, best), Tone.TEXT),)
    lowest, highest = (bad, good) if metric.low_is_bad else (good, bad)
    return (
        ("min ", Tone.QUIET),
        *lowest,
        ("  max ", Tone.QUIET),
        *highest,
        ("  last ", Tone.QUIET),
        (valued(metric, values[-1]), Tone.STRONG),
        (old, Tone.WARN),
    )


def _silences(picture: Picture) -> Line:
    """How many readings have no value."""
    first, stop = picture.shown
    silent = stop - first - len(picture.values)
    return ((f"{silent} of {stop - first} without a value", Tone.WARN),) if silent else ()


def _clipped(picture: Picture) -> Line:
    scale = picture.scale
    signs, metric = picture.style.value, picture.metric
    over = sum(1 for value in picture.values if value > scale.high)
    under = sum(1 for value in picture.values if value < scale.low)
    words = [f"{over} above {valued(metric, scale.high)}"] if over else []
    words += [f"{under} below {valued(metric, scale.low)}"] if under else []
    return ((f"{signs.over if over else signs.under} clipped: {', '.join(words)}", Tone.WARN),) if words else ()


def readout(picture: Picture, width: int, height: int) -> list[Line]:
    """The reading under the crosshair, in a field of that width: value, verdict, reason, and what happened there."""
    chosen = picture.chosen
    if chosen is None or height <= 0:
        return []
    mark = picture.mark(chosen)
    since = f" {since_text(chosen.at - picture.began, True)}" if picture.began is not None else ""
    line: Line = (
        ("▸ ", Tone.KEY),
        (clock_text(chosen.at, True), Tone.STRONG),
        (f"{since}  ", Tone.QUIET),
        (picture.exactly(chosen), Tone.STRONG),
        (f"  {mark.glyph} {mark.word}", mark.tone),
    )
    line += _beside(picture, width)
    reason: Line = ((f"  {chosen.reason}", Tone.WARN),) if chosen.reason else ()
    happened = [each for each in near(picture, width) if each.text]
    rows = [line, reason] if reason and height > 1 else [(*line, *reason)]
    rows += [((f"  {clock_text(each.at, True)} {each.text}", Tone.NOW),) for each in happened[:height]]
    return rows[:height]


def why_lines(picture: Picture, width: int, height: int) -> list[Line]:
    """Why the last reading is what it is, and how the tracks compare, in the lines that there are."""
    last = picture.readings.last
    rows: list[Line] = []
    if last is not None and last.reason:
        rows.append(((f"  {last.reason}", VERDICT[last.verdict].tone),))
    return [*rows, *picture.compared(width)][:height]


def _beside(picture: Picture, width: int) -> Line:
    """That other readings share the column of the crosshair, and whether this one is the gravest."""
    number = picture.cursor or 0
    first, stop = beside(picture, number, width)
    if stop - first <= 1:
        return ()
    word = "worst" if picture.readings.worst(first, stop, picture.metric.low_is_bad) == number else "one"
    return ((f"  {word} of {stop - first} in this column", Tone.QUIET),)


def beside(picture: Picture, number: int, width: int) -> tuple[int, int]:
    """The readings that share a column of cells with one: the first, and the one after the last."""
    column = picture.window.column(picture.readings[number].at, width)
    return picture.readings.range(*picture.window.edges(column, width))


def near(picture: Picture, width: int) -> list[Mark]:
    """What happened in the time of the crosshair's column, and until the next one."""
    chosen = picture.chosen
    if chosen is None:
        return []
    reach = max(picture.interval_s, picture.window.span / max(1, width))
    return [mark for mark in picture.marks if abs(mark.at - chosen.at) <= reach]


def gravity(picture: Picture) -> tuple[int, int]:
    """How bad the last reading is, and then how bad the worst one in the window: the metric to look at has the most."""
    last, span = picture.readings.last, picture.readings.span(*picture.window)
    return (SEVERITY.index(last.verdict) if last else -1, SEVERITY.index(span.worst) if span else -1)
