"""What a commander may ask of the engine.

`expected_seq` is the situation the commander saw (`Snapshot.situation`); a command that moves the run forward is
refused when the situation has changed meanwhile. Commands that stop or go back are never refused for that.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from cockpit.model.base import Value

Reason = Annotated[str, Field(max_length=500)]


class CommandBase(Value):
    """What every command has."""

    expected_seq: int | None = None


class Advance(CommandBase):
    """Go on: start the run, answer a decision with continue, start the next step, retry a failed one."""

    kind: Literal["advance"] = "advance"


class Hold(CommandBase):
    """Start no new forward action."""

    kind: Literal["hold"] = "hold"
    reason: Reason = ""


class Resume(CommandBase):
    """End a hold."""

    kind: Literal["resume"] = "resume"


class Override(CommandBase):
    """Go past what blocks: an open gate, a failed action, an unticked checklist. Needs a reason."""

    kind: Literal["override"] = "override"
    reason: Reason


class RollBack(CommandBase):
    """Go back to stable. `trigger` names a declared trigger; `needed` asks for the if-needed steps too."""

    kind: Literal["rollback"] = "rollback"
    reason: Reason
    trigger: str | None = None
    needed: tuple[str, ...] = ()


class DismissTrigger(CommandBase):
    """Stop the countdown of a tripped trigger, empty for whichever counts down now. Needs a reason."""

    kind: Literal["dismiss"] = "dismiss"
    reason: Reason
    trigger: str = ""


class Acknowledge(CommandBase):
    """Stop the escalation ladder: somebody has it."""

    kind: Literal["ack"] = "ack"
    note: Reason = ""


class Tick(CommandBase):
    """Tick (or untick) a checklist item, a manual action, a condition a person answers, or a task."""

    kind: Literal["tick"] = "tick"
    item: str
    done: bool = True
    note: Reason = ""


class Consent(CommandBase):
    """Give the typed consent that an action asks for, or skip it when `word` is empty."""

    kind: Literal["consent"] = "consent"
    action: str
    word: str = ""


class SetWeight(CommandBase):
    """Move the traffic by hand; beyond the current step's weight only with a reason."""

    kind: Literal["set_weight"] = "set_weight"
    weight: Annotated[int, Field(ge=0, le=100)]
    reason: Reason = ""


class Note(CommandBase):
    """Write a row into the journal that changes no state: what a person did beside the run, or wants remembered."""

    kind: Literal["note"] = "note"
    text: Annotated[str, Field(min_length=1, max_length=500)]


class Adopt(CommandBase):
    """Take what somebody else changed as the run's truth. `object` names one drift; all of them without it."""

    kind: Literal["adopt"] = "adopt"
    reason: Reason
    object: str = ""


class Restore(CommandBase):
    """Write back what somebody else changed. `object` names one drift; all of them without it."""

    kind: Literal["restore"] = "restore"
    reason: Reason = ""
    object: str = ""


class Takeover(CommandBase):
    """Command instead of whoever does now. Needs a reason."""

    kind: Literal["takeover"] = "takeover"
    reason: Reason


class Release(CommandBase):
    """Leave the command to whoever attaches next; a hang-up does not say this."""

    kind: Literal["release"] = "release"


class Close(CommandBase):
    """End the run's engine; only a run with nothing left to do by itself, or one that changed nothing."""

    kind: Literal["close"] = "close"
    reason: Reason = ""


Command = Annotated[
    Advance
    | Hold
    | Resume
    | Override
    | RollBack
    | DismissTrigger
    | Acknowledge
    | Tick
    | Consent
    | SetWeight
    | Note
    | Adopt
    | Restore
    | Takeover
    | Release
    | Close,
    Field(discriminator="kind"),
]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class Reply(Value):
    """The engine's answer to a command: what it did, or why not and what to do.

    `outranked` says that it was refused because somebody else commands.
    """

    ok: bool
    message: str
    hint: str = ""
    outranked: bool = False
