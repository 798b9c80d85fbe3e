"""Phases and steps with their plan, their truth, and a marker on what is now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.reactive import var

from cockpit.model.status import ActionStatus, StepStatus
from widgets.formatting import ACTION, STEP, age, clock_minutes, seconds_between
from widgets.lines import Line, Tone, ends, width_of, wrap
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import ActionView, PhaseView, PlanView, StepView


class PlanPane(Pane):
    """The way forward. With little room it shows the surroundings of the current step."""

    TITLE = "PHASES & STEPS"
    NUMBER = "1"

    plan: var[PlanView | None] = var(None)

    watch_plan = Pane.rewrite

    def summary(self) -> Line:
        """How many steps are behind."""
        steps = [step for phase in self.plan.phases for step in phase.steps] if self.plan else []
        done = sum(step.status.finished for step in steps)
        return ((f"{done} of {len(steps)} steps", Tone.QUIET),) if steps else ()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """The heading and as much of the plan as fits, around what is now."""
        top = [self.heading(width)] if height > 5 else []
        if self.plan is None:
            return [*top, (("waiting for the plan …", Tone.QUIET),)]
        if not self.plan.phases:
            return [*top, (("the runbook has no phases", Tone.QUIET),)]
        room = height - len(top)
        rows, focus = plan_rows(self.plan, width, self.now, details=room > 12)
        return [*top, *around(rows, focus, room)]


def around(rows: list[Line], focus: int, room: int) -> list[Line]:
    """At most `room` rows, with the row `focus` among them and more of what comes than of what was."""
    if len(rows) <= room:
        return rows
    before = min(max(1, room // 3), room - 1)
    first = min(max(0, focus - before), len(rows) - room)
    return rows[first : first + room]


def plan_rows(plan: PlanView, width: int, now: datetime | None, *, details: bool) -> tuple[list[Line], int]:
    """All rows, and the number of the row that matters now."""
    rows: list[Line] = []
    focus = 0
    for phase in plan.phases:
        rows.append(phase_row(phase, width))
        for step in phase.steps:
            current = step.id == plan.current
            if current:
                focus = len(rows)
            rows.append(step_row(step, width, now, current=current))
            if details and (current or step.status in (StepStatus.FAILED, StepStatus.AMBIGUOUS)):
                rows.extend(((f"    {text}", Tone.QUIET),) for text in wrap(step.instructions, width - 4, 4))
                rows.extend(action_row(action, width, now) for action in step.actions)
    return rows, focus


def phase_row(phase: PhaseView, width: int) -> Line:
    """A phase with its planned time."""
    mark = STEP[phase.status]
    tone = Tone.QUIET if phase.status is StepStatus.PENDING else Tone.STRONG
    start: Line = ((f"{phase.id} {phase.title}", tone),)
    state: Line = ((f"{mark.glyph} {mark.word:8}", mark.tone),)
    end: Line = ((f"{_planned(phase.planned_start, phase.planned_end)}  ", Tone.FAINT), *state)
    return ends(start, end if width_of(start) + width_of(end) < width else state, width)


def step_row(step: StepView, width: int, now: datetime | None, *, current: bool) -> Line:
    """A step with what is true of it; the current one has a marker and its time so far."""
    mark = STEP[step.status]
    title = Tone.STRONG if current else Tone.QUIET if step.status.finished else Tone.TEXT
    start: Line = (("▸ " if current else "  ", Tone.NOW), (f"{step.id} {step.title}", title))
    when = _when(step, now, current=current)
    state: Line = ((f"{mark.glyph} {mark.word:8}", mark.tone),)
    for words in (when, when.split()[-1] if when else "", ""):
        end: Line = ((f"{words}  " if words else "", Tone.QUIET), *state)
        if width_of(start) + width_of(end) < width:
            break
    return ends(start, end, width)


def _when(step: StepView, now: datetime | None, *, current: bool) -> str:
    if step.started_at is None:
        return clock_minutes(step.planned_start) if step.planned_start else ""
    if step.ended_at is not None:
        return f"{clock_minutes(step.started_at)} {age(seconds_between(step.started_at, step.ended_at)):>5}"
    if step.status is StepStatus.STOPPED:
        return clock_minutes(step.started_at)
    return f"{clock_minutes(step.started_at)} {age(seconds_between(step.started_at, now)):>5}" if current else ""


def action_row(action: ActionView, width: int, now: datetime | None) -> Line:
    """One action of the current step: what it does and how far it is."""
    mark = ACTION[action.status]
    text = f"{action.title}{' (optional)' if action.optional else ''}"
    if action.consent and action.status is ActionStatus.PENDING:
        return ends(((f"    {text}", Tone.TEXT),), (("◆ needs consent", Tone.WARN),), width)
    start: Line = (("    ", Tone.TEXT), (text, Tone.QUIET if action.status.settled else Tone.TEXT))
    words = f"{action.message} " if action.message and not action.status.settled else ""
    room = max(0, width - width_of(start) - len(mark.word) - 5)
    end: Line = ((words if len(words) <= room else "", Tone.QUIET), (f"{mark.glyph} {mark.word:8}", mark.tone))
    return ends(start, end, width)


def _planned(start: datetime | None, end: datetime | None) -> str:
    return f"{clock_minutes(start)}–{clock_minutes(end)}" if start and end else ""
