"""From what was measured in a run to the pictures of its charts: each number is held against what is its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from cockpit.model.history import History, Mark
from cockpit.model.readings import Reading, Readings
from cockpit.model.share import Course, Judged, course, residual_reading, share_reading
from cockpit.model.snapshot import MetricsView, MetricView, ResidualView, ShareView, SignalView
from widgets.chart.axes import Window
from widgets.chart.canvas import Style
from widgets.chart.metric import MetricPicture
from widgets.chart.picture import Picture
from widgets.chart.share import ResidualPicture, SharePicture


class Frame(TypedDict):
    """What all pictures of a moment have in common, see `Picture`."""

    window: Window
    now: float
    marks: Sequence[Mark]
    began: float | None
    hold: float
    style: Style
    close: bool
    interval_s: float
    label: str


def views_of(metrics: MetricsView | None, history: History) -> tuple[SignalView, ...]:
    """What there are charts of: the metrics, the share, and the residual once it was measured."""
    if metrics is None:
        return ()
    found: list[SignalView] = list(metrics.metrics)
    if metrics.share is not None:
        found.append(metrics.share)
    residual = metrics.residual
    if residual is not None and (residual.at is not None or residual.id in history.readings):
        found.append(residual)
    return tuple(found)


class Pictures:
    """Makes pictures, and keeps what was judged for the next ones."""

    def __init__(self) -> None:
        self._share, self._residual = Judged(), Judged()

    def picture(self, view: SignalView, history: History, frame: Frame, cursor: float | None) -> Picture:
        """The picture of one number; `cursor` is the time of the crosshair."""
        readings = history.readings.get(view.id, Readings())
        if isinstance(view, ShareView):
            commanded = course(frame["marks"], view.candidate, view.tolerances, view.tolerance)
            readings = self._shares(view, readings, commanded)
            return SharePicture(view, readings, course=commanded, cursor=_number(readings, cursor), **frame)
        if isinstance(view, ResidualView):
            commanded = course(frame["marks"], view.candidate, {}, 0)
            readings = self._residuals(view, readings, commanded)
            return ResidualPicture(view, readings, course=commanded, cursor=_number(readings, cursor), **frame)
        if not isinstance(view, MetricView):
            raise TypeError(f"{type(view).__name__} has no chart")
        return MetricPicture(view, readings, cursor=_number(readings, cursor), **frame)

    def _shares(self, view: ShareView, readings: Readings, commanded: Course) -> Readings:
        def judge(reading: Reading) -> Reading | None:
            return share_reading(reading, commanded, view.settles_s)

        return self._share.take(readings, (commanded, view.settles_s), judge)

    def _residuals(self, view: ResidualView, readings: Readings, commanded: Course) -> Readings:
        def judge(reading: Reading) -> Reading:
            return residual_reading(reading, commanded, view.settles_s, view.at_most)

        return self._residual.take(readings, (commanded, view.settles_s, view.at_most), judge)


def _number(readings: Readings, cursor: float | None) -> int | None:
    return None if cursor is None or not len(readings) else max(0, readings.before(cursor))
