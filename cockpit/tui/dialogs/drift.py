"""What to do about a guarded object that somebody else changed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from cockpit.model.commands import Adopt, Restore
from cockpit.tui.dialogs.reason import ReasonDialog
from widgets.formatting import clock
from widgets.lines import Line, Tone, toned, wrap


class DriftDialog(ReasonDialog):
    """`e`: Enter writes back what the run expects, Ctrl+T takes what was found; R, as everywhere, goes back."""

    TITLE = "DRIFT: SOMEBODY ELSE CHANGED WHAT THIS RUN WORKS ON"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+t", "adopt", "Adopt", show=False)]
    placeholder = "Reason, for the journal (needed to adopt)"
    required = False

    def said(self) -> list[Line]:
        """Who changed what, and what each answer does."""
        entries = self.drift.entries if self.drift else ()
        if not entries:
            return [(), (("Nothing differs any more.", Tone.QUIET),), ()]
        rows: list[Line] = []
        for entry in entries:
            by = f"by {entry.manager}" if entry.manager else "by somebody unknown"
            rows += [(), ((f"≠ {entry.object}", Tone.BAD), (f"  {by}, {clock(entry.at)}", Tone.QUIET))]
            rows += toned(wrap(f"  found     {entry.found}", self.wide, 3), Tone.TEXT)
            rows += toned(wrap(f"  expected  {entry.expected}", self.wide, 3), Tone.TEXT)
        rows += [(), (("restore", Tone.STRONG), ("  write back what the run expects", Tone.TEXT))]
        rows.append((("adopt  ", Tone.STRONG), ("  go on with what was found; gates start again", Tone.TEXT)))
        return [*rows, ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter restores, Ctrl+T adopts."""
        return (("Enter", "RESTORE"), ("Ctrl+T", "ADOPT"), ("Esc", "cancel, then R rolls back"))

    def answer(self) -> None:
        """Restore, for this situation only."""
        self.dismiss(Restore(reason=self.reason, expected_seq=self.opened_for))

    def action_adopt(self) -> None:
        """Adopt, with a reason."""
        if not self.armed:
            self.app.bell()
        elif not self.reason:
            self.app.bell()
            self.query_one("#reason", Input).placeholder = "To adopt, a reason is required"
        else:
            self.dismiss(Adopt(reason=self.reason, expected_seq=self.opened_for))
