"""The SQLite file of a journal. All calls block and belong to the journal's own thread."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from cockpit.errors import JournalDamaged, JournalError, JournalLocked
from cockpit.journal.chain import GENESIS, link, verify
from cockpit.journal.filesystem import private_file
from cockpit.journal.migrations import BODY, FIRST, LAST_ROW, migrate, newest
from cockpit.journal.room import no_room
from cockpit.model.events import EVENT, Event

APPLICATION = 0x434F434B  # "COCK", so that `file` and other tools can tell

_TABLES = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'rows are final'); END;
CREATE TRIGGER events_last BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'rows are final'); END;
"""
_INSERT = "INSERT INTO events (seq, type, body, hash) VALUES (?, ?, ?, ?)"
# Exclusive locking keeps the WAL's index in memory: no shared memory file that a file system may not support.
_ALONE = "locking_mode=EXCLUSIVE"
_READER_SETTINGS = ("mmap_size=0",)
_WRITER_SETTINGS = (_ALONE, "journal_mode=WAL", "synchronous=FULL", *_READER_SETTINGS)
_EVENTS: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Event, ...])

_MANY = 2_000
_EVIDENCE = "Keep the file as evidence."

_CAUSES = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space; a rollback goes on without the journal."),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "Look at dmesg; a rollback goes on without the journal."),
    sqlite3.SQLITE_READONLY: ("the file system is read-only", "Mount it for writing; look at dmesg."),
    sqlite3.SQLITE_CANTOPEN: ("the file cannot be opened", "Check the directory, its owner and the free space."),
}


