"""Packs a journal for the mirror and unpacks it, hash chain and all.

Packed, it is gzip'ed lines: a row's JSON text as it is stored, `{"gap": N, "hash": H}` for N rows that were left out
before the row with the next text (H is the hash of the last of them), and at the end `{"tip": H}`.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from cockpit.errors import JournalDamaged
from cockpit.journal.chain import GENESIS, link
from cockpit.model.events import EVENT, Event, RowDropped

LEAST = frozenset({"metrics.sampled", "action.progressed"})
"""The rows that a run goes on without: they are left out first, the oldest before the others."""


@dataclass(slots=True)
class Packing:
    """The rows of one journal, kept to be packed again and again. `dropped` counts those that had no room."""

    rows: list[tuple[bytes, bytes, bool]]
    tip: bytes = GENESIS
    last: int = 0
    dropped: int = 0

    @classmethod
    def empty(cls) -> Packing:
        """No rows yet."""
        return cls([])

    def add(self, events: Iterable[Event]) -> None:
        """Take up the rows that follow."""
        for event in events:
            body = event.model_dump_json().encode()
            self.tip = link(self.tip, body)
            self.rows.append((body, self.tip, event.type in LEAST))
            self.last = event.seq

    def pack(self, largest: int) -> bytes | None:
        """The packed journal in at most so many bytes; None when that cannot be done."""
        while len(packed := self._packed()) > largest:
            least = [index for index, row in enumerate(self.rows) if row[2] and row[0]]
            if not least:
                return None
            for index in least[: max(1, len(least) // 4)]:
                self.rows[index] = (b"", self.rows[index][1], True)
                self.dropped += 1
        return packed

    def _packed(self) -> bytes:
        lines: list[bytes] = []
        gap, digest = 0, b""
        for body, hashed, _ in self.rows:
            if not body:
                gap, digest = gap + 1, hashed
                continue
            if gap:
                lines.append(_line(gap=gap, hash=digest.hex()))
                gap = 0
            lines.append(body)
        if gap:
            lines.append(_line(gap=gap, hash=digest.hex()))
        return gzip.compress(b"\n".join([*lines, _line(tip=self.tip.hex())]), 6, mtime=0)


def unpack(packed: bytes) -> tuple[tuple[Event, bytes], ...]:
    """The rows with their hashes, ready to be stored; raises JournalDamaged when the chain does not hold.

    Rows that were left out become `row.dropped`, and the chain is made anew from the first of them on.
    """
    if not packed:
        raise JournalDamaged(
            "The mirror holds no journal: it had become too large for a ConfigMap.",
            "Its own bastion alone can go on with this run; or roll back by the break-glass sheet of the runbook.",
        )
    try:
        lines = gzip.decompress(packed).split(b"\n")
        return _checked(lines)
    except (OSError, EOFError, zlib.error, ValidationError, ValueError, KeyError, TypeError) as error:
        raise _damaged(f"it cannot be read ({type(error).__name__})") from error


def _checked(lines: Sequence[bytes]) -> tuple[tuple[Event, bytes], ...]:
    theirs = ours = GENESIS
    rows: list[tuple[Event, bytes]] = []
    missing = 0
    for line in lines[:-1]:
        if line.startswith(b'{"gap"'):
            mark = json.loads(line)
            missing, theirs = int(mark["gap"]), bytes.fromhex(mark["hash"])
            continue
        event = EVENT.validate_json(line)
        if event.seq != len(rows) + missing + 1:
            raise _damaged(f"row {len(rows) + 1} is missing")
        theirs = link(theirs, line)
        ours = _fill(rows, ours, missing, event.at)
        missing = 0
        ours = link(ours, event.model_dump_json().encode())
        rows.append((event, ours))
    if bytes.fromhex(json.loads(lines[-1])["tip"]) != theirs:
        raise _damaged("its rows do not fit its last hash")
    _fill(rows, ours, missing, rows[-1][0].at if rows else datetime.min)
    return tuple(rows)


def _fill(rows: list[tuple[Event, bytes]], tip: bytes, missing: int, at: datetime) -> bytes:
    for _ in range(missing):
        dropped = RowDropped(seq=len(rows) + 1, at=at, actor="engine")
        tip = link(tip, dropped.model_dump_json().encode())
        rows.append((dropped, tip))
    return tip


def _line(**facts: object) -> bytes:
    return json.dumps(facts).encode()


def _damaged(what: str) -> JournalDamaged:
    return JournalDamaged(
        f"The mirrored journal is damaged: {what}.",
        "Do not go on from it: read the cluster, and use the break-glass sheet of the runbook if in doubt.",
    )
