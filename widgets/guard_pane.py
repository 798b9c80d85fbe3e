"""The rollback triggers: how far the run is from going back by itself, and what a person may declare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.lines import Line, Tone, ends
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import GuardView, TriggerView


class GuardPane(Pane):
    """One row a measured trigger, one for the declared ones."""

    TITLE = "GUARD"

    guard: var[GuardView | None] = var(None)

    watch_guard = Pane.rewrite

    def summary(self) -> Line:
        """Whether the guard can see, and whether it rings."""
        view = self.guard
        if view is None:
            return ()
        if any(trigger.tripped for trigger in view.triggers):
            return ((" ▲ TRIPPED ", Tone.ALARM),)
        return (("✖ cannot see", Tone.BAD),) if view.problem else (("● watching", Tone.GOOD),)

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Problem first, then the triggers."""
        view = self.guard
        if view is None:
            return [self.heading(width), (("waiting for the guard …", Tone.QUIET),)]
        if not view.triggers:
            return [self.heading(width), (("the runbook has no triggers", Tone.QUIET),)]
        problem: list[Line] = [((f"✖ {view.problem}", Tone.BAD),)] if view.problem else []
        measured = [trigger_row(trigger, width) for trigger in view.triggers if not trigger.declared]
        return [self.heading(width), *problem, *measured, *_declared(view)]


def trigger_row(trigger: TriggerView, width: int) -> Line:
    """A measured trigger and what it stands at."""
    glyph, tone = ("▲", Tone.BAD) if trigger.tripped else ("●", Tone.GOOD)
    start: Line = ((f"{glyph} ", tone), (trigger.title, Tone.TEXT))
    return ends(start, ((trigger.state, Tone.BAD if trigger.tripped else Tone.QUIET),), width)


def _declared(view: GuardView) -> list[Line]:
    count = sum(trigger.declared for trigger in view.triggers)
    if not count:
        return []
    return [(("○ ", Tone.QUIET), (f"{count} more that people declare, with ", Tone.QUIET), ("R", Tone.KEY))]
