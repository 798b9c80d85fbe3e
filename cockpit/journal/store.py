"""The append-only record of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cockpit.journal.crashpoints import crash_point
from cockpit.journal.database import Database
from cockpit.journal.filesystem import check_private, private_directory, refuse_network
from cockpit.journal.lock import RunLock
from cockpit.journal.thread import WriterThread
from cockpit.model.events import Event

LOCK = "lock"
"""The name of the lock file beside the journal."""


class Journal:
    """A run's events, durable and chained by hashes. One engine writes; the file is never opened twice in a process."""

    def __init__(self, thread: WriterThread, database: Database, lock: RunLock, replayed: tuple[Event, ...]) -> None:
        self._thread = thread
        self._database: Database | None = database
        self._lock = lock
        self._replayed: tuple[Event, ...] | None = replayed

    @classmethod
    async def open(cls, path: Path, *, writer: bool = True) -> Journal:
        """Open the journal at `path`, and create it for a writer; the hash chain is checked.

        Raises JournalLocked while an engine writes it, JournalDamaged when the chain or the format does not fit, and
        JournalError for a network file system or a place that is not private.
        """
        thread = WriterThread(f"journal {path.parent.name}")
        try:
            database, lock, replayed = await thread.run(lambda: _open(path, writer))
        except BaseException:
            thread.stop()
            raise
        return cls(thread, database, lock, replayed)

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Number the events without a gap and store them in one transaction; durable when this returns.

        Raises JournalError (disk full, input/output error); then none of them is stored.
        """
        if not events:
            return ()
        self._replayed = None
        database = self._open_database
        return await self._thread.run(lambda: _append(database, events))

    async def replay(self) -> tuple[Event, ...]:
        """All events, oldest first; raises JournalDamaged naming the first bad row."""
        first, self._replayed = self._replayed, None
        return first if first is not None else await self._thread.run(self._open_database.replay)

    async def read(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events with a seq greater than `since`, oldest first."""
        database = self._open_database
        return await self._thread.run(lambda: database.read(since, limit))

    async def close(self) -> None:
        """Close the file and let another engine in; may be called twice."""
        database, self._database = self._database, None
        if database is not None:
            try:
                await self._thread.run(database.close)
            finally:
                self._lock.release()
                self._thread.stop()

    @property
    def _open_database(self) -> Database:
        if self._database is None:
            raise RuntimeError("the journal is closed")
        return self._database


def _open(path: Path, writer: bool) -> tuple[Database, RunLock, tuple[Event, ...]]:
    check_private(private_directory(path.parent))
    refuse_network(path.parent)
    lock = RunLock.take(path.with_name(LOCK), shared=not writer)
    try:
        database = Database(path, writer=writer)
        return database, lock, database.replay()
    except BaseException:
        lock.release()
        raise


def _append(database: Database, events: Sequence[Event]) -> tuple[Event, ...]:
    for event in events:
        crash_point(f"before-append:{event.type}")
    numbered = database.append(events)
    for event in events:
        crash_point(f"after-append:{event.type}")
    return numbered
