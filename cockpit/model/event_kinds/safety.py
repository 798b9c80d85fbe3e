"""Triggers, the way back, and whether it would work."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from cockpit.model.event_kinds.base import EventBase
from cockpit.model.verdict import Measurement


class TriggerTripped(EventBase):
    """A rollback trigger tripped; the evidence is frozen here. `rollback_at` is the end of a countdown.

    `rule` is the threshold in words; each measurement of the evidence has its query, value, samples and bands.
    """

    type: Literal["trigger.tripped"] = "trigger.tripped"
    trigger: str
    title: str
    reason: str
    evidence: tuple[Measurement, ...] = ()
    rule: str = ""
    rollback_at: datetime | None = None


class TriggerDismissed(EventBase):
    """The commander stopped a countdown, and why."""

    type: Literal["trigger.dismissed"] = "trigger.dismissed"
    trigger: str
    reason: str


class TriggerRearmed(EventBase):
    """A dismissed trigger's value was good again, at `since`: it trips anew on what is measured after that.

    `reason` is that value in words.
    """

    type: Literal["trigger.rearmed"] = "trigger.rearmed"
    trigger: str
    since: datetime
    reason: str


class RollbackStarted(EventBase):
    """The run goes back."""

    type: Literal["rollback.started"] = "rollback.started"
    reason: str
    trigger: str | None = None
    needed: tuple[str, ...] = ()
    automatic: bool = False
    actions: tuple[str, ...] = Field((), description="The actions of the way back, offered afresh.")


class RollbackStepStarted(EventBase):
    """A rollback step started."""

    type: Literal["rollback.step_started"] = "rollback.step_started"
    step: str
    title: str
    budget_s: float


class RollbackStepFinished(EventBase):
    """A rollback step ended: done, failed or skipped, with its time and budget."""

    type: Literal["rollback.step_finished"] = "rollback.step_finished"
    step: str
    status: Literal["done", "failed", "skipped"]
    took_s: float
    budget_s: float
    message: str = ""


class RollbackFinished(EventBase):
    """The way back is at its end."""

    type: Literal["rollback.finished"] = "rollback.finished"
    succeeded: bool
    took_s: float
    budget_s: float
    message: str = ""


class ReadinessChanged(EventBase):
    """The rollback readiness light changed."""

    type: Literal["readiness.changed"] = "readiness.changed"
    ready: bool
    reasons: tuple[str, ...] = ()
