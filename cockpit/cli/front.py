"""Opens a front end for a run: the screen in a terminal, lines without one."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from cockpit.cli.spawn import engine_answers
from cockpit.errors import UsageError
from cockpit.journal.filesystem import check_private, private_directory
from cockpit.link.paths import RunPaths, cockpit_home
from cockpit.model.status import RunStatus

if TYPE_CHECKING:
    from cockpit.link.feed import Connection
    from cockpit.tui.looking import LookSettings

EXIT_CODES = {RunStatus.COMPLETED: 0, RunStatus.ROLLED_BACK: 3, RunStatus.ROLLBACK_FAILED: 4}
_FAILED = 1


def in_terminal() -> bool:
    """Whether a full-screen program can run here."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def follow(paths: RunPaths, *, as_json: bool, abandon: bool = False) -> int:
    """Print the run's events until it is closed, and close it when it is over; returns the exit code.

    A run that waits for a person is closed where it stands with `abandon`, else left to wait.
    """
    from cockpit.headless import report
    from cockpit.link.client import SocketConnection

    connection = SocketConnection(paths.sockets().control)
    try:
        status = asyncio.run(report(connection, sys.stdout, as_json=as_json, abandon=abandon))
    except KeyboardInterrupt:
        click.echo(f"The run goes on: cockpit attach {paths.run}", err=True)
        raise
    if status is RunStatus.RUNNING and not abandon:
        click.echo(f"The run is on hold and waits for a person: cockpit attach {paths.run}", err=True)
    return EXIT_CODES.get(status, _FAILED)


def open_screen(paths: RunPaths, *, observer: bool = False, notice: str = "") -> int:
    """Show the run full-screen until the person leaves, with a first notice; returns the exit code."""
    if not in_terminal():
        raise UsageError("This needs a terminal.", f"Without one: cockpit status {paths.run}")
    from cockpit.tui.app import CockpitApp

    crashes = private_directory(check_private(private_directory(cockpit_home(os.environ))) / "crashes")
    app = CockpitApp(
        partial(_connection, paths, observer),
        observer=observer,
        crash_directory=crashes,
        look=None if observer else partial(_look, paths),
        notice=notice,
    )
    result = app.run()
    code = result if isinstance(result, int) else app.return_code or 0
    if not observer and engine_answers(paths):
        click.echo(f"The run goes on without this screen. Back to it: cockpit attach {paths.run}", err=True)
    return code


def _connection(paths: RunPaths, observer: bool) -> Connection:
    # Here and below: after the first frame, because of the models that are behind it.
    from cockpit.link.client import SocketConnection

    sockets = paths.sockets()
    return SocketConnection(sockets.watch if observer else sockets.control, observer=observer, seat=not observer)


def _look(paths: RunPaths) -> LookSettings:
    from cockpit.cli.look import look_settings

    return look_settings(paths)
