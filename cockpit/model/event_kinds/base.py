"""What every event has."""

from __future__ import annotations

from datetime import datetime

from cockpit.model.base import Value

Facts = dict[str, str]


class EventBase(Value):
    """The header. `seq` is 0 until the journal has numbered the event."""

    seq: int = 0
    at: datetime
    actor: str
    epoch: int = 0
