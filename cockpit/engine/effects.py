"""What a decision asks for: events to record and actions to carry out."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.events import Event


@dataclass(frozen=True, slots=True)
class Perform:
    """Carry out an action of the runbook, or with `look` only read what it would do."""

    action: str
    attempt: int
    rollback: bool = False
    look: bool = False

    @property
    def key(self) -> str:
        """One task at a time has this name."""
        return f"look {self.action}" if self.look else self.action


@dataclass(frozen=True, slots=True)
class Decided:
    """Events to record first; effects to start when there are no more events."""

    events: tuple[Event, ...] = ()
    effects: tuple[Perform, ...] = ()
