"""The copy of a run in the cluster, from which another bastion takes over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.model.base import Value

FORMAT = 1
LARGEST = 700_000
"""Bytes of a whole copy: an object of the API server may have 1 MiB, and its request carries it in base64."""


class About(Value):
    """What a person must know of the copy, and what an engine needs besides runbook and journal; never a secret.

    `at` is run time, `last` the last event in words; `dropped` rows had no room.
    """

    format: int = FORMAT
    run: str
    title: str
    commander: str
    status: str
    closed: bool
    at: datetime
    last: str
    sha256: str
    variables: dict[str, str]
    automatic: bool
    rows: int
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy itself: the runbook's text, and the journal as `cockpit.journal.copying` packs it."""

    about: About
    runbook: bytes
    journal: bytes


@dataclass(frozen=True, slots=True)
class FoundCopy:
    """A copy in the cluster, with the epoch and the signature of the engine that wrote it."""

    copy: Copy
    epoch: int
    holder: str
