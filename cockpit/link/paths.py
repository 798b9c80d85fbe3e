"""Where runs are kept, and where their sockets are.

```
$COCKPIT_HOME/runs/<run>/settings.json   what the run was started with
                         runbook.yaml    the pinned copy of the runbook
                         journal.db      the record
                         lock            held by the engine
                         engine.log      what the engine's process printed
                         sockets         the directory of control.sock and watch.sock
                         closed          the run's last word, when it is closed
```
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cockpit.errors import JournalError, UsageError
from cockpit.journal.filesystem import check_private, private_directory, private_file
from cockpit.journal.lock import engine_pid

LONGEST_SOCKET_PATH = 107
_CONTROL = "control.sock"
_WATCH = "watch.sock"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\Z")


@dataclass(frozen=True, slots=True)
class Sockets:
    """The two sockets of a run: `control` for its commander, `watch` for anybody who may read."""

    control: Path
    watch: Path


@dataclass(frozen=True, slots=True)
class RunPaths:
    """The files of one run."""

    directory: Path

    @property
    def run(self) -> str:
        """The run's id."""
        return self.directory.name

    @property
    def settings(self) -> Path:
        """What the run was started with, as JSON."""
        return self.directory / "settings.json"

    @property
    def runbook(self) -> Path:
        """The pinned copy of the runbook."""
        return self.directory / "runbook.yaml"

    @property
    def journal(self) -> Path:
        """The SQLite file that the engine alone opens while it lives."""
        return self.directory / "journal.db"

    @property
    def log(self) -> Path:
        """What the engine's process printed."""
        return self.directory / "engine.log"

    @property
    def closed(self) -> Path:
        """Exists when the run is closed."""
        return self.directory / "closed"

    @property
    def engine_pid(self) -> int | None:
        """The process of the living engine, or None."""
        return engine_pid(self.directory / "lock")

    @property
    def _sockets_file(self) -> Path:
        return self.directory / "sockets"

    def sockets(self) -> Sockets:
        """The sockets of the engine that was started last; those of the run's directory if none ever was."""
        try:
            place = Path(self._sockets_file.read_text("utf-8").strip())
        except OSError:
            place = self.directory
        return Sockets(place / _CONTROL, place / _WATCH)

    def place_sockets(self, environ: Mapping[str, str]) -> Sockets:
        """Choose a private directory for the sockets, note it in the run's directory and return the sockets.

        Raises JournalError when no place is private and short enough.
        """
        place = _socket_directory(self.directory, environ)
        chosen = Sockets(place / _CONTROL, place / _WATCH)
        known = self.sockets()
        if known != chosen or not self._sockets_file.exists():
            try:
                write_private(self._sockets_file, f"{place}\n")
            except JournalError:
                # A full disk takes no new file, and an engine that is started again has the old one.
                if not known.control.parent.is_dir():
                    raise
                return known
        return chosen


def cockpit_home(environ: Mapping[str, str]) -> Path:
    """`$COCKPIT_HOME`, by default `$XDG_STATE_HOME/cockpit` or `~/.local/state/cockpit`; not created here."""
    home = environ.get("COCKPIT_HOME")
    if home:
        return Path(home).absolute()
    state = environ.get("XDG_STATE_HOME")
    return Path(state).absolute() / "cockpit" if state else Path.home() / ".local" / "state" / "cockpit"


def new_run_id(name: str, at: datetime) -> str:
    """A fresh run id such as `moshimoshi-20260108-0755-9f3a`."""
    return f"{name}-{at:%Y%m%d-%H%M}-{secrets.token_hex(2)}"


def create_run(home: Path, run: str) -> RunPaths:
    """Make the private directory of a new run; raises JournalError when it exists or cannot be private."""
    runs = check_private(private_directory(check_private(private_directory(home)) / "runs"))
    directory = runs / run
    if directory.exists():
        raise JournalError(f"{directory} exists already", "Try again.")
    return RunPaths(private_directory(directory))


def find_run(home: Path, run: str) -> RunPaths:
    """The run with this id; raises UsageError when there is none."""
    directory = home / "runs" / run
    if not _RUN_ID.match(run) or not directory.is_dir():
        raise UsageError(f"There is no run {run!r} in {home}.", "List the runs: cockpit runs")
    return RunPaths(directory)


def all_runs(home: Path) -> Iterator[RunPaths]:
    """Every run, the oldest first."""
    runs = home / "runs"
    found = [entry for entry in runs.iterdir() if entry.is_dir()] if runs.is_dir() else []
    yield from (RunPaths(entry) for entry in sorted(found, key=lambda entry: (entry.stat().st_ctime, entry.name)))


def write_private(path: Path, text: str) -> None:
    """Replace a file of mode 0600 as a whole: a reader sees the old text or the new one. Raises JournalError."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(private_file(scratch), "w", encoding="utf-8") as file:
            file.truncate()
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        raise JournalError(f"{path} cannot be written: {error.strerror}", "Check the free space.") from error


def _socket_directory(run: Path, environ: Mapping[str, str]) -> Path:
    # The run's directory comes first: logind removes $XDG_RUNTIME_DIR when the last SSH session of a user ends.
    if _fits(run):
        return run
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and _fits(Path(runtime) / "cockpit" / run.name):
        return check_private(private_directory(Path(runtime) / "cockpit" / run.name))
    shared = check_private(private_directory(Path(tempfile.gettempdir()) / f"cockpit-{os.geteuid()}"))
    short = shared / run.name[-20:]
    if not _fits(short):
        raise JournalError(f"{short} is too long for a socket", "Set COCKPIT_HOME to a shorter path.")
    return check_private(private_directory(short))


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / _CONTROL)) <= LONGEST_SOCKET_PATH
