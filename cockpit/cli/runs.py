"""runs: what was started here, and what still lives."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import click

from cockpit.cli.options import echo_json, output_option, run_argument
from cockpit.errors import CockpitError, UsageError
from cockpit.link.closing import read_closed
from cockpit.link.paths import RunPaths, all_runs, cockpit_home, find_run
from cockpit.model.status import RunStatus


@click.command()
@run_argument
@click.option("--verify", "verifying", is_flag=True, help="Check the journal of RUN, or of every run, row by row.")
@click.option(
    "--backup", nargs=2, type=(str, click.Path(path_type=Path)), metavar="RUN FILE",
    help="Write a checked copy of a run's journal to FILE; the run may live.",
)  # fmt: skip
@output_option
@click.pass_context
def runs(
    context: click.Context, run: str | None, verifying: bool, backup: tuple[str, Path] | None, output: str
) -> None:
    """List the runs, the oldest first, and whether their engines live."""
    if backup is not None:
        _back_up(*backup)
        return
    if verifying:
        context.exit(_verify(run, output))
    if run is not None:
        raise UsageError("A RUN is named only with --verify.", "cockpit status shows one run.")
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


def _back_up(run: str, target: Path) -> None:
    from cockpit.cli.verify import back_up

    found = asyncio.run(back_up(find_run(cockpit_home(os.environ), run), target))
    click.echo(f"{target}: {found.rows} rows, checked{found.aside}")


def _verify(run: str | None, output: str) -> int:
    """Exit code 1 when a journal is damaged."""
    from cockpit.cli.verify import verify

    home = cockpit_home(os.environ)
    chosen = [find_run(home, run)] if run is not None else list(all_runs(home))
    found = [asyncio.run(verify(paths)) for paths in chosen]
    if output == "json":
        echo_json([{"run": each.run, "ok": each.ok, "rows": each.rows, "problem": each.problem} for each in found])
    width = max((len(each.run) for each in found), default=0)
    for each in found if output == "text" else ():
        click.echo(each.line(width))
    return 0 if all(each.ok for each in found) else 1


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
    closed = read_closed(paths)
    if closed is not None:
        return closed
    try:
        return (_of_the_living(paths) if pid is not None else _of_the_dead(paths)).value
    except CockpitError:
        return "unknown"


def _of_the_living(paths: RunPaths) -> RunStatus:
    from cockpit.link.once import fetch_snapshot

    return asyncio.run(fetch_snapshot(paths.sockets().watch)).header.status


def _of_the_dead(paths: RunPaths) -> RunStatus:
    from cockpit.journal.glance import glance

    seen = glance(paths.journal, os.environ)
    if seen is not None:
        return seen
    from cockpit.cli.status import read_state

    return asyncio.run(read_state(paths)).status
