"""Phases and steps with their plan, their truth, and a marker on what is now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.reactive import var

from cockpit.model.snapshot import ActionView, PhaseView, PlanView, StepView
from cockpit.model.status import ActionStatus, StepStatus
from widgets.formatting import ACTION, STEP, age, clock_minutes, duration, seconds_between
from widgets.header_bar import drift
from widgets.lines import Line, Tone, ends, width_of
from widgets.pane import Pane


class PlanPane(Pane):
    """The way forward. With little room it shows the surroundings of the current step."""

    TITLE = "PHASES & STEPS"
    NUMBER = "1"

    plan: var[PlanView | None] = var(None)

    watch_plan = Pane.rewrite

    def summary(self) -> Line:
        """How late the run is."""
        if self.plan is None or self.plan.drift_s is None:
            return ()
        return drift(self.plan.drift_s)

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """The heading and as much of the plan as fits, around what is now."""
        top = [self.heading(width)] if height > 3 else []
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
    first = min(max(0, focus - max(1, room // 3)), len(rows) - room)
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
                rows.extend(action_row(action, width, now) for action in step.actions)
    return rows, focus


def phase_row(phase: PhaseView, width: int) -> Line:
    """A phase with its planned time."""
    mark = STEP[phase.status]
    tone = Tone.QUIET if phase.status is StepStatus.PENDING else Tone.STRONG
    start: Line = ((f"{mark.glyph} ", mark.tone), (f"{phase.id} {phase.title}", tone))
    end: Line = ((_planned(phase.planned_start, phase.planned_end), Tone.FAINT),)
    return ends(start, end, width)


def step_row(step: StepView, width: int, now: datetime | None, *, current: bool) -> Line:
    """A step with what is true of it; the current one has a marker and its time so far."""
    mark = STEP[step.status]
    title = Tone.STRONG if current else Tone.QUIET if step.status.finished else Tone.TEXT
    start: Line = (("▸ " if current else "  ", Tone.NOW), (f"{step.id} {step.title}", title))
    when = _when(step, now, current=current)
    end: Line = ((f"{when} ", Tone.QUIET), (f"{mark.glyph} {mark.word:8}", mark.tone))
    return ends(start, end, width) if width_of(start) + width_of(end) < width else ends(start, mark.line, width)


def _when(step: StepView, now: datetime | None, *, current: bool) -> str:
    if step.started_at is None:
        return clock_minutes(step.planned_start) if step.planned_start else ""
    if step.ended_at is not None:
        return age(seconds_between(step.started_at, step.ended_at))
    return duration(seconds_between(step.started_at, now)) if current else ""


def action_row(action: ActionView, width: int, now: datetime | None) -> Line:
    """One action of the current step: what it does and how far it is."""
    mark = ACTION[action.status]
    text = f"{action.title}{' (optional)' if action.optional else ''}"
    if action.consent and action.status is ActionStatus.PENDING:
        return ends(((f"     {text}", Tone.TEXT),), (("◆ needs consent", Tone.WARN),), width)
    start: Line = (("     ", Tone.TEXT), (text, Tone.QUIET if action.status.settled else Tone.TEXT))
    words = f"{action.message} " if action.message and not action.status.settled else ""
    room = max(0, width - width_of(start) - len(mark.word) - 5)
    end: Line = ((words if len(words) <= room else "", Tone.QUIET), (f"{mark.glyph} {mark.word:8}", mark.tone))
    return ends(start, end, width)


def _planned(start: datetime | None, end: datetime | None) -> str:
    return f"{clock_minutes(start)}–{clock_minutes(end)}" if start and end else ""
