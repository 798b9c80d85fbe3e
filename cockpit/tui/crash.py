"""What is left when the screen itself fails: a file for the people who repair it, without the values of variables."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

from cockpit.model.text import clean_lines


def crash_directory() -> Path:
    """`$COCKPIT_HOME/crashes`, or the same below the user's state directory."""
    home = os.environ.get("COCKPIT_HOME")
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home or Path(state) / "cockpit") / "crashes"


def write_crash(error: BaseException, directory: Path | None = None) -> Path | None:
    """Write the traceback (mode 0600, no local variables); None when nowhere can be written."""
    folder = directory or crash_directory()
    path = folder / f"screen-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    text = clean_lines("".join(traceback.format_exception(error)))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return None
    return path


def last_words(error: BaseException, path: Path | None) -> str:
    """What the terminal shows after a crash."""
    where = f"Details: {path}\n" if path else ""
    return (
        f"The cockpit's screen failed ({type(error).__name__}). The run goes on in its engine.\n"
        f"{where}Attach again: cockpit attach      Go back: cockpit rollback --reason TEXT\n"
    )
