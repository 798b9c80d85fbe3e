"""`R`: go back. A reason, a declared trigger, the if-needed steps, and a second deliberate key."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from cockpit.model.commands import Command, RollBack
from cockpit.model.snapshot import RollbackStepView, TriggerView
from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.screens.main import MainScreen
from widgets.formatting import duration
from widgets.lines import Line, Tone, ends, inert
from widgets.notice import tripped
from widgets.readiness import light

MAX_REASON = 500


class RollbackDialog(Dialog[Command | None]):
    """Enter in the reason arms; Ctrl+R rolls back. F2–F9 choose a declared trigger and if-needed steps."""

    TITLE = "ROLL BACK"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "roll_back", "Roll back", show=False, priority=True),
        *(Binding(f"f{number}", f"choose({number - 2})", show=False, priority=True) for number in range(2, 10)),
    ]
    bound = False

    def __init__(self, main: MainScreen) -> None:
        super().__init__(main)
        alarm = tripped(main.guard)
        self.suggested = inert(f"{alarm.title}: {alarm.state}") if alarm else ""
        self.trigger: str | None = None
        self.needed: set[str] = set()
        self.ready = False

    @property
    def armed(self) -> bool:
        """A rollback is never refused for a changed situation."""
        return not self.lost

    def fields(self) -> ComposeResult:
        """The reason; the tripped trigger's words stand ready."""
        yield Input(
            self.suggested, placeholder="Reason, for the journal (required)", max_length=MAX_REASON, id="reason"
        )

    @property
    def reason(self) -> str:
        """What was typed."""
        return self.query_one("#reason", Input).value.strip()

    def choices(self) -> list[TriggerView | RollbackStepView]:
        """What F2 … stand for: declared triggers, then if-needed steps."""
        triggers: list[TriggerView | RollbackStepView] = [
            trigger for trigger in (self.guard.triggers if self.guard else ()) if trigger.declared
        ]
        steps = [step for step in (self.rollback.steps if self.rollback else ()) if step.if_needed]
        return [*triggers, *steps][:8]

    def said(self) -> list[Line]:
        """The steps with their budgets, the choices, the light."""
        rows: list[Line] = [(), *self._steps(), ()]
        for number, choice in enumerate(self.choices(), 2):
            chosen = choice.id == self.trigger if isinstance(choice, TriggerView) else self._wanted(choice)
            box = "☑" if chosen else "☐"
            kind = "cause" if isinstance(choice, TriggerView) else "also do"
            tone = Tone.WARN if chosen else Tone.TEXT
            rows.append(((f"F{number} ", Tone.KEY), (f"{box} ", tone), (f"{kind}: {choice.title}", tone)))
        mark = light(self.readiness)
        reasons = "; ".join(self.readiness.reasons) if self.readiness else ""
        return [
            *rows,
            (),
            (("Rollback light: ", Tone.QUIET), (f"{mark.glyph} {mark.word}", mark.tone), (f"  {reasons}", Tone.BAD)),
            (),
        ]

    def _steps(self) -> list[Line]:
        if self.rollback is None:
            return [(("The steps are not known to this screen.", Tone.WARN),)]
        rows: list[Line] = []
        for number, step in enumerate(self.rollback.steps, 1):
            skipped = step.if_needed and not self._wanted(step)
            words = "only if asked for" if skipped else duration(step.budget_s)
            tone = Tone.QUIET if skipped else Tone.TEXT
            rows.append(ends(((f"{number} ", Tone.QUIET), (step.title, tone)), ((words, tone),), self.wide))
        total = ((f"at most {duration(self.rollback.budget_s)}", Tone.STRONG),)
        return [*rows, ends((("  the whole way back", Tone.STRONG),), total, self.wide)]

    def _wanted(self, step: RollbackStepView) -> bool:
        return step.id in self.needed or (self.trigger is not None and self.trigger in step.needed_for)

    def keys(self) -> tuple[tuple[str, str], ...]:
        """The second step appears when the first is done."""
        if self.ready and self.reason:
            return (("Ctrl+R", "ROLL BACK NOW"), ("Esc", "cancel"))
        return (("Enter", "next: confirm"), ("Esc", "cancel"))

    def _foot(self) -> list[Line]:
        rows = super()._foot()
        if self.ready and self.reason and self.armed:
            rows[0] = ((" Press Ctrl+R to roll back. ", Tone.ALARM),)
        return rows

    @on(Input.Submitted, "#reason")
    def arm(self) -> None:
        """Enter is the first of two deliberate keys."""
        self.ready = bool(self.reason)
        if not self.reason:
            self.app.bell()
            self.query_one("#reason", Input).placeholder = "A reason is required"
        self.rewrite()

    @on(Input.Changed, "#reason")
    def typed(self) -> None:
        """A changed reason must be entered again."""
        self.ready = False
        self.rewrite()

    def action_choose(self, number: int) -> None:
        """Choose or unchoose; one cause at most."""
        choices = self.choices()
        if number >= len(choices):
            return
        choice = choices[number]
        if isinstance(choice, TriggerView):
            self.trigger = None if self.trigger == choice.id else choice.id
            self._suggest(choice)
        else:
            self.needed ^= {choice.id}
        self.rewrite()

    def _suggest(self, trigger: TriggerView) -> None:
        """An empty reason becomes the cause's own words."""
        if self.trigger and not self.reason:
            self.query_one("#reason", Input).value = inert(trigger.title)

    def action_roll_back(self) -> None:
        """The second deliberate key."""
        if self.ready and self.reason and self.armed:
            self.confirm()
        else:
            self.app.bell()

    def confirm(self) -> None:
        """Roll back."""
        needed = tuple(
            step.id for step in (self.rollback.steps if self.rollback else ()) if step.if_needed and self._wanted(step)
        )
        self.dismiss(RollBack(reason=self.reason, trigger=self.trigger, needed=needed))
