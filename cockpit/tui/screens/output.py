"""The output of a program while it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.adapters.commands import RunningCommand
from cockpit.model.argv import Effect, effect
from cockpit.model.words import duration
from cockpit.tui.programs import Program, cannot_start, directory_of, environment
from cockpit.tui.screens.main import CommanderScreen
from cockpit.tui.screens.stream import StreamScreen
from widgets.lines import Line, Tone
from widgets.log_text import LogLine, Source


class OutputScreen(StreamScreen):
    """Leaving it ends the program, with all its children."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("K", "end it"),
        *StreamScreen.HINTS,
        ("r", "run again"),
        ("S", "save"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("K", "kill", "End", show=False)]

    def __init__(self, main: CommanderScreen, program: Program) -> None:
        super().__init__(main)
        self.program = program
        self.running: RunningCommand | None = None
        self._took = 0.0
        self._exit_code: int | None = None
        self._by_hand = False

    async def batches(self) -> AsyncIterator[Sequence[LogLine]]:
        """Run it and give its lines; raises CockpitError when it cannot be started."""
        environ = await environment(self.main)
        await self.main.note(f"Ran: {self.program.title} – {self.program.words}")
        started, self._by_hand = time.monotonic(), False
        try:
            command = await RunningCommand.start(self.program.argv, environ, directory_of(self.main))
        except OSError as error:
            raise cannot_start(self.program, error) from error
        self.running = command
        try:
            yield [LogLine(f"$ {self.program.words}", "", Source.MARK)]
            async for pieces in command.output():
                yield [LogLine(piece.text, "", Source.ERR if piece.error else Source.OUT) for piece in pieces]
        finally:
            self._took = time.monotonic() - started
            # Also when the screen is left: nothing of the program stays behind.
            await asyncio.shield(command.kill())
            self.running = None
        self._exit_code = command.exit_code
        if effect(self.program.argv) is not Effect.READS:
            await self.main.note(f"Ended: {self.program.title}, {self._how()}")

    def _how(self) -> str:
        by_hand = "ended by hand, " if self._by_hand else ""
        return f"{by_hand}exit code {self._exit_code} after {duration(self._took)}"

    def about(self) -> Line:
        """The command's name."""
        return ((self.program.title, Tone.STRONG),)

    def file_name(self) -> str:
        """The command's name."""
        return f"output-{self.program.title}"

    def last_word(self) -> str:
        """How it ended."""
        return self._how()

    def action_kill(self) -> None:
        """End it."""
        if self.running is not None:
            self._by_hand = True
            self.run_worker(self.running.kill(), group="kill", exit_on_error=False)
