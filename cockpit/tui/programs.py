"""Runs programs for the commander: the runbook's own commands, and shells."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual.app import SuspendNotSupported

from cockpit.errors import NotFound, UsageError
from cockpit.model.argv import Effect, effect, leaves_simulator
from cockpit.model.text import clean
from cockpit.model.words import Importance, duration
from cockpit.tui.closer import lens_of, work

if TYPE_CHECKING:
    from cockpit.model.events import Event
    from cockpit.tui.aside import Ended
    from cockpit.tui.screens.main import CommanderScreen

TERMINAL_NAMES = ("TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE")


class Program(NamedTuple):
    """What to run; `interactive` ones need the terminal for themselves, `of_run` ones name this run's own cluster."""

    title: str
    argv: tuple[str, ...]
    interactive: bool = False
    of_run: bool = False

    @property
    def words(self) -> str:
        """The command as one would type it."""
        return clean(shlex.join(self.argv))


def run_program(main: CommanderScreen, program: Program) -> None:
    """Run a command of the runbook; ask first unless it is known to only read."""
    if program.interactive:
        ask_aside(main, program)
    elif effect(program.argv) is Effect.READS and not outside_rehearsal(main, program):
        show_output(main, program)
    else:
        from cockpit.tui.dialogs.program import ProgramDialog

        def asked(yes: bool | None) -> None:
            if yes:
                show_output(main, program)

        main.app.push_screen(ProgramDialog(main, program), asked)


def show_output(main: CommanderScreen, program: Program) -> None:
    """Run it and show what it writes."""
    from cockpit.tui.screens.output import OutputScreen

    main.open(OutputScreen(main, program))


def ask_aside(main: CommanderScreen, program: Program) -> None:
    """Say that the cockpit is out of sight meanwhile; then lend the terminal."""
    from cockpit.tui.dialogs.program import AsideDialog

    def asked(yes: bool | None) -> None:
        if yes:
            work(main, _aside(main, program))

    main.app.push_screen(AsideDialog(main, program), asked)


async def _aside(main: CommanderScreen, program: Program) -> None:
    from cockpit.tui.app import CockpitApp
    from cockpit.tui.aside import run_aside

    app = main.app
    assert isinstance(app, CockpitApp)
    environ = await environment(main, terminal=True)
    await main.note(f"Opened: {program.title} – {program.words}")
    last = main.rows[-1].seq if main.rows else 0
    try:
        ended = await run_aside(app, program.title, program.argv, environ, directory_of(main))
    except SuspendNotSupported as error:
        raise UsageError("This screen has no terminal to lend.", f"In another one: {program.words}") from error
    except OSError as error:
        raise cannot_start(program, error) from error
    await main.note(f"Closed: {program.title}, exit code {ended.code} after {duration(ended.took_s)}")
    welcome_back(main, program, ended, last)


def welcome_back(main: CommanderScreen, program: Program, ended: Ended, last: int) -> None:
    """Say what happened while the screen was away: alarms in a dialog, the rest in passing."""
    from cockpit.model.describe import importance

    rows: tuple[Event, ...] = tuple(row for row in main.rows if row.seq > last and row.type != "note")
    rank = (Importance.WARNING, Importance.BAD)
    if ended.alarms or any(importance(row) in rank for row in rows):
        from cockpit.tui.dialogs.away import AwayDialog

        main.app.push_screen(AwayDialog(main, program.title, ended, rows))
    else:
        news = f"{len(rows)} new journal rows, no alarm" if rows else "nothing happened meanwhile"
        main.notify(f"Back after {duration(ended.took_s)}: {news}.", title=program.title, timeout=6)


async def environment(main: CommanderScreen, *, terminal: bool = False) -> dict[str, str]:
    """The environment of a command; raises CockpitError."""
    passed = dict((await lens_of(main)).environment())
    if terminal:
        passed = {name: os.environ[name] for name in TERMINAL_NAMES if name in os.environ} | passed
    return passed


def directory_of(main: CommanderScreen) -> Path | None:
    """Where the runbook is, when that still exists."""
    directory = main.looking.settings.directory if main.looking else None
    return directory if directory is not None and directory.is_dir() else None


def outside_rehearsal(main: CommanderScreen, program: Program) -> bool:
    """Whether the run is a rehearsal and the program would leave it."""
    rehearsal = main.looking is not None and main.looking.settings.rehearsal
    return rehearsal and not program.of_run and leaves_simulator(program.argv)


def cannot_start(program: Program, error: OSError) -> NotFound:
    """Why a program does not start, for a person."""
    return NotFound(
        f"{clean(program.argv[0])} cannot be started: {error.strerror or error}", "Is it installed and on the PATH?"
    )
