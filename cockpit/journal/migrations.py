"""The formats of a journal file, and the way from each to the next.

A row's JSON text is under the hash chain and is never rewritten: fields that came later have defaults. A step changes
what lies around the rows: tables, columns, triggers.
"""

from __future__ import annotations

import sqlite3

BODY = "CAST(body AS BLOB)"
LAST_ROW = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
FIRST = 1
STEPS: tuple[tuple[str, ...], ...] = ()
"""`STEPS[0]` holds the statements from format 1 to 2, and so on. Released steps are final."""


def newest() -> int:
    """The format that this cockpit writes."""
    return FIRST + len(STEPS)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a file of an older format to the newest, inside the caller's transaction."""
    for number, statements in enumerate(STEPS[version - FIRST :], version + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={number}")
