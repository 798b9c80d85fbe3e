"""One commander: which person commands a run, and which terminal. Pure.

The person is in the journal; the terminal is not, for it ends with this engine's life. A front end that is gone leaves
the command to its person, who has it again by attaching. Somebody else gets it by a takeover, or by attaching when it
was released (detached on purpose) or nobody has come back for `GRACE_S` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cockpit.model.commanding import Front

GRACE_S = 120.0
"""Real seconds for which the command waits for its person after a hang-up."""


@dataclass(frozen=True, slots=True)
class Commanding:
    """`person` commands, at the terminal of `seat` if any; `left_at` is when that became empty, in real seconds."""

    person: str
    seat: Front | None = None
    left_at: float = 0.0
    released: bool = False

    def open_to(self, person: str, now: float) -> bool:
        """Whether this person gets the command by attaching."""
        if self.seat is not None:
            return False
        return person == self.person or self.released or now - self.left_at >= GRACE_S

    def join(self, front: Front, now: float) -> Commanding:
        """A front end that wants to command came; it watches when the command is not open to its person."""
        return self.take(front.person, front, now) if self.open_to(front.person, now) else self

    def take(self, person: str, front: Front | None, now: float) -> Commanding:
        """Somebody took over, at a terminal or by a plain command."""
        return Commanding(person, front, now)

    def leave(self, front: Front, now: float) -> Commanding:
        """A front end is gone without a word."""
        return replace(self, seat=None, left_at=now) if self.seat == front else self

    def release(self, person: str, front: Front | None, now: float) -> Commanding:
        """The commander detaches on purpose."""
        if not self.may_order(person, front):
            return self
        return Commanding(person, None, now, released=True)

    def may_order(self, person: str, front: Front | None) -> bool:
        """Whether an order is the commander's: from the seat, or a plain command of the same person."""
        return person == self.person if front is None else front == self.seat
