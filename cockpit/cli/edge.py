"""The outermost edge of the program: errors in words, exit codes, and a crash file for what nobody foresaw."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from cockpit.cli.commands import cockpit
from cockpit.errors import CockpitError, RunbookInvalid, without_values

INTERRUPTED = 130
_FAILED = 1


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line and return its exit code; nothing is raised."""
    try:
        result = cockpit.main(args=list(arguments), prog_name="cockpit", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left; Python would complain once more while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except CockpitError as error:
        click.echo(in_words(error), err=True)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the edge of the process
        click.echo(_crashed(error), err=True)
        return _FAILED


def in_words(error: CockpitError) -> str:
    """An error as a person reads it: the title, what happened, what to do."""
    lines = [f"{error.title}: {error}"]
    if isinstance(error, RunbookInvalid):
        lines = [f"{error.title}:", *(f"  {line}" for line in str(error).splitlines())]
    if error.hint:
        lines.append(f"→ {error.hint}")
    return "\n".join(lines)


def _crashed(error: Exception) -> str:
    summary = f"cockpit failed in a way that nobody foresaw ({type(error).__name__}). A running engine is not affected."
    try:
        path = _write_crash(error)
    except (OSError, CockpitError):
        return summary
    return f"{summary}\n→ Please report {path}; it holds no values of variables."


def _write_crash(error: Exception) -> Path:
    from cockpit.journal.filesystem import private_directory
    from cockpit.link.paths import cockpit_home, write_private

    name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
    path = private_directory(cockpit_home(os.environ) / "crashes") / name
    write_private(path, without_values(error))
    return path
