"""The two axes of a chart: which values and which time it shows, and the numbers beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cockpit.model.verdict import Thresholds
from widgets.formatting import clock, clock_minutes

ROBUST = 0.98
"""The share of the values that decides the scale: a spike in the rest is clipped, and said to be."""
HEADROOM = 1.15
CLIP_FROM = 1.5
"""Values up to so many times what the others and the bands need get their place on the scale after all."""
_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
LEAST_SPAN_S = 600.0
"""A run that has just begun gets so much room, so that its chart does not change its scale all the time."""


class Scale(NamedTuple):
    """The values at the lower and upper edge, and whether some values lie beyond one of them."""

    low: float
    high: float
    clipped: bool = False

    def row(self, value: float, rows: int) -> int:
        """The row of dots for a value, 0 at the top; what lies beyond is at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return min(rows - 1, max(0, rows - 1 - round(share * (rows - 1))))

    def holds(self, value: float) -> bool:
        """Whether a value is on the scale."""
        return self.low <= value <= self.high


def scale(values: Sequence[float], thresholds: Thresholds, limits: Iterable[float] = ()) -> Scale:
    """From 0 (or below) to a little above critical, more when many values need it, or the last of them.

    One spike that is over does not flatten the rest; limits beyond twice what is needed are left off.
    """
    if thresholds.low_is_bad:
        return falling_scale(values, thresholds, limits)
    warning_from, critical, _ = thresholds
    needed = max((abs(critical), abs(warning_from)), default=1.0) or 1.0
    bands = max(critical, warning_from)
    top = bands if bands > 0 else needed
    ordered = sorted(values)
    if ordered:
        top = max(top, ordered[min(len(ordered) - 1, int(ROBUST * len(ordered)))])
        top = max(top, values[-1])
    top = max([top, *(limit for limit in limits if limit <= 2 * top)])
    highest = ordered[-1] if ordered else top
    if highest <= CLIP_FROM * top:
        top = max(top, highest)
    low = min([0.0, *ordered[:1], min(warning_from, critical)])
    return Scale(low, low + (top - low) * HEADROOM, highest > low + (top - low) * HEADROOM)


def falling_scale(values: Sequence[float], thresholds: Thresholds, limits: Iterable[float] = ()) -> Scale:
    """For a metric of which lower is worse: from a little below critical to the best value, without a zero line."""
    ordered = sorted(values)
    top = max([thresholds.warning_from, *ordered[-1:]])
    depth = (top - thresholds.critical) or abs(top) or 1.0
    if ordered:
        depth = max(depth, top - ordered[len(ordered) - 1 - min(len(ordered) - 1, int(ROBUST * len(ordered)))])
        depth = max(depth, top - values[-1])
    depth = max([depth, *(top - limit for limit in limits if top - limit <= 2 * depth)])
    if ordered and top - ordered[0] <= CLIP_FROM * depth:
        depth = max(depth, top - ordered[0])
    low = top - depth * HEADROOM
    return Scale(low, top + depth * (HEADROOM - 1), bool(ordered) and ordered[0] < low)


def close_scale(values: Sequence[float]) -> Scale:
    """As close to the values, of which there is one at least, as can be; a spike is clipped too."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[min(len(ordered) - 1, int(ROBUST * len(ordered)))]
    high = ordered[-1] if ordered[-1] - low <= CLIP_FROM * (high - low) else max(high, values[-1])
    margin = (high - low) * 0.08 or max(abs(high) * 0.1, 1e-9)
    floor = max(0.0, low - margin) if low >= 0 else low - margin
    return Scale(floor, high + margin, ordered[-1] > high + margin)


class Window(NamedTuple):
    """The time that a chart shows, in seconds since the Unix epoch."""

    start: float
    end: float

    @property
    def span(self) -> float:
        """Its length in seconds."""
        return self.end - self.start

    def column(self, at: float, columns: int) -> int:
        """The column for a time; may lie outside."""
        return math.floor((at - self.start) / (self.span or 1.0) * columns)

    def edges(self, column: int, columns: int) -> tuple[float, float]:
        """The time of a column."""
        width = self.span / columns
        return self.start + column * width, self.start + (column + 1) * width


def window(now: float, began: float, length: float | None, end: float | None = None) -> Window:
    """The last `length` seconds, or the whole run since `began`; up to `end` when it is not to follow the clock.

    While it follows, it moves by a sixteenth at a time, so that a chart is not painted anew each second.
    """
    span = max(LEAST_SPAN_S, length if length is not None else now - began)
    if end is not None and length is not None:
        return Window(end - span, end)
    step = next((step for step in _STEPS_S if step >= span / 16), _STEPS_S[-1])
    reached = math.ceil(now / step) * step
    reached += step if reached - now < step / 8 else 0
    return Window(began, max(reached, began + LEAST_SPAN_S)) if length is None else Window(reached - span, reached)


def ticks(shown: Window, most: int) -> list[float]:
    """Round times inside the window, at most so many."""
    step = next((step for step in _STEPS_S if shown.span / step <= max(1, most)), _STEPS_S[-1])
    first = math.ceil(shown.start / step) * step
    return [first + number * step for number in range(int((shown.end - first) // step) + 1)]


def clock_text(at: float, seconds: bool = False) -> str:
    """The run's time of day, UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return clock(moment) if seconds else clock_minutes(moment)


def since_text(seconds: float, exact: bool = False) -> str:
    """The time since the run's start: +1:23, −0:05; with seconds if wanted."""
    sign = "+" if seconds > -(1 if exact else 60) else "−"
    whole = timedelta(seconds=int(abs(seconds)))
    hours, rest = divmod(int(whole.total_seconds()), 3600)
    minutes, left = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02}:{left:02}" if exact else f"{sign}{hours}:{minutes:02}"


def number(value: float, decimals: int, room: int = 8) -> str:
    """A value for the axis, as short as it may be."""
    text = f"{value:.{decimals}f}"
    if abs(value) >= 10_000:
        for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                text = f"{value / size:.1f}{unit}"
                break
    return text if len(text) <= room else f"{value:.2g}"
