"""The hash chain over the rows of a journal.

Every row's hash is SHA-256 of the hash before it (32 zero bytes before the first row) and the row's JSON text as it is
stored, so that a changed, lost or reordered row is found without any secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cockpit.errors import JournalDamaged

GENESIS = bytes(32)

Row = tuple[int, bytes, bytes]
"""seq, JSON text in UTF-8, hash."""


def link(previous: bytes, body: bytes) -> bytes:
    """The hash of a row with this JSON text after the row with the hash `previous`."""
    return hashlib.sha256(previous + body).digest()


def verify(rows: Iterable[Row], last: int) -> bytes:
    """Return the hash of the last row, which must be number `last`; raises JournalDamaged naming the first bad row."""
    tip, expected = GENESIS, 1
    sha256 = hashlib.sha256
    for seq, body, digest in rows:
        if seq != expected:
            raise _damaged(f"row {expected} is missing")
        tip = sha256(tip + body).digest()
        if tip != digest:
            raise _damaged(f"row {seq} does not fit the row before it")
        expected += 1
    if expected <= last:
        raise _damaged(f"row {expected} is missing; the journal once had {last} rows")
    return tip


def _damaged(what: str) -> JournalDamaged:
    return JournalDamaged(
        f"The journal is damaged: {what}.",
        "Keep the file as evidence. Go on from the copy in the cluster (cockpit takeover --from NAMESPACE/cockpit-NAME "
        "--reason TEXT), or back by the run's break-glass sheet.",
    )
