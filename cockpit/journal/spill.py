"""A second place for the record while the journal's own disk refuses it.

Safety before audit: without a writable journal nothing goes forward, and a rollback goes on, recorded here. The rows
go on with the journal's numbers and hash chain, so that they can be moved into it when the disk is well again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import JournalDamaged, JournalError
from cockpit.journal.chain import link
from cockpit.journal.filesystem import check_private, private_directory, private_file

if TYPE_CHECKING:
    from cockpit.model.events import Event


class Spill:
    """Rows that the journal could not take: in memory, and in a file where there is a place for one."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[tuple[Event, bytes]] = []
        self._descriptor: int | None = None
        self._stored = 0
        """So many of the rows are in the file, whole, which is then `_size` bytes long."""
        self._size = 0

    def add(self, events: Sequence[Event], last: int, tip: bytes) -> tuple[tuple[Event, ...], int, bytes]:
        """Number and keep the events after row `last`; returns them, the new last number and the new tip."""
        numbered = []
        for seq, event in enumerate(events, last + 1):
            whole = event.model_copy(update={"seq": seq})
            tip = link(tip, whole.model_dump_json().encode())
            self.rows.append((whole, tip))
            numbered.append(whole)
        self._write()
        return tuple(numbered), last + len(numbered), tip

    def load(self, last: int, tip: bytes) -> tuple[int, bytes]:
        """Take up the rows that an earlier engine left; returns the last number and tip with them.

        Rows that the journal has already are passed over, a half-written last line is dropped; raises JournalDamaged
        when the others do not follow the journal's last row.
        """
        if self.path is None or not self.path.exists():
            return last, tip
        from cockpit.model.events import EVENT

        end = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            end += len(line)
            row = _row(line)
            if row is None:
                continue
            body, digest = row
            event = EVENT.validate_json(body)
            if event.seq > last:
                if event.seq != last + 1 or link(tip, body) != digest:
                    raise JournalDamaged(
                        f"{self.path} does not follow the journal's last row",
                        "Keep both files as evidence; move this one away to go on without it.",
                    )
                self.rows.append((event, digest))
                last, tip = event.seq, digest
            self._size = end
        self._stored = len(self.rows)
        return last, tip

    def clear(self) -> None:
        """The rows are in the journal: forget them here."""
        self.rows.clear()
        self._begin_anew()
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink()

    def _write(self) -> None:
        """A place that fails too leaves the rows in memory alone, for the next try: the rollback goes on."""
        if self.path is None:
            return
        with suppress(OSError, JournalError):
            descriptor = self._open(self.path)
            # What an earlier try or an engine that was killed left of a line.
            os.ftruncate(descriptor, self._size)
            data = "".join(_line(event, digest) for event, digest in self.rows[self._stored :]).encode()
            if os.write(descriptor, data) == len(data):
                os.fsync(descriptor)
                self._stored, self._size = len(self.rows), self._size + len(data)

    def _open(self, path: Path) -> int:
        """The file; one that a cleaner or the end of a login removed is begun anew with all rows."""
        if self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0:
            self._begin_anew()
        if self._descriptor is None:
            self._descriptor = private_file(path, os.O_WRONLY | os.O_APPEND)
            self._size = min(self._size, os.fstat(self._descriptor).st_size)
        return self._descriptor

    def _begin_anew(self) -> None:
        self._stored = self._size = 0
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _line(event: Event, digest: bytes) -> str:
    return json.dumps({"hash": digest.hex(), "body": event.model_dump_json()}) + "\n"


def _row(line: bytes) -> tuple[bytes, bytes] | None:
    """The row's text and hash, None for half a line."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
        return str(row["body"]).encode(), bytes.fromhex(row["hash"])
    except (ValueError, KeyError, TypeError):
        return None


def spill_place(journal: Path, environ: Mapping[str, str]) -> Path:
    """A file for the rows on another file system than the journal's, beside the journal when there is none to be had.

    One that an earlier engine left comes first: it may have had other directories to choose from.
    """
    home, name = _device(journal.parent), spill_name(journal)
    others = [found for found in spill_directories(environ) if _device(found.parent) not in (None, home)]
    for directory in sorted(others, key=lambda other: not (other / name).exists()):
        with suppress(JournalError):
            return check_private(private_directory(directory)) / name
    return journal.with_name(name)


def spills_of(journal: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The spills of a journal that lie about."""
    places = (*spill_directories(environ), journal.parent)
    return tuple(path for place in places if (path := place / spill_name(journal)).exists())


def spill_name(journal: Path) -> str:
    """The name of a journal's spill, which is that of its run."""
    return f"{journal.parent.name}.spill.jsonl"


def spill_directories(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The directories in which a spill may be, the first choice first.

    logind empties the last ones when the last session of a user ends. An engine that another login starts again has
    another environment, and looks in the same places.
    """
    user = os.geteuid()
    shared = (Path(root) / f"cockpit-{user}" for root in ("/var/tmp", "/tmp", "/dev/shm"))
    runtime = (environ.get("XDG_RUNTIME_DIR"), f"/run/user/{user}")
    return tuple(dict.fromkeys((*shared, *(Path(root) / "cockpit" for root in runtime if root))))


def _device(path: Path) -> int | None:
    try:
        return path.stat().st_dev
    except OSError:
        return None
