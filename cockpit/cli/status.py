"""status: where a run stands."""

from __future__ import annotations

import asyncio
import os

import click

from cockpit.cli.options import echo_json, output_option, run_argument
from cockpit.cli.status_json import Json, dead_status_json, status_json
from cockpit.cli.status_text import status_text
from cockpit.errors import EngineUnreachable
from cockpit.link.paths import RunPaths
from cockpit.model.clock import RunClock
from cockpit.model.run import RunState


@click.command()
@run_argument
@output_option
def status(run: str | None, output: str) -> None:
    """Print where a run stands, from its engine or, when that is dead, from its journal."""
    from cockpit.cli.resolve import choose

    found = read_status(choose(run, living=False))
    if output == "json":
        echo_json(found)
    else:
        click.echo(status_text(found))


def read_status(paths: RunPaths) -> Json:
    """A run's status; raises JournalError when neither the engine nor the journal can tell."""
    from cockpit.link.once import fetch_snapshot

    try:
        snapshot = asyncio.run(fetch_snapshot(paths.sockets().watch))
    except EngineUnreachable:
        if paths.engine_pid is not None:
            raise
        from cockpit.cli.settings import load_settings

        settings, state = load_settings(paths), asyncio.run(read_state(paths))
        return dead_status_json(paths.run, settings.commander, state, rehearsal=settings.rehearsal is not None)
    header = snapshot.header
    return status_json(snapshot, RunClock(header.real_origin, header.run_origin, header.speed).now())


async def read_state(paths: RunPaths) -> RunState:
    """The state of a run whose engine is dead; raises JournalError, JournalLocked when the engine lives after all."""
    from cockpit.journal.spill import spill_place
    from cockpit.journal.store import Journal
    from cockpit.model.reduce import replay

    journal = await Journal.open(paths.journal, writer=False, spill=spill_place(paths.journal, os.environ))
    try:
        return replay(await journal.replay())
    finally:
        await journal.close()
