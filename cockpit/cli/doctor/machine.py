"""The machine: versions, programs, the disk and the limits of a process."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from cockpit import __version__
from cockpit.cli.preflight.finding import Note, fail, ok, warning
from cockpit.errors import CockpitError
from cockpit.journal.filesystem import check_private, file_system_magic, mount_type, network_kind

MIB = 1024 * 1024
LITTLE_SPACE = 64 * MIB
"""Below this no run should start; a run's journal, logs and sheet need a few MiB."""
SOME_SPACE = 512 * MIB
FEW_FILES = 256
SOME_FILES = 1024
WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))
"""First and last version of SQLite in which a checkpoint of one connection can corrupt a WAL that another one writes.

Source: https://sqlite.org/wal.html#walresetbug
"""


def versions() -> Iterator[Note]:
    """Ours and those of what a run stands on."""
    yield ok(__version__, "cockpit")
    yield ok(f"{platform.python_version()} on {platform.system()} {platform.release()}", "Python")
    for name in ("textual", "kubernetes"):
        try:
            yield ok(importlib.metadata.version(name), name)
        except importlib.metadata.PackageNotFoundError:
            yield fail("not installed", "Install cockpit again.", name)
    yield sqlite_note(sqlite3.sqlite_version_info)


def sqlite_note(version: tuple[int, ...]) -> Note:
    """Whether this SQLite has the WAL-reset bug, and why that does not matter here."""
    text = ".".join(map(str, version))
    if WAL_RESET_BUG[0] <= version <= WAL_RESET_BUG[1]:
        return warning(
            f"{text} has the WAL-reset bug (3.7.0 to 3.51.2). It needs two connections that write and checkpoint at the"
            " same time; a journal has one, in the engine, with an exclusive lock, so it is not met",
            "Do not open a journal.db with other programs while its engine runs; copy it afterwards.",
            "SQLite",
        )
    return ok(text, "SQLite")


def programs(environ: Mapping[str, str]) -> Iterator[Note]:
    """Programs that a person needs beside us."""
    kubectl = shutil.which("kubectl", path=environ.get("PATH"))
    if kubectl:
        yield ok(kubectl, "kubectl")
    else:
        yield warning(
            "not in PATH: a run does not need it, the break-glass sheet does", "Install kubectl on this machine.",
            "kubectl",
        )  # fmt: skip


def disk(home: Path) -> Iterator[Note]:
    """The file system of the home and its free space."""
    there = _existing(home)
    try:
        mounted = mount_type(there)
        network = network_kind(file_system_magic(there), mounted)
    except CockpitError as error:
        yield fail(str(error), error.hint, "file system")
        return
    if network:
        yield fail(
            f"{home} is on a network file system ({network}), where a journal is not safe",
            f"Set COCKPIT_HOME to a local directory, such as /var/tmp/cockpit-{os.geteuid()}.", "file system",
        )  # fmt: skip
    else:
        yield ok(f"{mounted or 'unknown'}, local: {home}", "file system")
    yield space_note(shutil.disk_usage(there).free)


def space_note(free: int) -> Note:
    """Whether the journal has room; `free` is in bytes."""
    text = f"{free / MIB:,.0f} MiB free"
    if free < LITTLE_SPACE:
        return fail(f"{text}: a journal that cannot be written lets nothing go forward", "Free some space.", "disk")
    if free < SOME_SPACE:
        return warning(text, "Free some space before a run.", "disk")
    return ok(text, "disk")


def permissions(home: Path) -> Iterator[Note]:
    """Whether the home and the runs in it are closed to others."""
    if not home.exists():
        yield ok(f"{home} is made by the first run, mode 0700", "permissions")
        return
    for path in (home, home / "runs"):
        if path.exists():
            try:
                check_private(path)
            except CockpitError as error:
                yield fail(str(error), error.hint, "permissions")
                return
    if not os.access(home, os.W_OK | os.X_OK):
        yield fail(f"{home} cannot be written", f"chmod u+rwx {home}", "permissions")
        return
    yield ok(f"{home} is {home.stat().st_mode & 0o7777:04o} and yours", "permissions")


def limits() -> Iterator[Note]:
    """Open files and core dumps."""
    yield files_note(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield ok("off for every process of cockpit, whatever the shell allows", "core dumps")


def files_note(files: int) -> Note:
    """Whether an engine with its connections and fifty observers fits into this many open files."""
    unlimited = files == resource.RLIM_INFINITY
    if not unlimited and files < FEW_FILES:
        return fail(f"{files} at most", f"ulimit -n {SOME_FILES}", "open files")
    if not unlimited and files < SOME_FILES:
        return warning(f"{files} at most", f"ulimit -n {SOME_FILES}", "open files")
    return ok("unlimited" if unlimited else f"{files} at most", "open files")


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
