"""Who commands, and what somebody else did to the guarded objects."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cockpit.model.event_kinds.base import EventBase, Facts


class EpochClaimed(EventBase):
    """This engine stamped its epoch on every guarded object it writes; `objects` are their facts as found."""

    type: Literal["epoch.claimed"] = "epoch.claimed"
    claimed: int
    objects: dict[str, Facts] = Field(default_factory=dict)


class LeaseChanged(EventBase):
    """Where this engine stands with the Lease: held, other, lapsed, lost, or local without the right to one."""

    type: Literal["lease.changed"] = "lease.changed"
    command: str
    lease_epoch: int = 0
    other: str = ""
    problem: str = ""


class CommandTaken(EventBase):
    """The actor commands from here on, instead of `previous`; `terminal` is where the actor sits.

    `replaces` is the engine of another bastion that this one takes over from, as it signs its stamps.
    """

    type: Literal["command.taken"] = "command.taken"
    previous: str
    reason: str
    terminal: str = ""
    replaces: str = ""


class CommandReleased(EventBase):
    """The commander detached on purpose: whoever attaches next commands."""

    type: Literal["command.released"] = "command.released"


class RowDropped(EventBase):
    """A row that the mirror had no room for; it stands in the journal of the bastion that was taken over from."""

    type: Literal["row.dropped"] = "row.dropped"


class RunFenced(EventBase):
    """Somebody else commands the guarded objects now: this engine writes nothing more."""

    type: Literal["run.fenced"] = "run.fenced"
    by: str
    their_epoch: int
    object: str


class DriftFound(EventBase):
    """Somebody else changed a guarded object in mid-run; `expected` and `found` hold the facts that differ."""

    type: Literal["drift.found"] = "drift.found"
    object: str
    expected: Facts
    found: Facts
    manager: str = Field("", description="The field manager that wrote it, when the API server tells.")


class DriftEnded(EventBase):
    """A drift is settled: the commander adopted or restored it, or it went away by itself."""

    type: Literal["drift.ended"] = "drift.ended"
    object: str
    how: Literal["adopted", "restored", "gone"]
    facts: Facts = Field(default_factory=dict)
    reason: str = ""
