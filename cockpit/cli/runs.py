"""runs: what was started here, and what still lives."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import click

from cockpit.cli.options import echo_json, output_option
from cockpit.cli.settings import read_closed
from cockpit.errors import CockpitError
from cockpit.link.paths import RunPaths, all_runs, cockpit_home


@click.command()
@output_option
def runs(output: str) -> None:
    """List the runs, the oldest first, and whether their engines live."""
    found = [_row(paths) for paths in all_runs(cockpit_home(os.environ))]
    if output == "json":
        echo_json(found)
        return
    if not found:
        click.echo("No runs yet. Start one: cockpit demo")
        return
    width = max(len(row["run"]) for row in found)
    for row in found:
        pid = row["engine"]["pid"]
        engine = f"engine {pid}" if row["engine"]["alive"] else ("closed" if row["closed"] else "engine not running")
        click.echo(f"{row['run']:<{width}}  {row['status']:<15}  {engine}")


def _row(paths: RunPaths) -> dict[str, Any]:
    pid = paths.engine_pid
    return {
        "run": paths.run,
        "status": _status(paths, pid),
        "closed": paths.closed.exists(),
        "engine": {"pid": pid, "alive": pid is not None},
        "directory": str(paths.directory),
    }


def _status(paths: RunPaths, pid: int | None) -> str:
    """The status in the last word of a closed run, from the engine, or from the journal of a dead one."""
    from cockpit.cli.status import read_state
    from cockpit.link.once import fetch_snapshot

    closed = read_closed(paths)
    if closed is not None:
        return closed
    try:
        if pid is not None:
            return asyncio.run(fetch_snapshot(paths.sockets().watch)).header.status.value
        return asyncio.run(read_state(paths)).status.value
    except CockpitError:
        return "unknown"
