"""The append-only record of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cockpit.journal.database import Database
from cockpit.journal.filesystem import check_private, private_directory, refuse_network
from cockpit.journal.lock import LOCK, RunLock
from cockpit.journal.record import Record
from cockpit.journal.spill import Spill
from cockpit.journal.thread import WriterThread
from cockpit.model.events import Event


class Journal:
    """A run's events, durable and chained by hashes. One engine writes; the file is never opened twice in a process.

    `problem` says why rows go to the spill instead of the file for now, and is empty while the file takes them.
    """

    def __init__(self, thread: WriterThread, record: Record, lock: RunLock, replayed: tuple[Event, ...]) -> None:
        self._thread = thread
        self._record: Record | None = record
        self._lock = lock
        self._replayed: tuple[Event, ...] | None = replayed
        self.problem = record.problem

    @classmethod
    async def open(cls, path: Path, *, writer: bool = True, spill: Path | None = None) -> Journal:
        """Open the journal at `path`, and create it for a writer; the hash chain is checked.

        With `spill`, rows that the disk refuses go to that file, and into the journal when it takes them again.

        Raises JournalLocked while an engine writes it, JournalDamaged when the chain or the format does not fit, and
        JournalError for a network file system or a place that is not private.
        """
        thread = WriterThread(f"journal {path.parent.name}")
        try:
            record, lock, replayed = await thread.run(lambda: _open(path, writer, spill))
        except BaseException:
            thread.stop()
            raise
        return cls(thread, record, lock, replayed)

    @property
    def waiting(self) -> int:
        """How many rows are in the spill alone, because the file did not take them."""
        return self._open_record.waiting

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Number the events without a gap and store them in one transaction; durable when this returns.

        Raises JournalError (disk full, input/output error); then none of them is stored. With a spill that is no
        error: `problem` tells. Without events, rows that wait in the spill are tried again.
        """
        record = self._open_record
        if not events and not record.problem:
            return ()
        self._replayed = None
        try:
            return await self._thread.run(lambda: record.append(events))
        finally:
            self.problem = record.problem

    async def adopt(self, rows: Sequence[tuple[Event, bytes]]) -> None:
        """Store the numbered and chained rows of another journal; raises JournalError, and when this one has rows."""
        record = self._open_record
        self._replayed = None
        await self._thread.run(lambda: record.adopt(rows))

    async def replay(self) -> tuple[Event, ...]:
        """All events, oldest first; raises JournalDamaged naming the first bad row."""
        first, self._replayed = self._replayed, None
        return first if first is not None else await self._thread.run(self._open_record.replay)

    async def read(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events with a seq greater than `since`, oldest first."""
        record = self._open_record
        return await self._thread.run(lambda: record.read(since, limit))

    async def back_up(self, path: Path) -> None:
        """Write a whole, compact copy to `path`, which must not exist, with the spill's rows; raises JournalError."""
        record = self._open_record
        await self._thread.run(lambda: record.back_up(path))

    async def close(self) -> None:
        """Close the file and let another engine in; may be called twice."""
        record, self._record = self._record, None
        if record is not None:
            try:
                await self._thread.run(record.close)
            finally:
                self._lock.release()
                self._thread.stop()

    @property
    def _open_record(self) -> Record:
        if self._record is None:
            raise RuntimeError("the journal is closed")
        return self._record


def _open(path: Path, writer: bool, spill: Path | None) -> tuple[Record, RunLock, tuple[Event, ...]]:
    check_private(private_directory(path.parent))
    refuse_network(path.parent)
    lock = RunLock.take(path.with_name(LOCK), shared=not writer)
    try:
        record = Record(Database(path, writer=writer), Spill(spill))
        return record, lock, record.replay()
    except BaseException:
        lock.release()
        raise
