"""The chart of a metric: its values held against its bands, and the limits beside them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from widgets.chart.axes import Scale, close_scale, scale
from widgets.chart.canvas import Style
from widgets.chart.detail import bands_rows
from widgets.chart.picture import Picture, Rule
from widgets.formatting import STANDING_TONES
from widgets.lines import Line, Tone, wrap
from widgets.sparkline import band

if TYPE_CHECKING:
    from cockpit.model.snapshot import MetricView
    from cockpit.model.verdict import Verdict


@dataclass(frozen=True)
class MetricPicture(Picture):
    """A metric with bands."""

    metric: MetricView

    @cached_property
    def scale(self) -> Scale:
        """That of the bands, or close to the values."""
        thresholds = self.metric.thresholds
        if self.close and self.values:
            return close_scale(self.values)
        limits = [limit.value for limit in self.metric.limits]
        return scale(self.values, thresholds, limits)

    @property
    def rules(self) -> Sequence[Rule]:
        """The limits that are on the scale, the gravest last."""
        metric, ascii_only = self.metric, self.style is Style.ASCII
        from_, glyphs = ("", "") if ascii_only else ("≤ " if metric.low_is_bad else "≥ ", "▲■◀◐")
        beyond = "<" if metric.low_is_bad else ">"
        warning, critical, trigger, gate = tuple(glyphs or "wC<g")
        bands = (metric.warning_from, metric.critical)
        found = [
            _limit(
                limit.value, f"{gate if limit.kind == 'gate' else trigger} {limit.kind} {limit.sign} {limit.value:g}"
            )
            for limit in metric.limits
            if limit.value not in bands
        ]
        found += [
            _limit(bands[0], f"{warning} warn {from_}{bands[0]:g}", Tone.WARN),
            _limit(bands[1], f"{critical} crit {beyond} {bands[1]:g}", Tone.BAD),
        ]
        return [rule for rule in found if self.scale.holds(rule.steps[0][1] or 0.0)]

    def band(self, value: float) -> Tone:
        """The tone of a value: a boundary belongs to the milder band."""
        return band(value, self.metric.thresholds)

    def tone(self, value: float, verdict: Verdict | None) -> Tone:
        """That of the band."""
        return self.band(value)

    def held(self) -> Line:
        """The bands."""
        metric = self.metric
        less, at_most = (">", "≥") if metric.low_is_bad else ("<", "≤")
        return (
            ("   normal", Tone.GOOD),
            (f" {less} {metric.warning_from:g} {at_most} ", Tone.QUIET),
            ("warning", Tone.WARN),
            (f" {at_most} {metric.critical:g} {less} ", Tone.QUIET),
            ("critical", Tone.BAD),
            (f" {metric.unit}" if metric.unit else "", Tone.QUIET),
        )

    def remarks(self) -> Line:
        """Where a trigger or the current gate asks for something else than the bands do."""
        line: Line = ()
        for limit in self.metric.limits:
            glyph = "◀ rollback" if limit.kind == "trigger" else "◐"
            same = " (as critical)" if limit.kind == "trigger" and limit.value == self.metric.critical else ""
            beyond = "" if self.scale.holds(limit.value) else " (off the scale)"
            line += (("   " if line else "", Tone.TEXT), (f"{glyph} {limit.text}{same}{beyond}", Tone.QUIET))
        return line

    def compared(self, width: int) -> list[Line]:
        """The candidate next to the stable track."""
        found = self.metric.comparison
        if found is None:
            return []
        return [((f"  {text}", STANDING_TONES[found.standing]),) for text in wrap(found.sentence, width - 2, 3)]

    def held_rows(self, width: int) -> list[Line]:
        """Bands, limits, and the stable track."""
        return bands_rows(self.metric, width)


def _limit(value: float, text: str, tone: Tone = Tone.QUIET) -> Rule:
    return Rule(((-math.inf, value),), text, tone)
