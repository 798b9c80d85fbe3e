"""The reference lists with the runbook's commands ready to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from cockpit.tui.programs import Program, run_program
from cockpit.tui.screens.main import CommanderScreen
from cockpit.tui.screens.reference import ReferenceScreen, rows
from widgets.lines import Line, Tone
from widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from cockpit.model.snapshot import ReferenceEntry


class RunnableReferenceScreen(ReferenceScreen):
    """↑↓ go from command to command; Enter runs the chosen one, or first brings it in sight."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑↓", "choose a command"), ("Enter", "run it"), ("PgUp PgDn", "scroll")
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Up", show=False, priority=True),
        Binding("down,j", "choose(1)", "Down", show=False, priority=True),
        Binding("enter", "run", "Run", show=False),
    ]
    main: CommanderScreen

    def __init__(self, main: CommanderScreen) -> None:
        super().__init__(main)
        self.chosen = 0
        self._places: list[int] = []

    @property
    def runnable(self) -> tuple[ReferenceEntry, ...]:
        """The commands that can be run."""
        commands = self.reference.commands if self.reference else ()
        return tuple(entry for entry in commands if entry.argv)

    def rewrite(self) -> None:
        """Make the text, and find where the commands are in it."""
        super().rewrite()
        lines = self.query_one(VirtualTable).rows
        self._places = [place for place, line in enumerate(lines) if line and line[0][0] in ("▶ ", "▷ ")]

    def entry_rows(self, name: str, entry: ReferenceEntry, width: int) -> list[Line]:
        """A command has a mark in front: the chosen one another than the rest."""
        if name != "commands" or not entry.argv:
            return super().entry_rows(name, entry, width)
        chosen = self.runnable.index(entry) == self.chosen
        first, *rest = rows(entry, width)
        title, *detail = first
        head: Line = (
            ("▶ " if chosen else "▷ ", Tone.KEY if chosen else Tone.QUIET),
            (title[0][2:], Tone.SELECTED if chosen else Tone.STRONG),
            *detail,
        )
        note: Line = (("  takes the terminal", Tone.QUIET),) if entry.interactive else ()
        return [(*head, *note), *rest]

    def action_choose(self, by: int) -> None:
        """The next command, brought in sight."""
        if not self._places:
            return
        if self._in_sight():
            self.chosen = min(max(0, self.chosen + by), len(self._places) - 1)
        self.rewrite()
        self._show()

    def action_run(self) -> None:
        """Run the chosen command; one that is out of sight is shown first."""
        if not self._places:
            return
        if not self._in_sight():
            self._show()
            return
        entry = self.runnable[self.chosen]
        run_program(self.main, Program(entry.title, entry.argv, entry.interactive))

    def _place(self) -> int:
        return self._places[min(self.chosen, len(self._places) - 1)]

    def _in_sight(self) -> bool:
        table = self.query_one(VirtualTable)
        return 0 <= self._place() - table.scroll_offset.y < table.size.height

    def _show(self) -> None:
        table = self.query_one(VirtualTable)
        if not self._in_sight():
            top = max(0, self._place() - table.size.height // 2)
            table.scroll_to(y=top, animate=False, immediate=True, force=True)
