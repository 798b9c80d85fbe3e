"""What runs and dead processes left behind: sockets, engines, simulators, scratch directories, spilled rows."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cockpit.adapters.kubernetes.scratch import abandoned
from cockpit.cli.preflight.finding import Note, fail, ok, warning
from cockpit.cli.spawn import simulator_lives
from cockpit.journal.spill import spill_directories
from cockpit.link.paths import LONGEST_SOCKET_PATH, RunPaths, all_runs

PROCESSES = Path("/proc")
_KINDS = ("engine", "simulator-process")
_SHOWN = 5


class Process(NamedTuple):
    """A process of ours: `kind` is engine or simulator-process, `directory` that of its run."""

    pid: int
    kind: str
    directory: Path


def notes(home: Path, environ: Mapping[str, str]) -> Iterator[Note]:
    """Everything that lies about."""
    runs = tuple(all_runs(home))
    ours = tuple(processes())
    yield _sockets(runs)
    yield from _foreign(runs)
    yield _dead_engines(runs)
    yield _homeless(ours)
    yield _simulators(runs)
    yield _scratch()
    yield _spills(environ)


def processes(root: Path = PROCESSES) -> Iterator[Process]:
    """The engines and simulators of this user, as their command lines (`python -m cockpit engine DIR`) name them."""
    for entry in root.glob("[0-9]*"):
        with suppress(OSError, ValueError):
            words = [os.fsdecode(word) for word in (entry / "cmdline").read_bytes().split(b"\0")]
            if words[1:3] == ["-m", "cockpit"] and words[3] in _KINDS and _user(entry) == os.geteuid():
                yield Process(int(entry.name), words[3], Path(words[4]))


def _user(entry: Path) -> int:
    # Not the owner of the entry: those of processes that cannot be dumped belong to root.
    line = next(line for line in (entry / "status").read_text().splitlines() if line.startswith("Uid:"))
    return int(line.split()[1])


def _sockets(runs: Sequence[RunPaths]) -> Note:
    stale = [paths.run for paths in runs if paths.sockets().control.exists() and paths.engine_pid is None]
    long = [paths.run for paths in runs if len(os.fsencode(paths.sockets().control)) > LONGEST_SOCKET_PATH]
    if long:
        return warning(f"paths longer than 107 bytes: {_list(long)}", "Set COCKPIT_HOME to a shorter path.", "sockets")
    if stale:
        return ok(f"stale, replaced when their engine starts again: {_list(stale)}", "sockets")
    return ok("none stale, all paths short enough", "sockets")


def _foreign(runs: Sequence[RunPaths]) -> Iterator[Note]:
    for paths in runs:
        for path in (paths.sockets().control, paths.sockets().watch):
            with suppress(OSError):
                found = path.lstat()
                if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
                    yield fail(f"{path} is not a socket of yours", "Somebody put it there: find out who.", "sockets")


def _dead_engines(runs: Sequence[RunPaths]) -> Note:
    dead = [paths for paths in runs if not paths.closed.exists() and paths.engine_pid is None]
    real = [paths.run for paths in dead if not (paths.directory / "simulator.lock").exists()]
    if real:
        return warning(f"open, and no engine: {_list(real)}", f"cockpit attach {real[-1]}", "engines")
    if dead:
        names = _list([paths.run for paths in dead])
        return ok(f"{len(dead)} rehearsals were left open: {names}", "engines")
    return ok(f"{len(runs)} runs, each closed or with its engine", "engines")


def _homeless(ours: Sequence[Process]) -> Note:
    lost = [process for process in ours if not process.directory.is_dir()]
    if not lost:
        return ok("none without its run", "processes")
    named = _list([f"{process.kind} {process.pid} ({process.directory})" for process in lost])
    return warning(f"their run's directory is gone: {named}", f"kill {' '.join(str(each.pid) for each in lost)}",
                   "processes")  # fmt: skip


def _simulators(runs: Sequence[RunPaths]) -> Note:
    left = [paths.run for paths in runs if simulator_lives(paths) and paths.engine_pid is None]
    if left:
        return ok(f"without an engine, they end by themselves in ten minutes: {_list(left)}", "simulators")
    return ok("none left behind", "simulators")


def _scratch() -> Note:
    left = abandoned()
    if left:
        return warning(
            f"with credentials of killed processes: {_list([str(path) for path in left])}",
            "The next engine that starts removes them; or now: rm -r them.", "scratch",
        )  # fmt: skip
    return ok("no credentials of killed processes", "scratch")


def _spills(environ: Mapping[str, str]) -> Note:
    left = [str(path) for place in spill_directories(environ) for path in sorted(place.glob("*.spill.jsonl"))]
    if left:
        return warning(
            f"rows that a full disk refused: {_list(left)}",
            "cockpit attach moves them into the journal.",
            "spilled rows",
        )
    return ok("none", "spilled rows")


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[-_SHOWN:]) + more
