"""Checklists, messages, escalation and references."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from cockpit.runbook.base import ClockTime, Document, Duration, Identifier, Text


class ChecklistItem(Document):
    """One thing to tick."""

    id: Identifier
    text: Text
    at: ClockTime | None = None
    who: Text = ""
    required: bool = True
    announcement: Identifier | None = Field(None, description="The mail or update that ticking the item sends.")


class Checklist(Document):
    """Things to tick before the run starts."""

    id: Identifier
    title: Text
    when: Text = ""
    items: tuple[ChecklistItem, ...] = Field(min_length=1)


class TaskList(Document):
    """Things to do after the run, with their horizon."""

    id: Identifier
    title: Text
    horizon: Text
    items: tuple[ChecklistItem, ...] = Field(min_length=1)


class EscalationLevel(Document):
    """Who is called from a time on."""

    level: Annotated[int, Field(ge=1)]
    after: Duration
    until: Duration | None = None
    call: Text = Field(description="The role to call.")
    contact: Identifier | None = None


class Escalation(Document):
    """The ladder that starts with a critical verdict."""

    levels: tuple[EscalationLevel, ...] = ()
    no_data_after: Duration = Field(
        timedelta(minutes=2), description="A gate without measurements for this long starts the ladder too."
    )


class Channel(Document):
    """Where messages go."""

    id: Identifier
    kind: Literal["slack", "email", "phone", "statuspage"]
    title: Text
    address: Text = Field(description="Channel name, mail address, number or page.")
    webhook: Identifier | None = Field(None, description="slack: the secret that holds the webhook URL.")
    server: Text | None = Field(None, description="email: SMTP server as host:port.")
    sender: Text | None = Field(None, description="email: the sender's address.")
    api: Text | None = Field(None, description="statuspage: base URL of the API.")
    page: Text | None = Field(None, description="statuspage: the page id.")
    token: Identifier | None = Field(None, description="statuspage: the secret that holds the API key.")


class Mail(Document):
    """A mail to stakeholders."""

    id: Identifier
    when: Literal["before", "after", "rolled_back"]
    channels: tuple[Identifier, ...] = ()
    subject: Text
    body: Text


class Update(Document):
    """A short timed update."""

    id: Identifier
    at: ClockTime | None = None
    text: Text
    channels: tuple[Identifier, ...] = ()


class Dashboard(Document):
    """A page to look at."""

    id: Identifier
    title: Text
    url: Text


class Contact(Document):
    """A person to call."""

    id: Identifier
    role: Text
    name: Text
    phone: Text = ""
    email: Text = ""


class UsefulCommand(Document):
    """A command that helps to look closer."""

    id: Identifier
    title: Text
    argv: tuple[str, ...] = Field(min_length=1)
    interactive: bool | None = Field(
        None,
        description="Whether it needs the terminal for itself; if not given, kubectl exec, attach, run and debug with "
        "-it and kubectl edit do.",
    )


class Guide(Document):
    """What to check for a symptom."""

    id: Identifier
    title: Text
    checks: tuple[Text, ...] = Field(min_length=1)
    metrics: tuple[Identifier, ...] = Field((), description="Metrics for which this guide is offered.")
