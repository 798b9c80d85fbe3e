"""The charts on screen: one large, or all small."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from widgets.chart.chart import chart_lines, grid_columns, grid_lines
from widgets.chart.detail import asked_rows
from widgets.chart.picture import Picture
from widgets.lines import Line, Tone, heading
from widgets.pane import Pane

LEAST_CHART = 22
"""Lines that a chart has before words below it get any."""


class ChartPane(Pane):
    """The charts of the metrics, made again only when they are given anew."""

    pictures: var[tuple[Picture, ...]] = var(())
    chosen: var[int] = var(0)
    large: var[bool] = var(False)
    said: var[str] = var("")

    def show(self, pictures: Sequence[Picture], chosen: int, large: bool, said: str) -> None:
        """Show these; equal pictures of readings that have grown are made again too."""
        self.set_reactive(ChartPane.pictures, tuple(pictures))
        self.set_reactive(ChartPane.chosen, chosen)
        self.set_reactive(ChartPane.large, large)
        self.set_reactive(ChartPane.said, said)
        self.rewrite()

    def watch_now(self) -> None:
        """The clock alone changes nothing here."""

    @property
    def columns(self) -> int:
        """How many small charts stand side by side."""
        return grid_columns(self.size.width, len(self.pictures))

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """One chart with the words below it, or all of them."""
        top: list[Line] = [((self.said, Tone.WARN),)] if self.said else []
        room = height - len(top)
        if not self.pictures:
            return [heading("CHARTS", width), ((self.said or "waiting for the first measurement …", Tone.QUIET),)]
        if not self.large:
            return [*top, *grid_lines(self.pictures, self.chosen, width, room)]
        picture = self.pictures[self.chosen]
        words = [*picture.held_rows(width), *asked_rows(picture.metric, width)]
        below = words[: max(0, room - LEAST_CHART - 1)]
        chart = chart_lines(picture, width, room - len(below) - (1 if below else 0))
        return [*top, *chart, *([(), *below] if below else [])]
