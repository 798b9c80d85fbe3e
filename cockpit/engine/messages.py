"""Which messages are due; the outbox delivers them. Pure."""

from __future__ import annotations

from datetime import datetime

from cockpit.model.events import Event, MessageQueued
from cockpit.model.run import RunState
from cockpit.runbook.people import Mail, Update
from cockpit.runbook.schema import Runbook


def announcement(book: Runbook, announcement_id: str) -> Mail | Update | None:
    """The mail or update of that id."""
    known: tuple[Mail | Update, ...] = (*book.communications.updates, *book.communications.mails)
    return next((entry for entry in known if entry.id == announcement_id), None)


def due(book: Runbook, state: RunState, ids: tuple[str, ...], now: datetime) -> list[Event]:
    """A MessageQueued for every announcement and channel that has not been queued before."""
    queued: list[Event] = []
    for announcement_id in ids:
        entry = announcement(book, announcement_id)
        for channel in entry.channels if entry else ():
            if entry is not None and f"{announcement_id}@{channel}" not in state.messages and _sendable(book, channel):
                queued.append(
                    MessageQueued(
                        at=now, actor="engine", message=announcement_id, channel=channel, text=_headline(entry)
                    )
                )
    return queued


def _sendable(book: Runbook, channel_id: str) -> bool:
    return any(channel.id == channel_id and channel.kind != "phone" for channel in book.communications.channels)


def _headline(entry: Mail | Update) -> str:
    return entry.subject if isinstance(entry, Mail) else entry.text


def mails(book: Runbook, when: str) -> tuple[str, ...]:
    """The mails for a moment of the run: before, after or rolled_back."""
    return tuple(mail.id for mail in book.communications.mails if mail.when == when)
