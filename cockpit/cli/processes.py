"""The hidden commands that the other commands start in the background."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
from pathlib import Path

import click

_DIRECTORY = click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.command()
@_DIRECTORY
def engine(directory: Path) -> None:
    """Be the engine of the run in DIRECTORY until it is closed."""
    from cockpit.cli.compose import run_engine

    _prepare()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run_engine(directory, os.environ))


@click.command()
@_DIRECTORY
def simulator_process(directory: Path) -> None:
    """Be the simulator of the rehearsal in DIRECTORY until its run is closed."""
    from cockpit.cli.simulation import run_simulator

    _prepare()
    asyncio.run(run_simulator(directory))


def _prepare() -> None:
    """Files of its own, no core dumps that hold secrets, no end by a hang-up, and a log without them either."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    # At INFO these write whole URLs, and a webhook's URL is a secret.
    for name in ("httpx", "httpcore", "aiohttp", "aiosmtpd", "mail.log", "kubernetes"):
        logging.getLogger(name).setLevel(logging.WARNING)
