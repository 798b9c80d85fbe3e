"""The metrics: value, verdict in words, trend, age; and the number of critical alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.formatting import STALE_INTERVALS, STANDING_TONES, VERDICT, age, seconds_between, valued
from widgets.lines import Line, Tone, cut_line, ends, fit, right, wrap
from widgets.pane import Pane
from widgets.sparkline import sparkline

if TYPE_CHECKING:
    from cockpit.model.snapshot import MetricsView, MetricView


class MetricsTable(Pane):
    """One row a metric; two or three a row when there is little height."""

    TITLE = "METRICS"
    NUMBER = "3"

    metrics: var[MetricsView | None] = var(None)

    watch_metrics = Pane.rewrite

    def summary(self) -> Line:
        """Critical alerts."""
        return alerts(self.metrics) if self.metrics and self.metrics.loaded else ()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """A table, or a grid of short cells when the height is less than the number of metrics."""
        view = self.metrics
        top = [self.heading(width)] if height > 3 else []
        if view is None or not view.loaded:
            return [*top, (("waiting for the first measurement …", Tone.QUIET),)]
        if not view.metrics:
            return [*top, (("the runbook names no metrics", Tone.QUIET),)]
        if len(view.metrics) > height - len(top):
            return grid(view, width, height, self.now)
        rows: list[Line] = [*top]
        spare = height - len(top) - len(view.metrics)
        for metric in view.metrics:
            rows.append(metric_row(metric, width, view.interval_s, self.now))
            if spare > 0 and metric.reason and not metric.verdict.measured:
                rows.append(((f"  {metric.reason}", Tone.WARN),))
                spare -= 1
            # A sentence of a comparison is shown whole or not at all: half of one says something else.
            compared = compared_rows(metric, width)
            if compared and len(compared) <= spare:
                rows += compared
                spare -= len(compared)
        return rows


def compared_rows(metric: MetricView, width: int) -> list[Line]:
    """How the candidate stands against the stable track, in its sentence."""
    compared = metric.comparison
    if compared is None:
        return []
    return [((f"  {text}", STANDING_TONES[compared.standing]),) for text in wrap(compared.sentence, width - 2, 4)]


def alerts(view: MetricsView) -> Line:
    """The number of firing critical alerts, or that it is not known."""
    if view.alerts_critical is None:
        return (("○ alerts unknown", Tone.WARN),)
    if view.alerts_critical == 0:
        return (("● no critical alerts", Tone.GOOD),)
    return ((f" ■ {view.alerts_critical} CRITICAL ALERTS ", Tone.ALARM),)


def is_old(metric: MetricView, interval_s: float, now: datetime | None) -> bool:
    """Whether the last measurement is older than three intervals."""
    return metric.at is not None and seconds_between(metric.at, now) > STALE_INTERVALS * interval_s


def metric_row(metric: MetricView, width: int, interval_s: float, now: datetime | None) -> Line:
    """One metric on a line of its own; an old value says so and loses its verdict's colour."""
    mark = VERDICT[metric.verdict]
    old = is_old(metric, interval_s, now)
    tone = Tone.WARN if old else mark.tone
    title = min(18, max(10, width // 4 + 1))
    aged = f"  OLD {age(seconds_between(metric.at, now))}" if old else _rough(metric, interval_s, now)
    trend = max(0, min(30, width - title - 25 - len(aged)))
    return (
        (fit(metric.title, title), Tone.TEXT),
        (right(valued(metric, metric.value), 11), Tone.QUIET if old else Tone.STRONG),
        (f"  {mark.glyph} ", tone),
        (fit(mark.word, 10), tone),
        *sparkline(metric.trend, trend, metric.thresholds),
        (aged, Tone.WARN if old else Tone.QUIET),
    )


def _rough(metric: MetricView, interval_s: float, now: datetime | None) -> str:
    """A fresh value needs no age: a number that changes every second would only make noise."""
    seconds = seconds_between(metric.at, now)
    return right(age(seconds), 5) if seconds > interval_s * 1.5 else ""


def grid(view: MetricsView, width: int, height: int, now: datetime | None) -> list[Line]:
    """Metrics side by side; the worst first when not all fit."""
    ringing = 1 if view.alerts_critical != 0 else 0
    columns = next(
        (n for n in (2, 3) if n * height >= len(view.metrics) + ringing and width // n >= 24), max(1, width // 24)
    )
    metrics = list(view.metrics)
    if len(metrics) + ringing > columns * height:
        metrics.sort(key=lambda metric: -list(VERDICT).index(metric.verdict))
    size = (width + 2) // columns - 2
    cells = [cut_line(alerts(view), size)] * ringing + [_cell(metric, size, view.interval_s, now) for metric in metrics]
    rows: list[Line] = []
    for first in range(0, min(len(cells), columns * height), columns):
        line: Line = ()
        for number, cell in enumerate(cells[first : first + columns]):
            line += (("  " if number else "", Tone.TEXT), *ends(cell, (), size))
        rows.append(line)
    return rows


def _cell(metric: MetricView, width: int, interval_s: float, now: datetime | None) -> Line:
    mark = VERDICT[metric.verdict]
    old = is_old(metric, interval_s, now)
    room = 8 if width > 30 else 4
    state: Line = (
        (f"{valued(metric, metric.value)} ", Tone.QUIET if old else Tone.STRONG),
        (f"{mark.glyph} {fit('OLD' if old else mark.word[:room], room)}", Tone.WARN if old else mark.tone),
    )
    return ends(((metric.title, Tone.TEXT),), state, width)
