"""Writes what a screen shows into the run's directory."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import JournalError
from cockpit.journal.filesystem import private_file

if TYPE_CHECKING:
    from cockpit.tui.screens.main import CommanderScreen


async def save_text(main: CommanderScreen, name: str, text: str) -> None:
    """Write a new file of mode 0600 and say where it is, or why it could not be written."""
    looking = main.looking
    if looking is None:
        return
    path = looking.settings.saves / f"{_plain(name)}-{datetime.now(UTC):%Y%m%dT%H%M%S-%f}.txt"
    try:
        await asyncio.to_thread(_write, path, text)
    except (JournalError, OSError) as error:
        main.notify(f"{path}: {error}", title="Not saved", severity="error", timeout=15)
    else:
        main.notify(str(path), title=f"{text.count(chr(10)):,} lines saved", timeout=15)


def _write(path: Path, text: str) -> None:
    with os.fdopen(private_file(path, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
        file.write(text)


def _plain(name: str) -> str:
    """A file name of harmless characters."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:100] or "saved"
