"""The way back while it runs: the whole clock against its budget, and every step against its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.digits import big
from widgets.formatting import ACTION, duration, rollback_step_mark, seconds_between
from widgets.gate_pane import progress
from widgets.lines import Line, Tone, ends, fit, heading, right, width_of, wrap
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import RollbackStepView, RollbackView

CLOCK_WIDTH = 24


class RollbackPane(Pane):
    """Takes the place of the next-banner and the gate while the run goes back."""

    TITLE = "ROLLBACK"
    DEFAULT_CSS = """
    RollbackPane { background: $alarm-surface; border-left: outer $alarm; }
    RollbackPane.-done { background: $surface; border-left: outer $good; }
    """

    rollback: var[RollbackView | None] = var(None)

    def watch_rollback(self, rollback: RollbackView | None) -> None:
        """A successful end loses the alarm's colour."""
        self.set_class(bool(rollback and rollback.succeeded), "-done")
        rows = 3 + max(len(step_rows(rollback, 80, self.now)), 5) if rollback else 8
        self.styles.height = min(14, rows)
        self.rewrite()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Clock on the left and steps on the right, or a short list when narrow."""
        view = self.rollback
        if view is None:
            return []
        top = [heading(self.TITLE, width, outcome(view, self.now)), *reason_rows(view, width)]
        if width < 100 or height < 7:
            room = height - len(top)
            return [*top, total_line(view, self.now, width), *step_rows(view, width, self.now)][: room + len(top)]
        right_width = width - CLOCK_WIDTH - 2
        left = clock_rows(view, self.now)
        steps = step_rows(view, right_width, self.now)
        count = max(len(left), len(steps))
        return [*top, *(_beside(left, steps, row) for row in range(count))]


def _beside(left: list[Line], steps: list[Line], row: int) -> Line:
    start = left[row] if row < len(left) else ()
    gap = (" " * (CLOCK_WIDTH + 2 - width_of(start)), Tone.TEXT)
    return (*start, gap, *(steps[row] if row < len(steps) else ()))


def elapsed_s(view: RollbackView, now: datetime | None) -> float:
    """How long the rollback has taken."""
    return seconds_between(view.started_at, view.ended_at or now)


def outcome(view: RollbackView, now: datetime | None) -> Line:
    """What became of it, or that it is under way and whether it is late."""
    if view.ended_at is not None:
        took = duration(elapsed_s(view, now))
        if view.succeeded:
            return ((f"✔ BACK ON STABLE in {took}", Tone.GOOD),)
        return ((f" ✖ ROLLBACK FAILED after {took} ", Tone.ALARM),)
    if elapsed_s(view, now) > view.budget_s:
        return ((f" ▲ OVER BUDGET by {duration(elapsed_s(view, now) - view.budget_s)} ", Tone.ALARM),)
    return (("◀ going back to stable", Tone.STRONG),)


def reason_rows(view: RollbackView, width: int) -> list[Line]:
    """Who ordered it and why."""
    by = f"  by {view.actor}" if view.actor else ""
    return [((text, Tone.TEXT),) for text in wrap(f"{view.reason}{by}", width, 1)]


def total_line(view: RollbackView, now: datetime | None, width: int) -> Line:
    """The whole clock on one line."""
    took = elapsed_s(view, now)
    tone = Tone.BAD if took > view.budget_s else Tone.NOW
    words: Line = ((f"{duration(took)} ", Tone.STRONG), (f"of {duration(view.budget_s)}  ", Tone.QUIET))
    return (*words, *progress(took / view.budget_s if view.budget_s else 1.0, max(0, width - width_of(words)), tone))


def clock_rows(view: RollbackView, now: datetime | None) -> list[Line]:
    """The whole clock in big digits, its budget and a bar."""
    took = elapsed_s(view, now)
    tone = Tone.BAD if took > view.budget_s else Tone.STRONG
    share = took / view.budget_s if view.budget_s else 1.0
    bar = progress(share, CLOCK_WIDTH, Tone.BAD if tone is Tone.BAD else Tone.NOW)
    return [*(((row, tone),) for row in big(duration(took))), ((f"of {duration(view.budget_s)}", Tone.QUIET),), bar]


def step_rows(view: RollbackView, width: int, now: datetime | None) -> list[Line]:
    """Each step: what it is, its state, its time against its budget; failed actions below it."""
    rows: list[Line] = []
    for number, step in enumerate(view.steps, 1):
        rows.append(step_row(number, step, width, now))
        rows.extend(
            ((f"     {ACTION[action.status].glyph} {action.title}: {action.message}", Tone.BAD),)
            for action in step.actions
            if action.status in ("failed", "ambiguous")
        )
    return rows


def step_row(number: int, step: RollbackStepView, width: int, now: datetime | None) -> Line:
    """One step; an overrun is an alarm in words."""
    mark = rollback_step_mark(step.status)
    took = seconds_between(step.started_at, step.ended_at or now)
    over = took > step.budget_s
    times = f"{duration(took) if step.started_at else '–':>5} / {duration(step.budget_s)}"
    start: Line = (
        (f"{number} ", Tone.QUIET),
        (f"{mark.glyph} ", mark.tone),
        (fit(step.title, max(12, min(34, width - 48))), Tone.STRONG if step.status == "running" else Tone.TEXT),
        (f" {fit(mark.word, 8)}", mark.tone),
        (right(times, 14), Tone.BAD if over else Tone.TEXT),
    )
    if over:
        late = duration(took - step.budget_s)
        alarm = f" ▲ OVERRUN +{late} "
        return (
            *start,
            ("  ", Tone.TEXT),
            (alarm if width_of(start) + len(alarm) + 2 <= width else f" ▲ +{late} ", Tone.ALARM),
        )
    words = step.message or ("only if needed" if step.if_needed and step.status in ("pending", "skipped") else "")
    return ends((*start, (f"  {words}", Tone.QUIET)), (), width)
