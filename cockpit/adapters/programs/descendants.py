"""Processes that a program started, found by the variables that it passes on, wherever they have gone.

A child that begins a session of its own leaves the process group; its environment still tells where it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MARKS = ("COCKPIT_RUN", "COCKPIT_ACTION")


def descendants(environ: Mapping[str, str]) -> list[int]:
    """The living processes whose environment has the same marks; none without all marks, or without /proc."""
    if not all(environ.get(name) for name in MARKS):
        return []
    wanted = {os.fsencode(f"{name}={environ[name]}") for name in MARKS}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted <= set((entry / "environ").read_bytes().split(b"\0")):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]
