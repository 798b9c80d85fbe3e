"""The hidden commands that the other commands start in the background."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path

import click

_DIRECTORY = click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.command()
@_DIRECTORY
def engine(directory: Path) -> None:
    """Be the engine of the run in DIRECTORY until it is closed."""
    from cockpit.cli.compose import run_engine
    from cockpit.link.paths import RunPaths

    _prepare(RunPaths(directory).log)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run_engine(directory, os.environ))


@click.command()
@_DIRECTORY
def simulator_process(directory: Path) -> None:
    """Be the simulator of the rehearsal in DIRECTORY until its run is closed."""
    from cockpit.cli.simulation import run_simulator

    _prepare(directory / "simulator.log")
    asyncio.run(run_simulator(directory))


def _prepare(log: Path) -> None:
    """No end by a hang-up, a log that stays small, and nothing left of processes that were killed."""
    from cockpit.adapters.kubernetes.scratch import sweep
    from cockpit.cli.logfile import log_to

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log_to(log)
    removed = sweep()
    if removed:
        logging.getLogger(__name__).warning("removed %d scratch directories of processes that were killed", removed)
