"""The word that an action asks for before it does what cannot be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.commands import Consent
from cockpit.tui.dialogs.reason import ReasonDialog
from cockpit.tui.screens.main import MainScreen
from cockpit.tui.state import pending_consent
from widgets.lines import Line, Tone, inert, toned, wrap

if TYPE_CHECKING:
    from cockpit.model.snapshot import ActionView


class ConsentDialog(ReasonDialog):
    """Type the word, or skip the action with Ctrl+S."""

    TITLE = "CONSENT"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "skip", "Skip", show=False)]
    bound = False

    def __init__(self, main: MainScreen, action: ActionView) -> None:
        super().__init__(main)
        self.action = action
        self.placeholder = f"Type {inert(action.consent)} to go ahead"

    @property
    def armed(self) -> bool:
        """Whether this very action still waits for its word."""
        waiting = pending_consent(self.plan)
        return waiting is not None and waiting.id == self.action.id and not self.lost

    def _now(self) -> ActionView:
        """The action as it is now, or as it was when the dialog was opened once it waits no more."""
        waiting = pending_consent(self.plan)
        return waiting if waiting is not None and waiting.id == self.action.id else self.action

    def said(self) -> list[Line]:
        """What the action does."""
        action = self._now()
        rows: list[Line] = [(), ((action.title, Tone.STRONG), (f"  {action.kind}", Tone.FAINT))]
        if action.looking:
            rows.append((("What it would do is being read …", Tone.QUIET),))
        for part in action.message.split(" · "):
            rows += toned(wrap(part, self.wide, 4), Tone.WARN)
        rows += toned(wrap(action.hint, self.wide, 3), Tone.TEXT)
        if self.action.optional:
            rows.append((("It is optional.", Tone.QUIET),))
        return [*rows, (("Type ", Tone.TEXT), (self.action.consent, Tone.WARN), (" to let it happen.", Tone.TEXT)), ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter consents, Ctrl+S skips."""
        return (("Enter", "give consent"), ("Ctrl+S", "skip the action"), ("Esc", "cancel"))

    def answer(self) -> None:
        """Only the very word counts."""
        if self._now().looking:
            self.app.bell()
            self.app.notify("What it would do is still being read.", severity="warning", markup=False)
        elif self.reason == self.action.consent:
            self.dismiss(Consent(action=self.action.id, word=self.reason, expected_seq=self.situation))
        else:
            self.app.bell()
            self.app.notify(f"The word is {self.action.consent}.", severity="warning", markup=False)

    def action_skip(self) -> None:
        """Skip the action."""
        if self.armed:
            self.dismiss(Consent(action=self.action.id, word="", expected_seq=self.situation))
