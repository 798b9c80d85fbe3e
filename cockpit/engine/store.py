"""What the engine asks of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cockpit.model.events import Event


class Store(Protocol):
    """The append-only record of the run."""

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Number the events and make them durable; raises JournalError."""

    async def replay(self) -> tuple[Event, ...]:
        """All events, oldest first; raises JournalDamaged."""

    async def read(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events after `since`, oldest first."""
