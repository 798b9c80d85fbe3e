"""Deployments, Services, routes and Jobs, one of them chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cockpit.errors import CockpitError
from cockpit.tui.closer import lens_of, new_forward, open_shell, read_again, show_description, show_logs, with_pod_of
from cockpit.tui.screens.base import SubScreen
from cockpit.tui.screens.main import CommanderScreen
from widgets.formatting import clock
from widgets.lines import Line, Tone, ends, fit
from widgets.status_line import StatusLine
from widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from cockpit.model.lens import WorkloadRow

EVERY_S = 5.0


class WorkloadsScreen(SubScreen):
    """Read again every five seconds; what was read last stays when that fails."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("d", "describe"), ("l", "logs"), ("L", "logs of…"), ("s", "shell"), ("f", "forward"), ("Tab", "pods"),
        ("r", "read now"),
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,enter", "describe", "Describe", show=False),
        Binding("l", "logs(False)", "Logs", show=False),
        Binding("L", "logs(True)", "Logs of", show=False),
        Binding("s", "shell", "Shell", show=False),
        Binding("f", "forward", "Forward", show=False),
        Binding("r", "read", "Read", show=False),
        Binding("tab", "pods", "Pods", show=False),
    ]
    main: CommanderScreen

    def __init__(self, main: CommanderScreen) -> None:
        super().__init__(main)
        self._workloads: tuple[WorkloadRow, ...] = ()
        self._read_at: datetime | None = None
        self._problem = ""
        self._hurry = asyncio.Event()

    def body(self) -> ComposeResult:
        """A line about the list, the list."""
        yield StatusLine(id="counts")
        yield VirtualTable["WorkloadRow"](self._draw, cursor=True, id="table")

    def on_mount(self) -> None:
        """Read at once, and again and again."""
        self.query_one("#table").focus()
        self.run_worker(self._keep_reading(), group="workloads", exclusive=True, exit_on_error=False)
        self.call_after_refresh(self.tell)

    async def _keep_reading(self) -> None:
        await read_again(self._read, lambda: self.is_current or self._read_at is None, self._hurry, EVERY_S)

    async def _read(self) -> None:
        try:
            rows = await (await lens_of(self.main)).workloads()
        except CockpitError as error:
            self._problem = f"{error} – {error.hint}" if error.hint else str(error)
        else:
            self._problem, self._read_at = "", self.run_time()
            self._arrange(rows)
        self.tell()

    def _arrange(self, rows: tuple[WorkloadRow, ...]) -> None:
        """Keep the cursor on its object."""
        table = self.query_one(VirtualTable)
        before = self.chosen
        self._workloads = rows
        table.set_rows(rows)
        if before is not None:
            names = [(row.kind, row.name) for row in rows]
            if (before.kind, before.name) in names:
                table.follow(names.index((before.kind, before.name)))

    def tell(self) -> None:
        """Bring the line above the list up to date."""
        table = self.query_one_optional("#table", VirtualTable)
        if table is None:
            return
        bad = sum(not row.healthy for row in self._workloads)
        words = f"{len(self._workloads)} objects" if self._read_at else "waiting for the API server …"
        right: Line = ((f"✖ {bad} not well  ", Tone.BAD),) if bad else ()
        if self._problem:
            since = f"OLD since {clock(self._read_at)}" if self._read_at else "NOT READ"
            right = ((f"▲ {since}: {self._problem}", Tone.WARN),)
        width = self.size.width - 2
        self.query_one("#counts", StatusLine).show(ends(((words, Tone.TEXT),), right, width))

    def _draw(self, row: WorkloadRow, width: int) -> Line:
        mark = ("● ", Tone.GOOD) if row.healthy else ("✖ ", Tone.BAD)
        name = min(44, max(20, width // 2 - 6))
        return (
            ("▶ " if row == self.chosen else "  ", Tone.KEY),
            mark,
            (fit(row.kind, 11), Tone.QUIET),
            (fit(row.name, name), Tone.TEXT),
            (f" {row.state}", Tone.TEXT if row.healthy else Tone.BAD),
        )

    @property
    def chosen(self) -> WorkloadRow | None:
        """The object under the cursor."""
        table = self.query_one(VirtualTable)
        found: WorkloadRow | None = table.rows[table.cursor] if table.cursor is not None else None
        return found

    def action_read(self) -> None:
        """Read now."""
        self._hurry.set()

    def action_describe(self) -> None:
        """Its description."""
        row = self.chosen
        if row is not None:
            show_description(self.main, row.kind, row.name)

    def action_logs(self, ask: bool) -> None:
        """The log of one of its pods."""
        self._with_pod(lambda pod: show_logs(self.main, pod), ask=ask)

    def action_shell(self) -> None:
        """A shell in one of its pods."""
        self._with_pod(lambda pod: open_shell(self.main, pod))

    def _with_pod(self, then: Callable[[str], object], *, ask: bool = False) -> None:
        row = self.chosen
        if row is not None:
            with_pod_of(self.main, row.kind, row.name, then, ask=ask)

    def action_forward(self) -> None:
        """A port-forward to it."""
        row = self.chosen
        if row is not None and row.kind == "deployment":
            new_forward(self.main, f"deployment/{row.name}")
        else:
            self._with_pod(lambda pod: new_forward(self.main, pod))

    def action_pods(self) -> None:
        """The pods instead of the workloads."""
        from cockpit.tui.screens.pods_closer import CloserPodsScreen

        self.app.switch_screen(CloserPodsScreen(self.main))
