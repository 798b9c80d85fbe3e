"""What a chart is made of: one number, its readings, what happened beside them, and the part of it that is shown."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from cockpit.model.verdict import Verdict
from widgets.chart.axes import Scale, Window
from widgets.chart.canvas import Style
from widgets.formatting import VERDICT, Mark, valued
from widgets.lines import Line, Tone
from widgets.sparkline import BAND_TONES

if TYPE_CHECKING:
    from cockpit.model import history
    from cockpit.model.readings import Reading, Readings, Span
    from cockpit.model.snapshot import SignalView

HOLD_INTERVALS = 3.0
LONGEST_REAL_HOLD_S = 5.0
"""As for the hold of a gate: a longer silence of the engine itself is a gap."""


def hold_s(interval_s: float, speed: float) -> float:
    """For how many seconds a reading stands for what came after it, when nothing newer is known."""
    return max(HOLD_INTERVALS * interval_s, LONGEST_REAL_HOLD_S * speed)


class Rule(NamedTuple):
    """A line in the chart: a limit, or what was commanded. `steps` are times with the value from then on, or None.

    `tone` is that of its name beside the chart; a `heavy` one is no limit but what the values should be, and a `fine`
    one is left out where there are few lines. `until` is the time up to which it is known.
    """

    steps: tuple[tuple[float, float | None], ...]
    text: str
    tone: Tone = Tone.QUIET
    heavy: bool = False
    fine: bool = False
    until: float = math.inf

    def at(self, moment: float) -> float | None:
        """Its value at a time."""
        number = bisect_right(self.steps, moment, key=itemgetter(0)) - 1
        return self.steps[number][1] if number >= 0 else None


@dataclass(frozen=True)
class Picture:
    """One number as it is to be drawn. `close` fits the scale to the values; `cursor` is the number of a reading.

    `label` says which time is shown, `began` is when the run was started. What the values are held against, and how
    that is said, is the matter of the subclasses.
    """

    metric: SignalView
    readings: Readings
    window: Window
    now: float
    marks: Sequence[history.Mark] = ()
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
        raise NotImplementedError

    @property
    def rules(self) -> Sequence[Rule]:
        """The lines behind the values; of two at one place the first is seen."""
        raise NotImplementedError

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

    def tone(self, value: float, verdict: Verdict | None) -> Tone:
        """The tone of a value, with the verdict that stands where it is drawn."""
        return BAND_TONES.get(verdict or "", Tone.CALM)

    def rests(self, moment: float) -> str:
        """Why nobody asks at that time, as a matter of course; empty when somebody should."""
        return ""

    def mark(self, reading: Reading) -> Mark:
        """The verdict of a reading."""
        return VERDICT[reading.verdict]

    def stated(self, reading: Reading | None) -> str:
        """The value of a reading in few letters."""
        return valued(self.metric, reading.value if reading is not None else None)

    def exactly(self, reading: Reading) -> str:
        """The value as it was measured, all its digits that mean something."""
        return "no value" if reading.value is None else f"{reading.value:.6g} {self.metric.unit}".rstrip()

    def held(self) -> Line:
        """In one line what the values are held against."""
        raise NotImplementedError

    def remarks(self) -> Line:
        """A further line about limits, where there are any."""
        return ()

    def compared(self, width: int) -> list[Line]:
        """How the tracks compare, where they are compared."""
        return []

    def held_rows(self, width: int) -> list[Line]:
        """In many words what the values are held against."""
        raise NotImplementedError

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
        fresh = last is not None and start - last.at < picture.hold and start <= picture.now
        standing = last if fresh and not picture.rests(start) else None
        value = standing.value if standing is not None else None
        stands = standing.verdict if standing is not None else None
        if span is not None:
            last = readings[span.end - 1]
            stands = span.worst
        slots.append(Slot(span, stands, value))
    return slots
