"""The status of a dead engine's run, read from the rows that change it: no row is parsed but the last of those.

The hash chain is checked all the same. It is what a list of many runs needs; the models of the events stay unloaded.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from cockpit.errors import JournalDamaged, JournalError
from cockpit.journal.chain import Row, verify
from cockpit.journal.lock import LOCK, RunLock
from cockpit.journal.migrations import BODY, LAST_ROW, newest
from cockpit.journal.room import no_room
from cockpit.journal.spill import spills_of
from cockpit.model.status import STATUS_EVENTS, RunStatus, status_after


def glance(journal: Path, environ: Mapping[str, str]) -> RunStatus | None:
    """Where the run stands; None when only a whole replay can tell: another format, rows in a spill, a full disk.

    Raises JournalLocked when its engine lives after all, JournalDamaged, and JournalError.
    """
    if spills_of(journal, environ):
        return None
    if not journal.exists():
        raise JournalError(f"{journal} does not exist", "Is this a run's directory?")
    lock = RunLock.take(journal.with_name(LOCK), shared=True)
    try:
        with closing(sqlite3.connect(journal, isolation_level=None, timeout=0.0)) as connection:
            return _read(connection)
    except sqlite3.Error as error:
        if no_room(error):
            return None
        raise JournalError(f"{journal} cannot be read: {error}", "Look at the file.") from error
    except (ValueError, KeyError) as error:
        raise JournalDamaged(f"A row of {journal} cannot be understood.", "Keep the file as evidence.") from error
    finally:
        lock.release()


def _read(connection: sqlite3.Connection) -> RunStatus | None:
    for setting in ("mmap_size=0", "query_only=1"):
        connection.execute(f"PRAGMA {setting}")
    if connection.execute("PRAGMA user_version").fetchone()[0] != newest():
        return None
    known = connection.execute(LAST_ROW).fetchone()
    last: list[tuple[str, bytes]] = []

    def rows() -> Iterator[Row]:
        for seq, kind, body, digest in connection.execute(f"SELECT seq, type, {BODY}, hash FROM events ORDER BY seq"):
            if kind in STATUS_EVENTS:
                last[:] = [(kind, body)]
            yield seq, body, digest

    verify(rows(), known[0] if known else 0)
    return status_after(last[0][0], json.loads(last[0][1])) if last else RunStatus.PREPARING
