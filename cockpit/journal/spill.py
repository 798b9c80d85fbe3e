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

    def add(self, events: Sequence[Event], last: int, tip: bytes) -> tuple[tuple[Event, ...], int, bytes]:
        """Number and keep the events after row `last`; returns them, the new last number and the new tip."""
        numbered, lines = [], []
        for seq, event in enumerate(events, last + 1):
            whole = event.model_copy(update={"seq": seq})
            body = whole.model_dump_json().encode()
            tip = link(tip, body)
            self.rows.append((whole, tip))
            numbered.append(whole)
            lines.append(json.dumps({"hash": tip.hex(), "body": body.decode()}) + "\n")
        self._write("".join(lines).encode())
        return tuple(numbered), last + len(numbered), tip

    def load(self, last: int, tip: bytes) -> tuple[int, bytes]:
        """Take up the rows that an earlier engine left; returns the last number and tip with them.

        Rows that the journal has already are passed over, a half-written last line is dropped; raises JournalDamaged
        when the others do not follow the journal's last row.
        """
        if self.path is None or not self.path.exists():
            return last, tip
        from cockpit.model.events import EVENT

        for line in self.path.read_bytes().split(b"\n"):
            try:
                row = json.loads(line)
                body, digest = str(row["body"]).encode(), bytes.fromhex(row["hash"])
            except (ValueError, KeyError, TypeError):
                continue
            event = EVENT.validate_json(body)
            if event.seq <= last:
                continue
            if event.seq != last + 1 or link(tip, body) != digest:
                raise JournalDamaged(
                    f"{self.path} does not follow the journal's last row",
                    "Keep both files as evidence; move this one away to go on without it.",
                )
            self.rows.append((event, digest))
            last, tip = event.seq, digest
        return last, tip

    def clear(self) -> None:
        """The rows are in the journal: forget them here."""
        self.rows.clear()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink()

    def _write(self, data: bytes) -> None:
        """A place that fails too leaves the rows in memory alone: the rollback goes on."""
        if self.path is None:
            return
        with suppress(OSError, JournalError):
            if self._descriptor is None:
                self._descriptor = private_file(self.path, os.O_WRONLY | os.O_APPEND)
            os.write(self._descriptor, data)
            os.fsync(self._descriptor)


def spill_place(journal: Path, environ: Mapping[str, str]) -> Path | None:
    """A file for the rows on another file system than the journal's; None when there is none to be had.

    One that an earlier engine left comes first: it may have had other directories to choose from.
    """
    home, name = _device(journal.parent), spill_name(journal)
    others = [found for found in spill_directories(environ) if _device(found.parent) not in (None, home)]
    for directory in sorted(others, key=lambda other: not (other / name).exists()):
        with suppress(JournalError):
            return check_private(private_directory(directory)) / name
    return None


def spill_name(journal: Path) -> str:
    """The name of a journal's spill, which is that of its run."""
    return f"{journal.parent.name}.spill.jsonl"


def spill_directories(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The directories in which a spill may be, the first choice first."""
    shared = (Path(root) / f"cockpit-{os.geteuid()}" for root in ("/dev/shm", "/var/tmp", "/tmp"))
    runtime = environ.get("XDG_RUNTIME_DIR")
    return (*([Path(runtime) / "cockpit"] if runtime else ()), *shared)


def _device(path: Path) -> int | None:
    try:
        return path.stat().st_dev
    except OSError:
        return None
