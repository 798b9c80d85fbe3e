"""What a chart is made of: one metric, its readings, what happened beside them, and the part of it that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cockpit.model.verdict import Verdict
from widgets.chart.axes import Scale, Window, close_scale, scale
from widgets.chart.canvas import Style
from widgets.lines import Tone
from widgets.sparkline import band

if TYPE_CHECKING:
    from cockpit.model.history import Mark
    from cockpit.model.readings import Reading, Readings, Span
    from cockpit.model.snapshot import MetricView

HOLD_INTERVALS = 3.0
LONGEST_REAL_HOLD_S = 5.0
"""As for the hold of a gate: a longer silence of the engine itself is a gap."""


def hold_s(interval_s: float, speed: float) -> float:
    """For how many seconds a reading stands for what came after it, when nothing newer is known."""
    return max(HOLD_INTERVALS * interval_s, LONGEST_REAL_HOLD_S * speed)


@dataclass(frozen=True)
class Picture:
    """One metric as it is to be drawn. `close` fits the scale to the values; `cursor` is the number of a reading.

    `label` says which time is shown, `began` is when the run was started.
    """

    metric: MetricView
    readings: Readings
    window: Window
    now: float
    marks: Sequence[Mark] = ()
    began: float | None = None
    hold: float = 45.0
    style: Style = Style.BLOCKS
    close: bool = False
    cursor: int | None = None
    interval_s: float = 15.0
    label: str = ""

    @property
    def shown(self) -> tuple[int, int]:
        """The numbers of the readings in the window: the first, and the one after the last."""
        return self.readings.range(self.window.start, self.window.end)

    @property
    def values(self) -> list[float]:
        """The measured values in the window, in order."""
        return self.readings.values(*self.shown)

    @cached_property
    def scale(self) -> Scale:
        """The values that the chart shows."""
        thresholds = self.metric.thresholds
        if self.close:
            return close_scale(self.values, thresholds)
        limits = [limit.value for limit in self.metric.limits]
        return scale(self.values, thresholds, limits)

    @property
    def last_value(self) -> Reading | None:
        """The newest reading that has a value."""
        numbers = range(len(self.readings) - 1, -1, -1)
        return next((self.readings[at] for at in numbers if self.readings[at].value is not None), None)

    @property
    def chosen(self) -> Reading | None:
        """The reading under the crosshair."""
        if self.cursor is None or not 0 <= self.cursor < len(self.readings):
            return None
        return self.readings[self.cursor]

    def band(self, value: float) -> Tone:
        """The tone of a value: a boundary belongs to the milder band."""
        return band(value, self.metric.thresholds)

    def columns(self, count: int) -> list[Slot]:
        """The window in so many columns, each with what was measured in it or what still stood then."""
        return _columns(self, count)


@dataclass(frozen=True)
class Slot:
    """One column: its readings if it has any; `stands` is the verdict that stood in it, None where nobody asked.

    `value` is the value that stood when it began.
    """

    span: Span | None
    stands: Verdict | None
    value: float | None = None


def _columns(picture: Picture, count: int) -> list[Slot]:
    readings, window = picture.readings, picture.window
    before = readings.before(window.start)
    last: Reading | None = readings[before] if before >= 0 else None
    slots = []
    for column in range(count):
        start, end = window.edges(column, count)
        span = readings.span(start, end)
        # What was measured just before the column began may still stand in it.
        standing = last if last is not None and start - last.at < picture.hold and start <= picture.now else None
        value = standing.value if standing is not None else None
        stands = standing.verdict if standing is not None else None
        if span is not None:
            last = readings[span.end - 1]
            stands = span.worst
        slots.append(Slot(span, stands, value))
    return slots