class Database:
    """One open journal file and the end of its hash chain."""

    def __init__(self, path: Path, *, writer: bool) -> None:
        """Open `path`; raises JournalError, JournalLocked or JournalDamaged (not a journal, or a newer one)."""
        self._path = path
        if not writer and not path.exists():
            raise JournalError(f"{path} does not exist", "Is this a run's directory?")
        os.close(private_file(path))
        with self._explained():
            try:
                self._connect(writer, _WRITER_SETTINGS if writer else _READER_SETTINGS)
            except sqlite3.OperationalError as error:
                if writer or not no_room(error):
                    raise
                # A full disk has no room for the shared memory by which readers read at the same time.
                self._connect(writer, (_ALONE, *_READER_SETTINGS))
        self.tip = GENESIS
        self.last = 0

    def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Number and store the events in one durable transaction; raises JournalError and then stores none."""
        numbered, rows, tip = [], [], self.tip
        for seq, event in enumerate(events, self.last + 1):
            whole = event.model_copy(update={"seq": seq})
            body = whole.model_dump_json()
            tip = link(tip, body.encode())
            numbered.append(whole)
            rows.append((seq, whole.type, body, tip))
        self._insert(rows)
        self.tip, self.last = tip, self.last + len(rows)
        return tuple(numbered)

    def append_chained(self, rows: Sequence[tuple[Event, bytes]]) -> None:
        """Store events that have their numbers and hashes already; raises JournalError and then stores none."""
        self._insert(_stored(rows))
        if rows:
            self.last, self.tip = rows[-1][0].seq, rows[-1][1]

    def back_up(self, path: Path, more: Sequence[tuple[Event, bytes]] = ()) -> None:
        """Write a whole, compact copy with `more` rows at its end.

        Raises JournalError when `path` exists or cannot be written; then it is not there.
        """
        if path.exists():
            raise JournalError(f"{path} exists already", "Name a file that does not exist.")
        with self._explained():
            reading = self._connection.execute("PRAGMA query_only").fetchone()[0]
            self._connection.execute("PRAGMA query_only=0")
            try:
                self._connection.execute("VACUUM INTO ?", (str(path),))
                path.chmod(0o600)
                with closing(sqlite3.connect(path)) as copy, copy:
                    copy.executemany(_INSERT, _stored(more))
            except sqlite3.Error:
                path.unlink(missing_ok=True)
                raise
            finally:
                self._connection.execute(f"PRAGMA query_only={reading}")

    def _insert(self, rows: Sequence[tuple[int, str, str, bytes]]) -> None:
        with self._explained(), self._transaction():
            self._connection.executemany(_INSERT, rows)

    def replay(self) -> tuple[Event, ...]:
        """All events in order, after the hash chain was checked; raises JournalDamaged."""
        with self._explained():
            found = self._connection.execute(f"SELECT seq, {BODY}, hash FROM events ORDER BY seq").fetchall()
            known = self._connection.execute(LAST_ROW).fetchone()
        self.tip = verify(found, known[0] if known else 0)
        self.last = len(found)
        return _parse([body for _, body, _ in found])

    def read(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events with a seq greater than `since`, oldest first."""
        with self._explained():
            found = self._connection.execute(
                f"SELECT {BODY} FROM events WHERE seq > ? ORDER BY seq DESC LIMIT ?", (since, limit)
            ).fetchall()
        return _parse([body for (body,) in reversed(found)])

    def close(self) -> None:
        """Move the WAL into the file and close it."""
        with self._explained():
            self._connection.close()

    def _connect(self, writer: bool, settings: Sequence[str]) -> None:
        self._connection = sqlite3.connect(self._path, isolation_level=None, timeout=0.0, check_same_thread=False)
        try:
            self._prepare(writer, settings)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, writer: bool, settings: Sequence[str]) -> None:
        execute = self._connection.execute
        for setting in settings:
            execute(f"PRAGMA {setting}")
        version = execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and writer:
            with self._transaction():
                self._create()
        else:
            self._check_format(version)
        if 0 < version < newest():
            self._bring_up(version, writer)
        if not writer:
            self._connection.execute("PRAGMA query_only=1")

    def _check_format(self, version: int) -> None:
        if version < FIRST or self._connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise JournalDamaged(f"{self._path} is not a journal of this cockpit", _EVIDENCE)
        if version > newest():
            raise JournalDamaged(
                f"{self._path} was written by a newer cockpit (format {version}; this one knows {newest()})",
                "Use the cockpit that started the run, or a newer one.",
            )

    def _bring_up(self, version: int, writer: bool) -> None:
        """An older format: a writer keeps a copy of the file and migrates it, a reader migrates a copy in memory."""
        if writer:
            kept = self._path.with_name(f"{self._path.stem}.format-{version}{self._path.suffix}")
            if not kept.exists():
                self._connection.execute("VACUUM INTO ?", (str(kept),))
                kept.chmod(0o600)
        else:
            copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            self._connection.backup(copy)
            self._connection.close()
            self._connection = copy
        with self._transaction():
            migrate(self._connection, version)

    def _create(self) -> None:
        for statement in _TABLES.strip().split(";\n"):
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA application_id={APPLICATION}")
        self._connection.execute(f"PRAGMA user_version={FIRST}")
        migrate(self._connection, FIRST)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from error
        except UnicodeDecodeError as error:
            # SQLite quotes a damaged schema as it lies there.
            raise JournalDamaged(f"{self._path} is not a readable journal: {error.reason}", _EVIDENCE) from error

    def _explain(self, error: sqlite3.Error) -> JournalError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return JournalLocked(f"{self._path} is in use by another process", "Attach to its engine: cockpit attach")
        # The statements are constant: one that does not compile met tables that are not those we made.
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            return JournalDamaged(f"{self._path} is not a readable journal: {error}", _EVIDENCE)
        what, hint = _CAUSES.get(code, (str(error), "Nothing of this call was recorded."))
        return JournalError(f"{self._path} cannot be used: {what}", hint)


def _stored(rows: Sequence[tuple[Event, bytes]]) -> list[tuple[int, str, str, bytes]]:
    return [(event.seq, event.type, event.model_dump_json(), digest) for event, digest in rows]


def _parse(bodies: Sequence[bytes]) -> tuple[Event, ...]:
    try:
        with _no_collection(len(bodies)):
            return _EVENTS.validate_json(b"[" + b",".join(bodies) + b"]")
    except ValidationError:
        return tuple(_parse_one(body) for body in bodies)


@contextmanager
def _no_collection(objects: int) -> Iterator[None]:
    # The cyclic collector walks every new event again and again: four fifths of the time of a long replay.
    if objects < _MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _parse_one(body: bytes) -> Event:
    try:
        return EVENT.validate_json(body)
    except ValidationError as error:
        raise JournalDamaged(
            f"A journal row cannot be understood: {body[:200].decode('utf-8', 'replace')}",
            "It was written by another version of cockpit; use that one.",
        ) from error
