"""The port-forwards of this screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cockpit.tui.closer import ask_choice, lens_of, new_forward, work
from cockpit.tui.screens.base import SubScreen
from cockpit.tui.screens.main import CommanderScreen
from widgets.formatting import clock_minutes
from widgets.lines import Line, Tone, fit, middle
from widgets.pods_pane import by_urgency
from widgets.status_line import StatusLine
from widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from cockpit.model.lens import ForwardState

MOST_PODS = 100


class ForwardsScreen(SubScreen):
    """Each ends when it is stopped, when its pod goes, or with this screen's process."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("f", "new"), ("Del", "stop"), ("c", "copy the URL"), ("↑↓", "move")
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f,plus", "new", "New", show=False),
        Binding("delete,x", "stop", "Stop", show=False),
        Binding("c", "copy", "Copy", show=False),
    ]
    main: CommanderScreen

    def body(self) -> ComposeResult:
        """A line about the list, the list."""
        yield StatusLine(id="counts")
        yield VirtualTable["ForwardState"](self._draw, cursor=True, id="table")

    def on_mount(self) -> None:
        """Look once a second; only what changed is painted."""
        self.query_one("#table").focus()
        self.set_interval(1.0, self.rewrite)
        self.call_after_refresh(self.rewrite)

    def rewrite(self) -> None:
        """The forwards as they are now."""
        table = self.query_one_optional("#table", VirtualTable)
        if table is None or self.main.looking is None:
            return
        forwards = self.main.looking.forwards()
        table.set_rows(forwards)
        live = sum(forward.state == "listening" for forward in forwards)
        chosen = self.chosen
        problem: Line = ((f"   ▲ {chosen.problem}", Tone.WARN),) if chosen is not None and chosen.problem else ()
        words = (
            f"{live} listening of {len(forwards)}; they end with this screen"
            if forwards
            else "no port-forward; f opens one"
        )
        self.query_one("#counts", StatusLine).show(((words, Tone.TEXT), *problem))

    def _draw(self, forward: ForwardState, width: int) -> Line:
        chosen = forward == self.chosen
        live = forward.state == "listening"
        mark = ("● listening ", Tone.GOOD) if live else ("■ ended     ", Tone.WARN)
        target = min(60, max(16, width - 62))
        problem: Line = ((f"  ▲ {forward.problem}", Tone.WARN if live else Tone.BAD),) if forward.problem else ()
        return (
            ("▶ " if chosen else "  ", Tone.KEY),
            mark,
            (fit(url(forward), 23), Tone.STRONG if live else Tone.QUIET),
            ("→ ", Tone.FAINT),
            (middle(f"{forward.target}:{forward.remote_port}", target), Tone.TEXT),
            (f" {forward.connections} open", Tone.QUIET),
            (f"  {clock_minutes(forward.started_at)}", Tone.QUIET),
            *(((f"  {forward.pod}", Tone.FAINT),) if forward.pod != forward.target else ()),
            *problem,
        )

    @property
    def chosen(self) -> ForwardState | None:
        """The one under the cursor."""
        table = self.query_one(VirtualTable)
        found: ForwardState | None = table.rows[table.cursor] if table.cursor is not None else None
        return found

    def action_new(self) -> None:
        """Choose a target, then its ports."""
        pods = by_urgency(self.main.pods.pods)[:MOST_PODS] if self.main.pods else []
        rows = [(pod.name, f"{pod.name}  {pod.status}") for pod in pods]
        if rows:
            ask_choice(self.main, "PORT-FORWARD TO WHICH POD?", rows, lambda pod: new_forward(self.main, pod))
        else:
            self.notify("There is no pod; W lists the workloads.", severity="warning")

    def action_stop(self) -> None:
        """Stop the chosen one."""
        forward = self.chosen
        if forward is not None:
            work(self.main, self._stop(forward.id))

    async def _stop(self, forward: str) -> None:
        await (await lens_of(self.main)).stop_forward(forward)
        self.rewrite()

    def action_copy(self) -> None:
        """Give the URL to the clipboard, where the terminal lets it through."""
        forward = self.chosen
        if forward is not None:
            self.app.copy_to_clipboard(url(forward))
            self.notify(f"{url(forward)} – if your terminal takes OSC 52", title="Copied", timeout=5)


def url(forward: ForwardState) -> str:
    """Where it listens."""
    return f"http://127.0.0.1:{forward.local_port}"
