"""What is left when the screen itself fails: a file for the people who repair it, without the values of variables."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from cockpit.errors import without_values
from cockpit.model.text import clean_lines


def write_crash(error: BaseException, directory: Path | None) -> Path | None:
    """Write where it failed (mode 0600) into an existing directory; None when nothing can be written there."""
    if directory is None:
        return None
    path = directory / f"screen-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    text = clean_lines(without_values(error))
    try:
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
