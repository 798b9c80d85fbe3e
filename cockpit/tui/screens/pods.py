"""All pods, with a filter."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from cockpit.model.cluster import Pod
from cockpit.tui.screens.base import SubScreen
from cockpit.tui.screens.main import MainScreen
from widgets.lines import Line, Tone, ends
from widgets.pods_pane import by_urgency, pod_row, pods_face, track_counts
from widgets.status_line import StatusLine
from widgets.virtual_table import VirtualTable

SORT_EVERY_S = 5


class PodsScreen(SubScreen):
    """Trouble first; `/` filters by name, track and status."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("/", "filter"), ("↑↓ PgUp PgDn", "scroll"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "filter", "Filter", show=False)]
    CURSOR: ClassVar[bool] = False

    def __init__(self, main: MainScreen) -> None:
        super().__init__(main)
        self._places: dict[str, int] = {}
        self._seconds = 0

    def body(self) -> ComposeResult:
        """A line of counts, the filter, the table."""
        yield StatusLine(id="counts")
        yield Input(placeholder="filter by name, track or status; Enter closes", id="filter", classes="-hidden")
        yield VirtualTable[Pod](self._draw, cursor=self.CURSOR, id="table")

    def on_mount(self) -> None:
        """Follow the pods."""
        self.rewrite()
        self.query_one("#table").focus()
        self.set_interval(1.0, self.tick)

    def _draw(self, pod: Pod, width: int) -> Line:
        return pod_row(pod, width, self.now)

    def watch_pods(self) -> None:
        """The first pods at once; later ones once a second, so that rows can be read during a storm."""
        table = self.query_one_optional(VirtualTable)
        if table is not None and not table.rows:
            self.rewrite()

    def tick(self) -> None:
        """New pods, ages and staleness; rows change their places more rarely than their words."""
        self._seconds += 1
        if self._seconds % SORT_EVERY_S == 0:
            self._places = {}
        self.rewrite()

    @on(Input.Changed, "#filter")
    def rewrite(self) -> None:
        """The pods that fit the filter."""
        table = self.query_one_optional(VirtualTable)
        if table is None or self.pods is None:
            return
        wanted = self.query_one("#filter", Input).value.strip().lower()
        if not self._places:
            self._places = {pod.name: place for place, pod in enumerate(by_urgency(self.pods.pods))}
        last = len(self._places)
        rows = sorted(self.pods.pods, key=lambda pod: self._places.get(pod.name, last))
        if wanted:
            rows = [pod for pod in rows if wanted in f"{pod.name} {pod.track} {pod.status}".lower()]
        self.show_rows(rows)
        self._count()

    def show_rows(self, rows: list[Pod]) -> None:
        """Show the rows."""
        self.query_one(VirtualTable).set_rows(rows)

    def _count(self) -> None:
        if self.pods is None:
            return
        shown = len(self.query_one(VirtualTable).rows)
        face = pods_face(self.pods, self.now)
        words: Line = ((f"{shown} of {len(self.pods.pods)} pods  ", Tone.TEXT), *face)
        self.query_one(StatusLine).show(ends(words, track_counts(self.pods), self.size.width - 2))

    def action_filter(self) -> None:
        """Open the filter."""
        field = self.query_one("#filter", Input)
        field.remove_class("-hidden")
        field.focus()

    @on(Input.Submitted, "#filter")
    def close_filter(self) -> None:
        """Keep the filter, give the keys back."""
        field = self.query_one("#filter", Input)
        field.set_class(not field.value, "-hidden")
        self.query_one(VirtualTable).focus()
