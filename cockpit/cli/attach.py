"""attach and observe: another screen for a run that is there."""

from __future__ import annotations

import click

from cockpit.cli.options import run_argument
from cockpit.errors import EngineUnreachable, UsageError
from cockpit.link.paths import RunPaths


@click.command()
@run_argument
@click.option("--headless", is_flag=True, help="Print events instead of the full screen, until the run is closed.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print headless.")
def attach(run: str | None, headless: bool, output: str) -> int:
    """Command a run. Its engine is started again if it died, and takes up the run where the journal ends."""
    from cockpit.cli.front import follow, in_terminal, open_screen
    from cockpit.cli.resolve import choose

    paths = choose(run, living=False)
    found = revive(paths)
    if found:
        click.echo(found, err=True)
    if headless or not in_terminal():
        return follow(paths, as_json=output == "json")
    return open_screen(paths, notice=found)


@click.command()
@run_argument
def observe(run: str | None) -> int:
    """Watch a run, read-only: nothing you press can change it.

    For observers with accounts of their own the commander's COCKPIT_HOME has mode 2750 and the observers' group.
    """
    from cockpit.cli.front import open_screen
    from cockpit.cli.resolve import choose
    from cockpit.cli.spawn import engine_answers

    # Not by its lock, which only the commander's account may open.
    paths = choose(run, living=False)
    if not engine_answers(paths):
        raise EngineUnreachable(
            f"No engine answers for {paths.run}.", f"Its commander starts it: cockpit attach {paths.run}"
        )
    return open_screen(paths, observer=True)


def revive(paths: RunPaths) -> str:
    """Start the engine of a run again when it is dead; returns what it found then, else nothing.

    Raises UsageError when the run is closed, or its context leads to another cluster.
    """
    from cockpit.cli.spawn import comes_up, engine_answers

    _refuse_closed(paths)
    # One that somebody else has just started, or that ends, has the lock and does not answer.
    if engine_answers(paths) or comes_up(paths):
        return ""
    _refuse_closed(paths)
    found = _start_again(paths)
    _refuse_closed(paths)
    return found


def _refuse_closed(paths: RunPaths) -> None:
    if paths.closed.exists():
        raise UsageError(f"{paths.run} is closed.", f"Read it: cockpit status {paths.run}")


def _start_again(paths: RunPaths) -> str:
    from cockpit.cli.pin import refuse_other_cluster, refuse_rebuilt_cluster
    from cockpit.cli.revival import take_up
    from cockpit.cli.settings import load_settings
    from cockpit.cli.spawn import simulator_lives

    settings = load_settings(paths)
    if settings.rehearsal is not None and not simulator_lives(paths):
        raise EngineUnreachable(f"The simulator of {paths.run} is gone, and its world with it.", "Start a new one.")
    refuse_other_cluster(settings)
    refuse_rebuilt_cluster(settings)
    return take_up(paths)
