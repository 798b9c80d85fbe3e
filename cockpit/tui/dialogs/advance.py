"""`n`: exactly what will happen, bound to the situation it was shown for."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.commands import Advance, Command
from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.state import current_step
from widgets.formatting import ACTION, STEP
from widgets.lines import Line, Tone, toned, wrap


class AdvanceDialog(Dialog[Command | None]):
    """One more key, after reading."""

    TITLE = "GO ON"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,n", "confirm", "Confirm", show=False)]

    def said(self) -> list[Line]:
        """The verb, its detail, and the actions that would start."""
        following = self.next
        if following is None:
            return [(("not known yet", Tone.QUIET),)]
        question: list[Line] = toned(wrap(following.question, self.wide, 3), Tone.WARN)
        verb: list[Line] = toned(wrap(following.verb or "–", self.wide, 2), Tone.STRONG)
        detail: list[Line] = toned(wrap(following.detail, self.wide, 6), Tone.TEXT)
        blocked: list[Line] = toned(wrap(following.blocked, self.wide, 3), Tone.BAD)
        return [(), *question, *verb, *detail, *blocked, *self._actions(), *self._readiness()]

    def _actions(self) -> list[Line]:
        step = current_step(self.plan)
        if step is None:
            return []
        mark = STEP[step.status]
        rows: list[Line] = [(), ((f"{step.id} {step.title}  ", Tone.STRONG), (f"{mark.glyph} {mark.word}", mark.tone))]
        for action in step.actions:
            each = ACTION[action.status]
            rows.append(((f"  {each.glyph} ", each.tone), (action.title, Tone.TEXT), (f"  {action.kind}", Tone.FAINT)))
        return rows

    def _readiness(self) -> list[Line]:
        if self.readiness is None or self.readiness.ready:
            return [(), (("✔ rollback is ready", Tone.GOOD),)] if self.readiness else []
        return [(), ((" ✖ rollback is NOT ready ", Tone.ALARM), (f" {'; '.join(self.readiness.reasons)}", Tone.BAD))]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """The verb is the key's word."""
        verb = self.next.verb if self.next else "confirm"
        return (("Enter", verb), ("Esc", "cancel"))

    def confirm(self) -> None:
        """Go on, for this situation only."""
        if self.next is not None and not self.next.blocked:
            self.dismiss(Advance(expected_seq=self.opened_for))
