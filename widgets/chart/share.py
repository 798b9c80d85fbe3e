"""The charts of the traffic: the candidate's share beside the commanded one, and what still reaches its route. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cockpit.model.share import NOTHING_KNOWN, Course
from cockpit.model.verdict import Thresholds
from widgets.chart.axes import Scale, close_scale, scale
from widgets.chart.canvas import Style
from widgets.chart.detail import labelled
from widgets.chart.picture import Picture, Rule
from widgets.formatting import Mark, valued
from widgets.lines import Line, Tone

if TYPE_CHECKING:
    from cockpit.model.readings import Reading
    from cockpit.model.snapshot import ResidualView, ShareView

WHOLE = Scale(0.0, 100.0)
SETTLING = Mark("◐", "SETTLING", Tone.NOW)


@dataclass(frozen=True)
class SharePicture(Picture):
    """The observed share of the candidate, with the commanded one as a line of steps."""

    metric: ShareView
    course: Course = NOTHING_KNOWN

    @cached_property
    def scale(self) -> Scale:
        """The whole traffic; or close to what was commanded and observed in the window."""
        if not self.close:
            return WHOLE
        commanded = [float(step.share) for step in self.course.steps if step.at < self.window.end]
        before = [step for step in self.course.steps if step.at <= self.window.start]
        values = [*commanded[max(0, len(before) - 1) :], *self.values]
        low, high, clipped = close_scale(values) if values else WHOLE
        return Scale(max(0.0, low), min(100.0, high), clipped)

    @property
    def rules(self) -> Sequence[Rule]:
        """What was commanded until now, and how far from it is near enough."""
        steps, sign = self.course.steps, self.style.value.course
        if not steps:
            return []
        last = self.course.at(self.window.end) or steps[0]
        around, limit = "+-" if self.style is Style.ASCII else "±", self.style.value.limit
        line = tuple((step.at, float(step.share)) for step in steps)
        found = [Rule(line, f"{sign} set {last.share} %", Tone.NOW, heavy=True, until=self.now)]
        for side in (1, -1):
            edge = tuple((step.at, step.share + side * step.tolerance if step.routed else None) for step in steps)
            found.append(Rule(edge, f"{limit} {around} {last.tolerance}", fine=True, until=self.now))
        return found

    def rests(self, moment: float) -> str:
        """While the canary route is out of service there is no share to observe."""
        return "route off" if self.course.off(moment) else ""

    def mark(self, reading: Reading) -> Mark:
        """The verdict, or that a difference says nothing yet."""
        settling = self.course.beyond(reading) and self.course.settling(reading.at, self.metric.settles_s)
        return SETTLING if settling else super().mark(reading)

    def stated(self, reading: Reading | None) -> str:
        """The observed share, and the commanded one."""
        step = self.course.at(self.now if reading is None else reading.at)
        if step is None:
            return super().stated(reading)
        observed = "–" if reading is None or reading.value is None else f"{reading.value:.{self.metric.decimals}f}"
        return f"{observed} vs {step.share} %"

    def exactly(self, reading: Reading) -> str:
        """Both numbers and the difference."""
        deviation, step = self.course.deviation(reading), self.course.at(reading.at)
        value = "not observed" if reading.value is None else f"observed {valued(self.metric, reading.value)}"
        commanded = f"  commanded {step.share} %" if step is not None else ""
        return f"{value}{commanded}{'' if deviation is None else f'  {_points(deviation)}'}"

    def held(self) -> Line:
        """What was commanded at the end of the window, and how near is near enough."""
        step, signs = self.course.at(self.window.end), self.style.value
        if step is None:
            return (("   nothing commanded yet", Tone.QUIET),)
        near = f"  {signs.limit} ± {step.tolerance}" if step.routed else ""
        return ((f"   {signs.course} ", Tone.NOW), (f"commanded {step.share} %{near}", Tone.QUIET))

    def held_rows(self, width: int) -> list[Line]:
        """The commanded share, its tolerance, and when a difference counts."""
        step = self.course.at(self.now)
        said = "nothing yet" if step is None else f"{step.share} %, accepted are {step.tolerance} points more or less"
        off = "; the canary route is out of service, and no share is observed" if self.rests(self.now) else ""
        settles = f"a difference counts {self.metric.settles_s:.0f} s after the traffic was moved"
        return [*labelled("commanded", said + off, width), *labelled("settling", settles, width)]


def _points(deviation: float) -> str:
    """A difference with its sign."""
    return f"{'−' if deviation < 0 else '+'}{abs(deviation):.1f} points"


@dataclass(frozen=True)
class ResidualPicture(Picture):
    """Requests that still reach the canary route since it is out of service."""

    metric: ResidualView
    course: Course = NOTHING_KNOWN

    @cached_property
    def scale(self) -> Scale:
        """From nothing to a little above what counts as none, or above the values."""
        if self.close and self.values:
            return close_scale(self.values)
        return scale(self.values, Thresholds(self.metric.at_most, self.metric.at_most))

    @property
    def rules(self) -> Sequence[Rule]:
        """What counts as none."""
        glyph = "w" if self.style is Style.ASCII else "▲"
        return [Rule(((-math.inf, self.metric.at_most),), f"{glyph} some > {self.metric.at_most:g}", Tone.WARN)]

    def rests(self, moment: float) -> str:
        """While the route is in service its requests are no rest."""
        step = self.course.at(moment)
        return "" if step is not None and not step.routed else "route in service"

    def mark(self, reading: Reading) -> Mark:
        """Whether anybody is left, once that can be told."""
        some = reading.value is not None and reading.value > self.metric.at_most
        return SETTLING if some and self.course.settling(reading.at, self.metric.settles_s) else super().mark(reading)

    def held(self) -> Line:
        """What counts as none."""
        return ((f"   up to {self.metric.at_most:g} {self.metric.unit} counts as none", Tone.QUIET),)

    def held_rows(self, width: int) -> list[Line]:
        """What counts as none, and from when on."""
        said = f"up to {self.metric.at_most:g} {self.metric.unit}"
        settles = f"more is a warning {self.metric.settles_s:.0f} s after the route was taken out of service"
        return [*labelled("none", said, width), *labelled("settling", settles, width)]
