"""Who sits where: the persons and their terminals that want to command a run."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from cockpit.model.base import Value


class Front(Value):
    """A front end at the control socket: its number in this engine's life, its person, and its terminal."""

    number: int
    person: str
    terminal: str = ""


class Place(Value):
    """Where a front end stands: it commands, or it watches while `commander` does at `terminal` since then.

    `reason` is why the command moved last, empty when it never did.
    """

    role: Literal["commander", "observer"]
    commander: str
    terminal: str = ""
    since: datetime | None = None
    reason: str = ""
