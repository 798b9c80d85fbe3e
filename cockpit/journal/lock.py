"""The lock that lets one engine alone write a run's journal."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from cockpit.errors import JournalLocked
from cockpit.journal.filesystem import private_file

LOCK = "lock"
"""The name of the lock file beside the journal."""
_PATIENCE = 2.0
_PAUSE = 0.02


class RunLock:
    """An flock, which the kernel releases when its process ends in whatever way."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, *, shared: bool = False) -> RunLock:
        """Lock `path`, alone or together with other readers; raises JournalLocked when an engine holds it.

        Waits two seconds first, because a reader holds the lock for a moment only. Blocks the calling thread.
        """
        descriptor = private_file(path)
        deadline = time.monotonic() + (0.0 if shared else _PATIENCE)
        while not _try(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                holder = _holder(descriptor)
                os.close(descriptor)
                raise JournalLocked(f"another engine{holder} writes this run's journal", "Attach to it: cockpit attach")
            time.sleep(_PAUSE)
        if not shared:
            _sign(descriptor)
        return cls(descriptor)

    def release(self) -> None:
        """Let others in; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def engine_pid(path: Path) -> int | None:
    """The process that holds the lock at `path`, or None when no engine does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _try(descriptor, fcntl.LOCK_SH):
            return None
        return int(os.pread(descriptor, 20, 0).split(b"\n")[0] or b"0")
    except ValueError:
        return 0
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Say who holds it. A full disk may refuse that, and locks all the same."""
    name = f"{os.getpid()}\n".encode()
    with suppress(OSError):
        # Over what is there, which needs no new block.
        os.pwrite(descriptor, name, 0)
        os.ftruncate(descriptor, len(name))


def _try(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").partition("\n")[0]
    return f" (process {pid})" if pid else ""
