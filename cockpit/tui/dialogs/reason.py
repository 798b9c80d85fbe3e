"""Dialogs that ask for a reason, which the journal keeps."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from cockpit.model.commands import Command, DismissTrigger, Override, Takeover
from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.screens.main import MainScreen
from widgets.lines import Line, Tone, toned, wrap
from widgets.notice import tripped

MAX_REASON = 500


class ReasonDialog(Dialog[Command | None]):
    """Text, one line of input, Enter."""

    placeholder = "Reason, for the journal"
    required = True

    def fields(self) -> ComposeResult:
        """The reason."""
        yield Input(placeholder=self.placeholder, max_length=MAX_REASON, id="reason")

    @property
    def reason(self) -> str:
        """What was typed."""
        return self.query_one("#reason", Input).value.strip()

    @on(Input.Submitted, "#reason")
    def submitted(self) -> None:
        """Enter confirms."""
        self.action_confirm()

    def confirm(self) -> None:
        """Send only with a reason when one is required."""
        if self.required and not self.reason:
            self.app.bell()
            self.query_one("#reason", Input).placeholder = "A reason is required"
            return
        self.answer()

    def answer(self) -> None:
        """Close with the command."""
        raise NotImplementedError


class OverrideDialog(ReasonDialog):
    """`o`: go past what blocks."""

    TITLE = "OVERRIDE"

    def said(self) -> list[Line]:
        """What blocks, and what overriding does."""
        following = self.next
        if following is None:
            return [()]
        rows: list[Line] = [()]
        if following.blocked != following.override:
            rows += toned(wrap(following.blocked, self.wide, 3), Tone.WARN)
        rows += toned(wrap(following.override or "nothing to override", self.wide, 3), Tone.STRONG)
        rows += [
            ((f"✖ {c.text} {c.reason}", Tone.BAD),)
            for c in (self.gate.conditions if self.gate else ())
            if not c.met and not c.advisory
        ]
        return [*rows, ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter overrides."""
        return (("Enter", "OVERRIDE"), ("Esc", "cancel"))

    def answer(self) -> None:
        """Override, for this situation only."""
        self.dismiss(Override(reason=self.reason, expected_seq=self.opened_for))


class TakeoverDialog(ReasonDialog):
    """`T`: command instead of whoever does now."""

    TITLE = "TAKE OVER THE COMMAND"
    bound = False

    def said(self) -> list[Line]:
        """Who commands now, and what they will see."""
        header = self.header
        if header is None:
            return [()]
        at = f" at {header.commander_at}" if header.commander_at else ""
        return [
            (),
            ((f"{header.commander}{at} commands now.", Tone.STRONG),),
            (("That screen is told by whom and why, and watches from then on.", Tone.TEXT),),
            (),
        ]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter takes over."""
        return (("Enter", "TAKE OVER"), ("Esc", "cancel"))

    def answer(self) -> None:
        """Take over."""
        self.dismiss(Takeover(reason=self.reason))


class DismissDialog(ReasonDialog):
    """`D`: stop a countdown."""

    TITLE = "DISMISS THE TRIGGER"
    bound = False

    def __init__(self, main: MainScreen) -> None:
        super().__init__(main)
        self.trigger = tripped(main.guard)

    @property
    def armed(self) -> bool:
        """Whether the trigger the person saw is still the one that would be dismissed."""
        found = tripped(self.guard)
        same = found is not None and self.trigger is not None and found.id == self.trigger.id
        return same and not self.lost

    def action_look_again(self) -> None:
        """Take the trigger that is shown now."""
        self.trigger = tripped(self.guard)
        super().action_look_again()

    def said(self) -> list[Line]:
        """Which trigger, and what was measured."""
        trigger = tripped(self.guard)
        if trigger is None:
            return [(), (("No trigger is tripped any more.", Tone.QUIET),), ()]
        rows: list[Line] = [(), ((f"▲ {trigger.title}", Tone.BAD),)]
        rows += toned(wrap(trigger.state, self.wide, 3), Tone.TEXT)
        return [*rows, (("The rollback will NOT start by itself for this.", Tone.WARN),), ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter dismisses."""
        return (("Enter", "dismiss"), ("Esc", "cancel"))

    def answer(self) -> None:
        """Dismiss."""
        self.dismiss(DismissTrigger(reason=self.reason, trigger=self.trigger.id if self.trigger else ""))
