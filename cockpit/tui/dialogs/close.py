"""`X`: the run is over; its engine may end."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.commands import Close, Command
from cockpit.tui.dialogs.base import Dialog
from widgets.lines import Line, Tone


class CloseDialog(Dialog[Command | None]):
    """Says what is still to tick, and that the engine ends."""

    TITLE = "CLOSE THE RUN"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "confirm", "Close", show=False)]
    bound = False

    def said(self) -> list[Line]:
        """What ends, and what stays."""
        status = self.header.status.replace("_", " ") if self.header else "over"
        lists = self.checklist.lists if self.checklist else ()
        stage = "rollback" if self.rollback and self.rollback.started_at else "after"
        left = sum(not item.done for group in lists if group.stage == stage for item in group.items)
        rows: list[Line] = [
            (),
            ((f"The run is {status}. Its engine ends; the journal stays.", Tone.STRONG),),
            (("Guard, readiness and escalation end with it.", Tone.TEXT),),
        ]
        if left:
            rows.append(((f"{left} tasks are not ticked; they cannot be ticked afterwards.", Tone.WARN),))
        return [*rows, ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter closes."""
        return (("Enter", "close"), ("Esc", "cancel"))

    def confirm(self) -> None:
        """Close."""
        self.dismiss(Close())
