"""Which run a command is about."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cockpit.errors import UsageError
from cockpit.link.paths import RunPaths, all_runs, cockpit_home, find_run


def choose(run: str | None, *, living: bool = True) -> RunPaths:
    """The run with this id; without one, the only run whose engine lives, or (not `living`) that is not closed.

    Raises UsageError when there is no such run, or more than one.
    """
    home = cockpit_home(os.environ)
    if run is not None:
        return find_run(home, run)
    runs = tuple(all_runs(home))
    live = [paths for paths in runs if paths.engine_pid is not None]
    if not live and not living:
        return _only([paths for paths in runs if not paths.closed.exists()], "unfinished")
    return _only(live, "live")


def _only(runs: Sequence[RunPaths], what: str) -> RunPaths:
    if not runs:
        raise UsageError(f"No run is {what}.", "Start one: cockpit demo. Name one: cockpit runs lists them.")
    if len(runs) > 1:
        raise UsageError(f"{len(runs)} runs are {what}.", f"Name one: {', '.join(paths.run for paths in runs)}")
    return runs[0]
