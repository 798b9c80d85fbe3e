"""Escalation and messages."""

from __future__ import annotations

from typing import Literal

from cockpit.model.event_kinds.base import EventBase


class EscalationStarted(EventBase):
    """The escalation ladder runs from `at` on."""

    type: Literal["escalation.started"] = "escalation.started"
    cause: str


class EscalationLevelReached(EventBase):
    """The next level of the ladder is due."""

    type: Literal["escalation.level"] = "escalation.level"
    level: int
    call: str


class EscalationAcknowledged(EventBase):
    """Somebody has it; the ladder stops."""

    type: Literal["escalation.acknowledged"] = "escalation.acknowledged"
    note: str = ""


class EscalationEnded(EventBase):
    """The cause is gone."""

    type: Literal["escalation.ended"] = "escalation.ended"
    reason: str = ""


class MessageQueued(EventBase):
    """A message is due on a channel; the outbox delivers it."""

    type: Literal["message.queued"] = "message.queued"
    message: str
    channel: str
    text: str


class MessageTried(EventBase):
    """INTENT of a delivery: durable before the message leaves."""

    type: Literal["message.tried"] = "message.tried"
    message: str
    channel: str
    attempt: int


class MessageSent(EventBase):
    """A message was accepted by its channel."""

    type: Literal["message.sent"] = "message.sent"
    message: str
    channel: str
    proof: str = ""


class MessageFailed(EventBase):
    """A message was given up after its retries."""

    type: Literal["message.failed"] = "message.failed"
    message: str
    channel: str
    error: str
