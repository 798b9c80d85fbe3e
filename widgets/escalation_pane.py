"""The escalation ladder: who must be called now, and who is next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.formatting import ago, duration, seconds_between
from widgets.lines import Line, Tone, ends, wrap
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import EscalationLevelView, EscalationView


class EscalationPane(Pane):
    """Nothing, or the level, the person and the time to the next."""

    TITLE = "ESCALATION"
    NUMBER = "7"

    escalation: var[EscalationView | None] = var(None)

    watch_escalation = Pane.rewrite

    def summary(self) -> Line:
        """The level."""
        return level_words(self.escalation, self.now) if self.escalation else ()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """One line, or the person to call and the next level too."""
        view = self.escalation
        if view is None:
            waiting: Line = (("waiting for the ladder …", Tone.QUIET),)
            return [self.heading(width), waiting] if height > 2 else [(("ESCALATION ", Tone.TITLE), *waiting)]
        if height < 3:
            return [self._line(view, width)]
        rows = [self.heading(width)]
        if view.since is None:
            return [*rows, *(((text, Tone.QUIET),) for text in wrap(ladder_words(view), width, 2))]
        return [*rows, *escalation_rows(view, self.now, width)]

    def _line(self, view: EscalationView, width: int) -> Line:
        start: Line = (("ESCALATION ", Tone.TITLE), *level_words(view, self.now))
        if view.since is None:
            return ends(start, (), width)
        now_level = at_level(view, view.level)
        call = f"  call {person(now_level)}" if now_level and not view.acknowledged_by else ""
        return ends((*start, (call, Tone.STRONG)), next_words(view, self.now, short=True), width)


def at_level(view: EscalationView, number: int) -> EscalationLevelView | None:
    """The level with that number."""
    return next((level for level in view.levels if level.level == number), None)


def person(level: EscalationLevelView) -> str:
    """Role, name and number of the one to call."""
    return " ".join(part for part in (level.call, level.name, level.phone) if part)


def level_words(view: EscalationView, now: datetime | None) -> Line:
    """The level and how long it has been going."""
    if view.since is None:
        return (("✔ none", Tone.GOOD),)
    words = f"LEVEL {view.level} since {duration(seconds_between(view.since, now))}"
    if view.acknowledged_by:
        return ((f"● {words}", Tone.WARN), (f" acknowledged by {view.acknowledged_by}", Tone.GOOD))
    return ((f" ▲ {words} ", Tone.ALARM),)


def next_words(view: EscalationView, now: datetime | None, *, short: bool = False) -> Line:
    """The next level and when it is due."""
    if view.since is None or view.acknowledged_by:
        return ()
    passed = seconds_between(view.since, now)
    coming = next((level for level in view.levels if level.after_s > passed), None)
    if coming is None:
        return (("no higher level", Tone.QUIET),)
    when = f"in {duration(coming.after_s - passed)}"
    if short:
        return ((f"L{coming.level} {when}", Tone.WARN),)
    return (("next ", Tone.QUIET), (f"level {coming.level} {when}", Tone.WARN), (f"  {person(coming)}", Tone.QUIET))


def escalation_rows(view: EscalationView, now: datetime | None, width: int) -> list[Line]:
    """Cause, call, next level, acknowledgement."""
    key: Line = () if view.acknowledged_by else (("a", Tone.KEY), (" acknowledges", Tone.QUIET))
    rows = [ends(((view.cause, Tone.TEXT),), key, width)]
    now_level = at_level(view, view.level)
    if now_level is not None:
        rows.append((("call ", Tone.QUIET), (person(now_level), Tone.STRONG)))
    if view.acknowledged_by:
        rows.append(((f"✔ {view.acknowledged_by} has it, {ago(view.acknowledged_at, now)}", Tone.GOOD),))
    else:
        rows.append(next_words(view, now))
    return rows


def ladder_words(view: EscalationView) -> str:
    """The ladder while it sleeps."""
    if not view.levels:
        return "the runbook names no levels"
    first = view.levels[0]
    return f"{len(view.levels)} levels stand by, first {person(first)}"
