"""INTENT, effect and OUTCOME of actions, and where the traffic was left."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cockpit.model.event_kinds.base import EventBase, Facts


class ActionIntended(EventBase):
    """INTENT: durable before the effect. `before`, `after` and `inverse` say how to read and undo it."""

    type: Literal["action.intended"] = "action.intended"
    action: str
    kind: str
    attempt: int
    request: str
    before: Facts = Field(default_factory=dict)
    after: Facts = Field(default_factory=dict)
    inverse: str = ""
    target: str = Field("", description="The guarded object that it changes.")


class ActionProgressed(EventBase):
    """A long action said how far it is."""

    type: Literal["action.progressed"] = "action.progressed"
    action: str
    message: str


class ActionLooked(EventBase):
    """What an action would do was read from its target, before the commander is asked for the word."""

    type: Literal["action.looked"] = "action.looked"
    action: str
    message: str
    facts: Facts = Field(default_factory=dict)


class ActionOutput(EventBase):
    """Lines that an action's program printed, cleaned; `left_out` lines before them are not kept."""

    type: Literal["action.output"] = "action.output"
    action: str
    stream: Literal["out", "err", "log"] = Field(description="Its two streams, or the log of a pod.")
    lines: tuple[str, ...]
    left_out: int = 0

    @property
    def last(self) -> str:
        """The last line that is not empty."""
        return next((line for line in reversed(self.lines) if line.strip()), "")


class ActionSucceeded(EventBase):
    """OUTCOME: the effect was read back (or is proved by `facts`)."""

    type: Literal["action.succeeded"] = "action.succeeded"
    action: str
    message: str
    facts: Facts = Field(default_factory=dict)


class ActionFailed(EventBase):
    """OUTCOME: the action did not do what it should."""

    type: Literal["action.failed"] = "action.failed"
    action: str
    message: str
    hint: str = ""
    optional: bool = False


class ActionAmbiguous(EventBase):
    """OUTCOME: whether the effect happened cannot be known; a person decides."""

    type: Literal["action.ambiguous"] = "action.ambiguous"
    action: str
    message: str


class ActionSkipped(EventBase):
    """The action is not carried out, and why."""

    type: Literal["action.skipped"] = "action.skipped"
    action: str
    reason: str


class ActionReoffered(EventBase):
    """A failed or ambiguous action may be carried out again."""

    type: Literal["action.reoffered"] = "action.reoffered"
    action: str
    reason: str = ""


class ConsentGiven(EventBase):
    """The commander typed the word an action asks for."""

    type: Literal["action.consent"] = "action.consent"
    action: str


class WeightChanged(EventBase):
    """The commanded share of the candidate changed; `active` is the track that the active Service points at."""

    type: Literal["traffic.changed"] = "traffic.changed"
    weight: int
    active: str
    canary: bool = True
    by: str = Field("", description="The action that changed it.")
