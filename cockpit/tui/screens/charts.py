"""Every metric over the whole run: all of them small, or one large with a crosshair."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cockpit.errors import CockpitError
from cockpit.model.history import History
from cockpit.model.readings import Reading, Readings
from cockpit.tui.screens.base import SubScreen
from cockpit.tui.screens.metric import MetricScreen, copy
from cockpit.tui.screens.pictures import Frame, Pictures, views_of
from widgets.chart.axes import window
from widgets.chart.canvas import Style
from widgets.chart.chart import field_width
from widgets.chart.panes import ChartPane
from widgets.chart.picture import Picture, hold_s
from widgets.chart.words import beside, gravity
from widgets.key_bar import KeyBar, KeyHint
from widgets.link_state import Line

if TYPE_CHECKING:
    from cockpit.model.snapshot import SignalView
    from cockpit.tui.app import CockpitApp
    from cockpit.tui.screens.main import MainScreen

WINDOWS: tuple[tuple[str, float | None], ...] = (("15 minutes", 900.0), ("1 hour", 3600.0), ("whole run", None))
AGES_EVERY_S = 5.0
PATIENCE_S = 1.0
"""Real seconds in which nothing is drawn while the engine is asked for the whole run."""
AGAIN_S = 10.0
"""A history that misses something is asked for again, at most so often (run seconds)."""
GRID_KEYS = (("Enter", "large"), ("↑↓←→", "choose"), ("t", "time"), ("z", "scale"), ("i", "words"), ("d", "dots"))
LARGE_KEYS = (
    ("←→", "crosshair"),
    ("↑↓", "metric"),
    ("[ ]", "changes"),
    ("t", "time"),
    ("z", "scale"),
    ("i", "words"),
    ("c u", "copy"),
    ("End", "newest"),
    ("d", "dots"),
)
"""The last line of the screen, by weight; `ChartScreen.HINTS` says more."""


class ChartScreen(SubScreen):
    """Asks the engine once for the whole run, and then adds what it is told anyway."""

    HINTS = (
        ("Enter", "the chosen chart large; once more: the metric in words, with its last readings"),
        ("↑ ↓ ← →", "choose a chart; in a large one ← → move the crosshair, ↑ ↓ go to another metric"),
        ("PgUp PgDn", "the crosshair ten columns; Home: to the first reading, End: to the newest, without it"),
        ("[ ]", "the crosshair to the verdict's change before, after"),
        ("t", "time: the last 15 minutes, the last hour, the whole run"),
        ("z", "scale: the bands, or close to the values; what is beyond it is clipped, and said to be"),
        ("i", "the metric in words: query, who answered, samples, comparison, what happened"),
        ("═", "in the chart of the candidate's share: what was commanded; ┄ what is near enough to it"),
        ("c, u", "copy the query as it was sent, the link to its graph"),
        ("d", "draw with half blocks, braille dots or ASCII"),
        ("r", "ask the engine for the whole run again"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enlarge", "Large", show=False),
        Binding("i", "words", "In words", show=False),
        Binding("left", "move(-1)", "Left", show=False),
        Binding("right", "move(1)", "Right", show=False),
        Binding("shift+left,pageup", "move(-10)", "Far left", show=False),
        Binding("shift+right,pagedown", "move(10)", "Far right", show=False),
        Binding("up,k,shift+tab", "metric(-1)", "Metric before", show=False),
        Binding("down,j,tab", "metric(1)", "Next metric", show=False),
        Binding("home", "edge(-1)", "First", show=False),
        Binding("end", "edge(1)", "Newest", show=False),
        Binding("left_square_bracket", "change(-1)", "Change before", show=False),
        Binding("right_square_bracket", "change(1)", "Change after", show=False),
        Binding("t", "window(1)", "Time", show=False),
        Binding("z", "scale", "Scale", show=False),
        Binding("d", "style", "Dots", show=False),
        Binding("r", "again", "Ask again", show=False),
        Binding("c", "copy_query", "Copy the query", show=False),
        Binding("u", "copy_link", "Copy the link", show=False),
    ]

    def __init__(self, main: MainScreen) -> None:
        super().__init__(main)
        self.history = History()
        self._pictures = Pictures()
        self.large = False
        self.chosen = 0
        self.cursor: float | None = None
        self._end: float | None = None
        self._window = len(WINDOWS) - 1
        self._close = False
        self._style = Style.BLOCKS
        self._problem = "asking the engine for the whole run …"
        self._asked_at = 0.0
        self._drawn_at = 0.0
        self._was_lost = False
        self._patient = True

    def body(self) -> ComposeResult:
        """The charts."""
        yield ChartPane(id="charts", classes="body")

    def on_mount(self) -> None:
        """Ask for the run, and keep up with it."""
        self.take_views()
        self.large = len(self.views) == 1
        for name, then in (("metrics", self.take_views), ("rows", self.take_rows), ("link", self.take_link)):
            self.watch(self, name, then, init=False)
        self.watch(self, "now", self.take_time, init=False)
        self.show_hints()
        self.load()
        self.set_timer(PATIENCE_S, self._wait_no_longer)

    def _wait_no_longer(self) -> None:
        """An engine that is slow to answer must not hide what is known here."""
        if self._patient:
            self._patient = False
            self._choose()
            self.draw()

    def _choose(self) -> None:
        """Begin with the metric that is worst now, or was."""
        views = self.views
        self.chosen = max(range(len(views)), key=lambda at: gravity(self._picture(views[at])), default=0)

    @property
    def views(self) -> tuple[SignalView, ...]:
        """What there are charts of, as the engine shows it now."""
        return views_of(self.metrics, self.history)

    def picture_of(self, id: str) -> Picture | None:
        """The picture of one of them."""
        return next((self._picture(view) for view in self.views if view.id == id), None)

    def load(self) -> None:
        """Ask the engine for everything that was measured."""
        self._asked_at = self._clock()
        self.run_worker(self._load(), group="history", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        app: CockpitApp = self.app  # type: ignore[assignment]
        try:
            series, marks = await app.connection.history()
        except CockpitError as error:
            self._problem = f"✖ the run until now cannot be had: {error} r asks again"
        else:
            history = History()
            for each in series:
                history.readings[each.metric] = Readings(each.readings())
            history.marks.extend(marks)
            self.history, self._problem = history, ""
            self.take_views()
            self.take_rows()
        if self._patient:
            self._choose()
        self._patient = False
        self.draw()

    def take_views(self) -> None:
        """Add the newest measurements; ask again when some were missed."""
        missed = False
        for view in self.views:
            if view.at is None:
                continue
            readings = self.history.readings.setdefault(view.id, Readings())
            last, at = readings.last, view.at.timestamp()
            missed = missed or (last is not None and at - last.at > 1.9 * self._interval)
            value = view.value if view.verdict.measured else None
            readings.add(Reading(at, value, view.verdict, view.reason))
        if missed and not self._problem and self._clock() - self._asked_at > AGAIN_S:
            self.load()
        self.draw()

    def take_rows(self) -> None:
        """Add what happened."""
        for row in self.rows:
            self.history.heard(row)
        self.draw()

    def take_link(self) -> None:
        """After a lost line, ask for what was missed."""
        if self.link.line is Line.UP and self._was_lost:
            self.load()
        self._was_lost = self.link.line in (Line.LOST, Line.CLOSED)
        pane = self.query_one_optional(ChartPane)
        if pane is not None:
            pane.lost = self.lost

    def take_time(self) -> None:
        """Draw anew when the window moves on, and now and then for the ages."""
        if self._clock() - self._drawn_at >= AGES_EVERY_S * (self.header.speed if self.header else 1.0):
            self.draw()

    def _clock(self) -> float:
        return (self.now or self.run_time()).timestamp()

    @property
    def _interval(self) -> float:
        return self.metrics.interval_s if self.metrics is not None else 15.0

    def began(self) -> float | None:
        """When the run was started, or opened when it was not yet."""
        start = next((mark.at for mark in self.history.marks if mark.kind == "start"), None)
        return start if start is not None else self.header.opened_at.timestamp() if self.header else None

    def _first(self) -> float:
        """Since when there is something to show."""
        firsts = [readings[0].at for readings in self.history.readings.values() if len(readings)]
        return min(firsts, default=self._clock() - 60)

    def _picture(self, view: SignalView) -> Picture:
        return self._pictures.picture(view, self.history, self._frame(), self.cursor if self.large else None)

    def _frame(self) -> Frame:
        now, length = self._clock(), WINDOWS[self._window][1]
        return Frame(
            window=window(now, self._first(), length, self._end),
            now=now,
            marks=tuple(self.history.marks),
            began=self.began(),
            hold=hold_s(self._interval, self.header.speed if self.header else 1.0),
            style=self._style,
            close=self._close,
            interval_s=self._interval,
            label=self._label(),
        )

    def _label(self) -> str:
        name, length = WINDOWS[self._window]
        return name if length is None else f"last {name}" if self._end is None else f"{name} around the crosshair"

    @property
    def picture(self) -> Picture | None:
        """The chosen metric's."""
        views = self.views
        return self._picture(views[min(self.chosen, len(views) - 1)]) if views else None

    def draw(self) -> None:
        """Show the present state."""
        pane = self.query_one_optional(ChartPane)
        if pane is None:
            return
        self._drawn_at = self._clock()
        self.chosen = min(self.chosen, max(0, len(self.views) - 1))
        # The first picture is the whole one: it comes in a moment.
        pictures = [] if self._patient else [self._picture(view) for view in self.views]
        pane.show(pictures, self.chosen, self.large, self._problem)

    def show_hints(self) -> None:
        """The keys of the large chart are others than those of the small ones."""
        hints = (*(LARGE_KEYS if self.large else GRID_KEYS), ("? Esc", "keys, back"))
        self.query_one(KeyBar).hints = tuple(KeyHint(key, key, label) for key, label in hints)

    def action_enlarge(self) -> None:
        """The chosen chart large; once more, in words."""
        if self.large:
            self.action_words()
        elif self.views:
            self.large = True
            self.show_hints()
            self.draw()

    def action_back(self) -> None:
        """From the large chart to all of them, and from there to the screen below."""
        if self.large and len(self.views) > 1:
            self.large, self.cursor, self._end = False, None, None
            self.show_hints()
            self.draw()
        else:
            super().action_back()

    def action_words(self) -> None:
        """The chosen metric in words, with its readings."""
        if self.views:
            self.main.open(MetricScreen(self, self.views[self.chosen].id))

    def action_metric(self, by: int) -> None:
        """The metric before or after; among small charts, the one above or below."""
        count = len(self.views)
        if count and self.large:
            self.chosen = (self.chosen + by) % count
        elif count:
            target = self.chosen + by * self.query_one(ChartPane).columns
            self.chosen = target if 0 <= target < count else self.chosen
        self.draw()

    def action_move(self, by: int) -> None:
        """The crosshair, a column at a time; among small charts, the choice."""
        if self.large:
            self._step(by)
        elif self.views:
            self.chosen = min(len(self.views) - 1, max(0, self.chosen + (1 if by > 0 else -1)))
            self.draw()

    def _step(self, by: int) -> None:
        """To the reading of the next column that must not be overlooked; past the edge, the window moves along."""
        picture = self.picture
        if picture is None or not len(picture.readings):
            return
        width, readings = field_width(self.query_one(ChartPane).size.width), picture.readings
        number = picture.cursor if picture.cursor is not None else len(readings)
        for _ in range(abs(by)):
            if number >= len(readings):
                number = len(readings) - 1 if by < 0 else len(readings)
                first, stop = beside(picture, max(0, len(readings) - 1), width)
            else:
                first, stop = beside(picture, number, width)
                number = first - 1 if by < 0 else stop
                if not 0 <= number < len(readings):
                    number = max(0, min(len(readings), number))
                    break
                first, stop = beside(picture, number, width)
            number = readings.worst(first, stop, picture.metric.low_is_bad)
        self._look_at(picture, number)

    def _look_at(self, picture: Picture, number: int) -> None:
        """Put the crosshair on a reading; after the newest there is none, and the window follows the clock again."""
        if number >= len(picture.readings):
            self.cursor, self._end = None, None
            self.draw()
            return
        at = picture.readings[number].at
        self.cursor = at
        span = picture.window.span
        if WINDOWS[self._window][1] is not None and not picture.window.start <= at < picture.window.end:
            self._end = at + span / 2
            if self._end >= self._clock():
                self._end = None
        self.draw()

    def action_edge(self, by: int) -> None:
        """To the first reading of the run, or to the newest without a crosshair."""
        picture = self.picture
        if picture is not None and self.large and len(picture.readings):
            self._look_at(picture, 0 if by < 0 else len(picture.readings))

    def action_change(self, by: int) -> None:
        """To the next reading, that way, with another verdict than the one before it."""
        picture = self.picture
        if picture is None or not len(picture.readings):
            return
        self.large = True
        self.show_hints()
        readings = picture.readings
        number = (picture.cursor if picture.cursor is not None else len(readings)) + by
        while 0 < number < len(readings):
            if readings[number].verdict is not readings[number - 1].verdict:
                break
            number += by
        self._look_at(picture, max(0, number))

    def action_window(self, by: int) -> None:
        """The next length of time, with the crosshair in the middle."""
        self._window = (self._window + by) % len(WINDOWS)
        length = WINDOWS[self._window][1]
        self._end = None
        if self.cursor is not None and length is not None and self.cursor + length / 2 < self._clock():
            self._end = self.cursor + length / 2
        self.draw()

    def action_scale(self) -> None:
        """The scale of the bands, or as close to the values as can be."""
        self._close = not self._close
        self.draw()

    def action_style(self) -> None:
        """Braille dots, blocks, or plain ASCII."""
        self._style = self._style.following
        self.draw()

    def action_again(self) -> None:
        """Ask the engine once more for the whole run."""
        self.load()

    def action_copy_query(self) -> None:
        """The query as it was sent."""
        if self.views:
            copy(self, "query", self.views[self.chosen].query)

    def action_copy_link(self) -> None:
        """The address of the graph in the server's own user interface."""
        if self.views:
            copy(self, "graph link", self.views[self.chosen].link)
