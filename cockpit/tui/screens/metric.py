"""One metric in words, with its last readings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from cockpit.tui.screens.base import SubScreen
from cockpit.tui.screens.listing import ListingScreen, titled
from widgets.chart.axes import clock_text, since_text
from widgets.chart.detail import asked_rows, verdict_rows
from widgets.lines import Line, Tone, fit

if TYPE_CHECKING:
    from cockpit.model.readings import Reading
    from cockpit.tui.screens.charts import ChartScreen
    from widgets.chart.picture import Picture

LISTED = 200
VALUE_ROOM = 16


def copy(screen: SubScreen, what: str, text: str) -> None:
    """Put a text into the clipboard of the terminal, and say how that works."""
    if not text:
        screen.notify(f"There is no {what} yet.", severity="warning", timeout=5)
        return
    screen.app.copy_to_clipboard(text)
    words = (
        f"{what[0].upper()}{what[1:]} sent to your terminal's clipboard (OSC 52); if it is not there, your terminal "
    )
    screen.notify(words + "or tmux does not allow that: select it on screen with i.", timeout=8)


class MetricScreen(ListingScreen):
    """One metric in words: verdict, limits, comparison, query, links, what happened, and its last readings."""

    HINTS = (("c", "copy the query"), ("u", "copy the graph link"), ("s", "copy the dashboard link"), ("↑↓", "scroll"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy('query')", "Copy the query", show=False),
        Binding("u", "copy('link')", "Copy the graph link", show=False),
        Binding("s", "copy('dashboard')", "Copy the dashboard link", show=False),
    ]
    USES = ("metrics", "now")

    def __init__(self, charts: ChartScreen, metric: str) -> None:
        super().__init__(charts.main)
        self._charts = charts
        self._metric = metric

    @property
    def picture(self) -> Picture | None:
        """The metric as its chart shows it now."""
        return self._charts.picture_of(self._metric)

    def sections(self, width: int) -> list[list[Line]]:
        """All that is known of it."""
        picture = self.picture
        if picture is None:
            return [[(("this metric is not measured any more", Tone.WARN),)]]
        view, last = picture.metric, picture.readings.last
        # What rests was measured at another time.
        mark = picture.mark(last) if last is not None and not picture.rests(picture.now) else None
        return [
            titled(view.title.upper(), width, verdict_rows(view, width, self.now, mark), ""),
            titled("HELD AGAINST", width, picture.held_rows(width), ""),
            titled("HOW IT IS ASKED", width, asked_rows(view, width), ""),
            titled("WHAT HAPPENED", width, self._happened(), "nothing yet"),
            titled(f"LAST READINGS (at most {LISTED})", width, self._readings(picture), "none yet"),
        ]

    def _since(self, at: float) -> str:
        began = self._charts.began()
        return f"{since_text(at - began, True):>10}" if began is not None else ""

    def _happened(self) -> list[Line]:
        return [
            ((f"  {clock_text(mark.at, True)} {self._since(mark.at)}  ", Tone.QUIET), (mark.text, Tone.TEXT))
            for mark in reversed(self._charts.history.marks)
        ]

    def _readings(self, picture: Picture) -> list[Line]:
        last = [(reading, picture.exactly(reading)) for reading in reversed(picture.readings[-LISTED:])]
        room = max([VALUE_ROOM, *(len(text) + 2 for _, text in last)])
        return [self._row(picture, reading, fit(text, room)) for reading, text in last]

    def _row(self, picture: Picture, reading: Reading, value: str) -> Line:
        mark = picture.mark(reading)
        return (
            (f"  {clock_text(reading.at, True)} {self._since(reading.at)}  ", Tone.QUIET),
            (value, Tone.STRONG),
            (f"{mark.glyph} {fit(mark.word, 11)}", mark.tone),
            (reading.reason, Tone.WARN),
        )

    def action_copy(self, what: str) -> None:
        """Send the query or a link to the terminal's clipboard."""
        picture = self.picture
        if picture is not None:
            view = picture.metric
            texts = {"query": view.query, "link": view.link, "dashboard": view.dashboard}
            copy(self, {"link": "graph link", "dashboard": "dashboard link"}.get(what, what), texts[what])
