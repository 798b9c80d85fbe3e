"""Private directories for key material, which a killed process cannot leave behind for long.

A directory is locked while its process lives; the kernel releases the lock in whatever way the process ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "cockpit-kube-"
_MEMORY = Path("/dev/shm")
_ENOUGH = 1_000_000
"""Bytes that certificates and keys may need."""
_YOUNG = 60.0
"""Seconds: a directory this young may not be locked yet."""


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory of mode 0700 that is removed at the end, by us or by a later `sweep`."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=os.environ.get("XDG_RUNTIME_DIR") or _with_room()))
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _with_room() -> str:
    """The temporary directory, or memory when its disk is full: an engine must start then, too."""
    usual = tempfile.gettempdir()
    full = shutil.disk_usage(usual).free < _ENOUGH
    return str(_MEMORY) if full and os.access(_MEMORY, os.W_OK) else usual


def abandoned() -> tuple[Path, ...]:
    """The directories of this user whose process is dead, in every place where they are made."""
    places = {Path(place) for place in (tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR"), _MEMORY) if place}
    found = []
    for place in sorted(places):
        with suppress(OSError):
            found += [path for path in place.glob(f"{PREFIX}*") if _is_abandoned(path)]
    return tuple(found)


def sweep() -> int:
    """Remove what killed processes left; returns how many directories that were."""
    left = abandoned()
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _is_abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or time.time() - found.st_ctime < _YOUNG:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
