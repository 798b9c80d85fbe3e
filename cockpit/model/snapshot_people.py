"""The slices about people: what they tick, who is called, what is sent, what can be looked up."""

from __future__ import annotations

from datetime import datetime

from cockpit.model.base import Value


class ItemView(Value):
    """One thing to tick."""

    id: str
    text: str
    at: datetime | None = None
    who: str = ""
    required: bool = True
    done: bool = False
    done_by: str = ""
    done_at: datetime | None = None
    note: str = ""


class ListView(Value):
    """A checklist or task list; `stage` is before, during, after or rollback."""

    id: str
    title: str
    when: str
    stage: str
    items: tuple[ItemView, ...]


class ChecklistView(Value):
    """All lists; `done` and `total` count the ones before the run."""

    lists: tuple[ListView, ...] = ()
    done: int = 0
    total: int = 0


class EscalationLevelView(Value):
    """One level of the ladder."""

    level: int
    after_s: float
    call: str
    name: str = ""
    phone: str = ""


class EscalationView(Value):
    """The ladder; `since` is None when nothing is wrong."""

    since: datetime | None = None
    cause: str = ""
    level: int = 0
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    levels: tuple[EscalationLevelView, ...] = ()


class MessageView(Value):
    """One message of the outbox."""

    id: str
    channel: str
    text: str
    status: str
    at: datetime
    detail: str = ""


class MessagesView(Value):
    """The outbox, oldest first, and what is planned."""

    messages: tuple[MessageView, ...] = ()
    planned: tuple[str, ...] = ()


class ReferenceEntry(Value):
    """One line of a reference list. A command has its `argv`; `interactive` ones need the terminal for themselves."""

    title: str
    detail: str
    lines: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    interactive: bool = False


class ReferenceView(Value):
    """What the runbook says for looking things up."""

    dashboards: tuple[ReferenceEntry, ...] = ()
    contacts: tuple[ReferenceEntry, ...] = ()
    commands: tuple[ReferenceEntry, ...] = ()
    troubleshooting: tuple[ReferenceEntry, ...] = ()
    channels: tuple[ReferenceEntry, ...] = ()
    mails: tuple[ReferenceEntry, ...] = ()
