"""The slices about people: checklists, escalation, messages, references. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime, time

from cockpit.engine import plan
from cockpit.engine.core import Core
from cockpit.model.argv import needs_terminal
from cockpit.model.snapshot import (
    ChecklistView,
    EscalationLevelView,
    EscalationView,
    ItemView,
    ListView,
    MessagesView,
    MessageView,
    ReferenceEntry,
    ReferenceView,
)
from cockpit.runbook.actions import Manual
from cockpit.runbook.people import ChecklistItem, Update, UsefulCommand
from cockpit.runbook.schema import Runbook

Row = tuple[str, str, time | None, str, bool]


def _rows(items: Sequence[ChecklistItem]) -> list[Row]:
    return [(item.id, item.text, item.at, item.who, item.required) for item in items]


def checklist_view(core: Core) -> ChecklistView:
    """All lists, in the order in which they are worked through."""
    book = core.setting.book
    before = [_list(core, entry.id, entry.title, entry.when, "before", _rows(entry.items)) for entry in book.checklists]
    after = [
        _list(core, entry.id, entry.title, entry.horizon, "after", _rows(entry.items)) for entry in book.post_deployment
    ]
    rows: list[Row] = [(item.id, item.text, None, "", True) for item in book.rollback.after]
    back = _list(core, "after-rollback", "After a rollback", "", "rollback", rows)
    items = [item for entry in before for item in entry.items]
    return ChecklistView(
        lists=(*before, *_during(core), *after, *([back] if back.items else [])),
        done=sum(item.done for item in items),
        total=len(items),
    )


def _during(core: Core) -> list[ListView]:
    lists = []
    for step in core.setting.book.steps:
        rows = [(action.id, action.title or action.id) for action in step.actions if isinstance(action, Manual)]
        rows += [
            (plan.confirm_id(step, condition.confirm_id), condition.confirm)
            for condition in (step.gate.conditions if step.gate else ())
            if condition.confirm is not None
        ]
        if rows:
            items: list[Row] = [(name, text, None, "", True) for name, text in rows]
            lists.append(_list(core, step.id, f"{step.id} {step.title}", "", "during", items))
    return lists


def _list(core: Core, list_id: str, title: str, when: str, stage: str, items: Sequence[Row]) -> ListView:
    return ListView(id=list_id, title=title, when=when, stage=stage, items=tuple(_item(core, *item) for item in items))


def _outdated(core: Core, item_id: str) -> bool:
    """Whether the gate under way asks for the statement once more."""
    step = plan.running_step(core.setting.book, core.state)
    asked = step is not None and plan.confirmed_in(core.setting.book, item_id) is step
    return asked and step is not None and not plan.answered(step, core.state, item_id)


def _item(core: Core, item_id: str, text: str, at: time | None, who: str, required: bool) -> ItemView:
    opened = core.state.opened_at or core.now()
    view = ItemView(id=item_id, text=text, at=_moment(core.setting.book, opened, at), who=who, required=required)
    tick = core.state.ticks.get(item_id)
    if tick is None or _outdated(core, item_id):
        return view
    return view.model_copy(update={"done": tick.done, "done_by": tick.by, "done_at": tick.at, "note": tick.note})


def _moment(book: Runbook, opened: datetime, at: time | None) -> datetime | None:
    return None if at is None else plan.planned_at(book, opened, at)


def escalation_view(core: Core) -> EscalationView:
    """The ladder, with names and numbers of the people to call."""
    contacts = {contact.id: contact for contact in core.setting.book.contacts}
    levels = []
    for level in core.setting.book.escalation.levels:
        contact = contacts.get(level.contact or "")
        levels.append(
            EscalationLevelView(
                level=level.level,
                after_s=level.after.total_seconds(),
                call=level.call,
                name=contact.name if contact else "",
                phone=contact.phone if contact else "",
            )
        )
    ladder = core.state.escalation
    if ladder is None:
        return EscalationView(levels=tuple(levels))
    return EscalationView(
        since=ladder.since,
        cause=ladder.cause,
        level=ladder.level,
        acknowledged_by=ladder.acknowledged_by,
        acknowledged_at=ladder.acknowledged_at,
        levels=tuple(levels),
    )


def messages_view(core: Core) -> MessagesView:
    """The outbox, and the updates still to come."""
    sent = {message.message for message in core.state.messages.values()}
    updates = core.setting.book.communications.updates
    return MessagesView(
        messages=tuple(
            MessageView(
                id=message.message,
                channel=message.channel,
                text=message.text,
                status=message.status,
                at=message.at,
                detail=message.detail,
            )
            for message in core.state.messages.values()
        ),
        planned=tuple(_planned(update) for update in updates if update.id not in sent),
    )


def _planned(update: Update) -> str:
    return f"{update.at:%H:%M} {update.text}" if update.at else update.text


def reference_view(core: Core) -> ReferenceView:
    """What the runbook says for looking things up."""
    book = core.setting.book
    return ReferenceView(
        dashboards=tuple(ReferenceEntry(title=entry.title, detail=entry.url) for entry in book.dashboards),
        contacts=tuple(
            ReferenceEntry(title=f"{entry.role}: {entry.name}", detail=entry.phone, lines=(entry.email,))
            for entry in book.contacts
        ),
        commands=tuple(_command(entry) for entry in book.commands),
        troubleshooting=tuple(
            ReferenceEntry(title=entry.title, detail="", lines=entry.checks) for entry in book.troubleshooting
        ),
        channels=tuple(
            ReferenceEntry(title=entry.title, detail=entry.address, lines=(entry.kind,))
            for entry in book.communications.channels
        ),
        mails=tuple(
            ReferenceEntry(title=entry.subject, detail=entry.when, lines=tuple(entry.body.splitlines()))
            for entry in book.communications.mails
        ),
    )


def _command(entry: UsefulCommand) -> ReferenceEntry:
    interactive = needs_terminal(entry.argv) if entry.interactive is None else entry.interactive
    return ReferenceEntry(
        title=entry.title, detail=shlex.join(entry.argv), argv=tuple(entry.argv), interactive=interactive
    )
