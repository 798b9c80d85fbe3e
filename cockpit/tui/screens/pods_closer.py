"""The pods, one of them chosen: log, description, shell, port-forward."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from cockpit.model.cluster import Pod
from cockpit.tui.closer import new_forward, open_shell, show_description, show_logs
from cockpit.tui.screens.main import CommanderScreen
from cockpit.tui.screens.pods import PodsScreen
from widgets.lines import Line, Tone
from widgets.pods_pane import pod_row
from widgets.virtual_table import VirtualTable


class CloserPodsScreen(PodsScreen):
    """The cursor stays on its pod when the rows change their places."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("l", "logs"), ("d", "describe"), ("s", "shell"), ("f", "forward"), ("/", "filter"), ("Tab", "workloads"),
        ("↑↓", "move"),
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,enter", "logs", "Logs", show=False),
        Binding("d", "describe", "Describe", show=False),
        Binding("s", "shell", "Shell", show=False),
        Binding("f", "forward", "Forward", show=False),
        Binding("tab", "workloads", "Workloads", show=False),
    ]
    CURSOR = True
    main: CommanderScreen

    def __init__(self, main: CommanderScreen) -> None:
        super().__init__(main)
        self.chosen = ""

    def _draw(self, pod: Pod, width: int) -> Line:
        return (("▶ " if pod.name == self.chosen else "  ", Tone.KEY), *pod_row(pod, width - 2, self.now))

    @on(VirtualTable.Moved)
    def remember(self, event: VirtualTable.Moved) -> None:
        """The chosen pod, not the chosen row."""
        table = self.query_one(VirtualTable)
        if event.row < len(table.rows):
            self.chosen = table.rows[event.row].name
            table.refresh()

    def show_rows(self, rows: list[Pod]) -> None:
        """New rows: follow the chosen pod, or choose the first."""
        table = self.query_one(VirtualTable)
        names = [pod.name for pod in rows]
        if self.chosen not in names:
            self.chosen = names[0] if names else ""
        table.set_rows(rows)
        if self.chosen:
            table.follow(names.index(self.chosen))

    def action_logs(self) -> None:
        """Its log."""
        if self.chosen:
            show_logs(self.main, self.chosen)

    def action_describe(self) -> None:
        """Its description."""
        if self.chosen:
            show_description(self.main, "pod", self.chosen)

    def action_shell(self) -> None:
        """A shell in it."""
        if self.chosen:
            open_shell(self.main, self.chosen)

    def action_forward(self) -> None:
        """A port-forward to it."""
        if self.chosen:
            new_forward(self.main, self.chosen)

    def action_workloads(self) -> None:
        """The workloads instead of the pods."""
        from cockpit.tui.screens.workloads import WorkloadsScreen

        self.app.switch_screen(WorkloadsScreen(self.main))
