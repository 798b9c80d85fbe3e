"""The journal's file and its spill as one record. All calls block and belong to the journal's own thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cockpit.errors import JournalDamaged, JournalError, JournalLocked
from cockpit.journal.crashpoints import crash_point
from cockpit.journal.database import Database
from cockpit.journal.spill import Spill
from cockpit.model.events import Event


class Record:
    """Rows go to the file; those it refuses go to the spill, and from there into the file when it is well again."""

    def __init__(self, database: Database, spill: Spill) -> None:
        self._database = database
        self._spill = spill
        self.problem = ""

    @property
    def waiting(self) -> int:
        """How many rows are in the spill alone."""
        return len(self._spill.rows)

    def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Number and store the events; raises JournalError when neither place is there for them."""
        for event in events:
            crash_point(f"before-append:{event.type}")
        numbered = self._store(events)
        for event in events:
            crash_point(f"after-append:{event.type}")
        return numbered

    def adopt(self, rows: Sequence[tuple[Event, bytes]]) -> None:
        """Store the rows of another journal as they are; raises JournalError when this one has any."""
        if self._database.last:
            raise JournalError("The journal has rows already", "Rows are taken over into an empty one only.")
        self._database.append_chained(rows)

    def replay(self) -> tuple[Event, ...]:
        """All events in order, those that wait in the spill last; raises JournalDamaged."""
        found = self._database.replay()
        if self._spill.path is not None and not self._spill.rows:
            self._spill.load(self._database.last, self._database.tip)
            if self._spill.rows:
                self.problem = "rows wait to be moved into the journal"
        return (*found, *(event for event, _ in self._spill.rows))

    def read(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events with a seq greater than `since`, oldest first."""
        waiting = tuple(event for event, _ in self._spill.rows if event.seq > since)
        if len(waiting) >= limit:
            return waiting[-limit:]
        return (*self._database.read(since, limit - len(waiting)), *waiting)

    def back_up(self, path: Path) -> None:
        """Write a whole, compact copy to `path`, the rows that wait in the spill at its end; raises JournalError."""
        self._database.back_up(path, self._spill.rows)

    def close(self) -> None:
        """Close the file; rows in the spill stay there for the next engine."""
        self._database.close()

    def _store(self, events: Sequence[Event]) -> tuple[Event, ...]:
        try:
            self._drain()
            numbered = self._database.append(events) if events else ()
        except (JournalLocked, JournalDamaged):
            raise
        except JournalError as error:
            if self._spill.path is None:
                raise
            self.problem = str(error)
            return self._set_aside(events)
        self.problem = ""
        return numbered

    def _drain(self) -> None:
        """Move the rows that wait into the file, in one transaction."""
        if self._spill.rows:
            self._database.append_chained(self._spill.rows)
            self._spill.clear()

    def _set_aside(self, events: Sequence[Event]) -> tuple[Event, ...]:
        rows = self._spill.rows
        last, tip = (rows[-1][0].seq, rows[-1][1]) if rows else (self._database.last, self._database.tip)
        return self._spill.add(events, last, tip)[0]
