"""The outbox, the planned updates and the mails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.tui.screens.listing import ListingScreen, titled, wrapped
from widgets.formatting import clock, message_mark
from widgets.lines import Line, Tone, fit

if TYPE_CHECKING:
    from cockpit.model.snapshot import MessageView, ReferenceEntry


class MessagesScreen(ListingScreen):
    """What was said to whom, newest first, and what will be."""

    USES = ("messages", "reference")

    def sections(self, width: int) -> list[list[Line]]:
        """Outbox, plan, mails."""
        view = self.messages
        sent = [line for message in reversed(view.messages) for line in message_rows(message, width)] if view else []
        planned: list[Line] = [((f"  {text}", Tone.TEXT),) for text in (view.planned if view else ())]
        mails = [line for mail in (self.reference.mails if self.reference else ()) for line in mail_rows(mail, width)]
        return [
            titled("OUTBOX", width, sent, "no message yet"),
            titled("PLANNED UPDATES", width, planned, "nothing is planned"),
            titled("MAILS", width, mails, "the runbook has no mails"),
        ]


def message_rows(message: MessageView, width: int) -> list[Line]:
    """A message: when, where, its state; its text; what the channel said."""
    mark = message_mark(message.status)
    head: Line = (
        (f"  {clock(message.at)} ", Tone.QUIET),
        (f"{mark.glyph} {fit(mark.word, 8)}", mark.tone),
        (fit(message.channel, 18), Tone.STRONG),
    )
    first, *rest = wrapped(message.text, width - 39, "") or [()]
    rows = [(*head, *first), *((((" " * 39), Tone.TEXT), *line) for line in rest)]
    return [*rows, *wrapped(message.detail, width, " " * 39, mark.tone)] if message.detail else rows


def mail_rows(mail: ReferenceEntry, width: int) -> list[Line]:
    """A mail: when it goes, its subject and text."""
    rows: list[Line] = [((f"  {mail.title}", Tone.STRONG), (f"  {mail.detail}", Tone.QUIET))]
    return [*rows, *(line for text in mail.lines for line in wrapped(text, width, "    ")), ()]
