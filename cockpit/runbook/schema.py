"""The runbook document, `apiVersion: cockpit/v1`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from cockpit.runbook.actions import Action
from cockpit.runbook.base import ClockTime, Document, Duration, Identifier, Text
from cockpit.runbook.cluster import Cluster
from cockpit.runbook.gate import Gate, Metric, Monitoring, Trigger
from cockpit.runbook.people import (
    Channel,
    Checklist,
    Contact,
    Dashboard,
    Escalation,
    Guide,
    Mail,
    TaskList,
    Update,
    UsefulCommand,
)

__all__ = [
    "Communications",
    "Decision",
    "Metadata",
    "Metric",
    "Phase",
    "Planned",
    "Rollback",
    "RollbackStep",
    "Runbook",
    "Secret",
    "Step",
    "Trigger",
    "Variable",
    "Window",
]


class Revision(Document):
    """The state of the document itself, in the words of the team."""

    version: Text = ""
    updated: Text = ""
    next_review: Text = ""


class Metadata(Document):
    """What this runbook is for."""

    name: Identifier = Field(description="Short name; run names start with it.")
    title: Text
    version: Text = Field(description="The version that is released, usually ${VERSION}.")
    environment: Text = Field("production", description="Shown in the header.")
    commander: Text = Field(description="Who is planned to command.")
    planned_day: Text = Field("", description="The planned day, in the words of the team.")
    revision: Revision = Field(default_factory=Revision)


class Window(Document):
    """The hours in which forward steps may be taken."""

    start: ClockTime
    end: ClockTime
    timezone: Text = Field("UTC", description="IANA name, such as UTC or Europe/Berlin.")
    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None


class Variable(Document):
    """A value that `${NAME}` stands for; the environment variable of the same name and --var override it."""

    default: str | None = None
    description: Text = ""


class Secret(Document):
    """A reference to a value that is never written down: read from the environment or a file when needed."""

    env: tuple[Identifier, ...] = Field((), description="Environment variables, tried in order.")
    file: Text | None = Field(None, description="A file that holds the value, mode 0600 or stricter.")
    description: Text = ""


class Planned(Document):
    """When a phase or step is planned, as times of day in the window's time zone."""

    start: ClockTime
    end: ClockTime


class DecisionDefault(StrEnum):
    """What happens when nobody decides in time."""

    HOLD = "hold"
    CONTINUE = "continue"
    ROLLBACK = "rollback"


class Decision(Document):
    """A question to the commander."""

    question: Text
    deadline: Duration | None = Field(None, description="Time to decide, from the moment the gate has passed.")
    default: DecisionDefault = DecisionDefault.HOLD


class Step(Document):
    """One step of a phase."""

    id: Identifier
    title: Text
    planned: Planned | None = None
    instructions: Text = Field("", description="Prose for the commander.")
    actions: tuple[Action, ...] = ()
    gate: Gate | None = None
    decision: Decision | None = None
    announcements: tuple[Identifier, ...] = Field((), description="Updates sent when the step's actions are done.")
    announce_at_start: tuple[Identifier, ...] = Field((), description="Updates sent when the step starts.")


class Phase(Document):
    """A group of steps with a planned time."""

    id: Identifier
    title: Text
    planned: Planned | None = None
    validation: bool = Field(False, description="The run is `validating` in this phase.")
    steps: tuple[Step, ...] = Field(min_length=1)


class RollbackStep(Document):
    """One step of the way back, with the time it may take."""

    id: Identifier
    title: Text
    budget: Duration
    actions: tuple[Action, ...] = Field(min_length=1)
    parallel: bool = Field(False, description="Carry out the actions at the same time.")
    if_needed: bool = Field(
        False,
        description="Only when the commander asks for it or a trigger in `needed_for` caused the rollback.",
    )
    needed_for: tuple[Identifier, ...] = Field((), description="Triggers for which an `if_needed` step is carried out.")
    depends_on: tuple[Identifier, ...] = Field((), description="Rollback steps that must have succeeded before.")


class Rollback(Document):
    """When and how to go back."""

    budget: Duration = Field(description="The whole way back must fit in this time.")
    triggers: tuple[Trigger, ...] = ()
    steps: tuple[RollbackStep, ...] = Field(min_length=1)
    after: tuple[TaskItem, ...] = Field((), description="What people do after a rollback, in order.")


class TaskItem(Document):
    """One thing to do, and the update it sends by itself if any."""

    id: Identifier
    text: Text
    announcement: Identifier | None = None


class Communications(Document):
    """Who is told what, where and when."""

    channels: tuple[Channel, ...] = ()
    mails: tuple[Mail, ...] = ()
    updates: tuple[Update, ...] = ()


class Runbook(Document):
    """A deployment runbook."""

    api_version: Literal["cockpit/v1"] = Field(alias="apiVersion")
    kind: Literal["Runbook"] = "Runbook"
    metadata: Metadata
    window: Window
    variables: dict[Identifier, Variable] = Field(default_factory=dict)
    secrets: dict[Identifier, Secret] = Field(default_factory=dict)
    cluster: Cluster
    monitoring: Monitoring
    checklists: tuple[Checklist, ...] = ()
    phases: tuple[Phase, ...] = Field(min_length=1)
    rollback: Rollback
    escalation: Escalation = Field(default_factory=Escalation)
    communications: Communications = Field(default_factory=Communications)
    dashboards: tuple[Dashboard, ...] = ()
    contacts: tuple[Contact, ...] = ()
    commands: tuple[UsefulCommand, ...] = ()
    troubleshooting: tuple[Guide, ...] = ()
    post_deployment: Annotated[tuple[TaskList, ...], Field(description="What remains to do when the run is over.")] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps of all phases, in order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    def phase_of(self, step_id: str) -> Phase:
        """The phase that holds the step; raises StopIteration if no phase does."""
        return next(phase for phase in self.phases if any(step.id == step_id for step in phase.steps))


Rollback.model_rebuild()
