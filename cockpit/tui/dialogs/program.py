"""Asked before a program runs that may change something, or that takes the terminal."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.argv import Effect, effect
from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.programs import Program, outside_rehearsal
from cockpit.tui.screens.main import CommanderScreen
from widgets.lines import Line, Tone, toned, wrap


class ProgramDialog(Dialog[bool | None]):
    """Says what the program goes past."""

    TITLE = "RUN A COMMAND OF THE RUNBOOK"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "confirm", "Run", show=False)]
    bound = False
    main: CommanderScreen

    def __init__(self, main: CommanderScreen, program: Program) -> None:
        super().__init__(main)
        self.program = program

    @property
    def armed(self) -> bool:
        """A closer look does not need the engine."""
        return True

    def said(self) -> list[Line]:
        """The command, and what it goes past."""
        rows = [(), *toned(wrap(self.program.words, self.wide, 6), Tone.STRONG), (), *self.warnings()]
        return [*rows, ()]

    def warnings(self) -> list[Line]:
        """What the person must know."""
        kind = effect(self.program.argv)
        rows: list[Line] = []
        if kind is Effect.CHANGES:
            rows += toned(
                wrap("▲ It changes something, past the run: no intent, no read-back, no way back.", self.wide),
                Tone.WARN,
            )
        elif kind is Effect.UNKNOWN:
            rows += toned(
                wrap("▲ It may change something, past the run; the cockpit does not know it.", self.wide), Tone.WARN
            )
        if outside_rehearsal(self.main, self.program):
            text = "▲ This is a rehearsal, but the program is not simulated: it reaches what it names, for real."
            rows += toned(wrap(text, self.wide), Tone.BAD)
        return [*rows, (("The journal gets one row: who ran it, and when.", Tone.QUIET),)]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter runs."""
        return (("Enter", "run it"), ("Esc", "cancel"))

    def confirm(self) -> None:
        """Run."""
        self.dismiss(True)


class AsideDialog(ProgramDialog):
    """The terminal is given away: what is on this screen cannot be seen meanwhile."""

    TITLE = "LEND THE TERMINAL"

    def warnings(self) -> list[Line]:
        """What goes on out of sight."""
        text = "▲ The cockpit is out of sight until you leave. The engine goes on: guard, gates, deadlines."
        rows = toned(wrap(text, self.wide), Tone.WARN)
        text = (
            "A new alarm rings the bell and writes one line into the program's screen; nothing can be answered there."
        )
        rows += toned(wrap(text, self.wide), Tone.TEXT)
        if outside_rehearsal(self.main, self.program):
            rows += toned(wrap("▲ This is a rehearsal, but the program is not simulated.", self.wide), Tone.BAD)
        question = self.next.question if self.next else ""
        if question:
            rows += toned(wrap(f"◆ You are asked right now: {question}", self.wide), Tone.BAD)
        return [*rows, (("The journal gets a row when it starts and when it ends.", Tone.QUIET),)]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter lends."""
        return (("Enter", "go there"), ("Esc", "stay"))
