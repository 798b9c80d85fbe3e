"""What the engine asks of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cockpit.model.events import Event


class Store(Protocol):
    """The append-only record of the run.

    `problem` says why rows are kept in a second place for now, and is empty while they are where they belong.
    """

    problem: str

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Number the events and make them durable; raises JournalError. Without events, what waits is tried again."""

    async def replay(self) -> tuple[Event, ...]:
        """All events, oldest first; raises JournalDamaged."""

    async def read(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events after `since`, oldest first."""
