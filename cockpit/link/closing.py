"""The last word of a closed run, in a file of its own."""

from __future__ import annotations

import json

from cockpit.link.paths import RunPaths, write_private
from cockpit.model.status import RunStatus


def write_closed(paths: RunPaths, status: RunStatus) -> None:
    """Note the run's last word where every process can see it without opening the journal; raises JournalError."""
    write_private(paths.closed, json.dumps({"status": status.value}) + "\n")


def read_closed(paths: RunPaths) -> str | None:
    """The last word of a closed run, None while it is open."""
    try:
        return str(json.loads(paths.closed.read_bytes())["status"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError):
        return "unknown"
