"""Whether SQLite found no room; apart from the rest, because a glance at a journal must load little."""

from __future__ import annotations

import sqlite3

_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def no_room(error: sqlite3.Error) -> bool:
    """Whether a file beside the journal could not be made or filled."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM
