"""Gate, metrics, triggers and readiness in every detail."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cockpit.model.address import opens
from cockpit.tui.screens.listing import ListingScreen, titled, wrapped
from cockpit.tui.state import current_step
from widgets.chart.detail import bands
from widgets.formatting import ACTION, STEP, VERDICT, ago, clock, valued
from widgets.gate_pane import gate_rows
from widgets.lines import Line, Tone, fit
from widgets.links import leading
from widgets.metrics_table import alerts
from widgets.readiness import light
from widgets.sparkline import sparkline

if TYPE_CHECKING:
    from cockpit.model.snapshot import GuardView, MetricView, ReadinessView, StepView, TriggerView


class DetailScreen(ListingScreen):
    """The evidence behind the colours of the main screen."""

    USES = ("gate", "metrics", "guard", "readiness", "plan", "now")

    def sections(self, width: int) -> list[list[Line]]:
        """Step, gate, metrics, triggers, readiness."""
        step = current_step(self.plan)
        gate = gate_rows(self.gate, self.now, width) if self.gate else []
        metrics = self.metrics
        measured = [
            row for metric in (metrics.metrics if metrics else ()) for row in metric_rows(metric, width, self.now)
        ]
        return [
            titled(f"STEP {step.id}" if step else "STEP", width, step_rows(step, width), "no current step"),
            titled("GATE", width, gate, "no gate now"),
            titled("METRICS", width, [*([alerts(metrics)] if metrics else []), *measured], "no metrics"),
            titled("ROLLBACK TRIGGERS", width, guard_rows(self.guard), "no triggers"),
            titled("ROLLBACK READINESS", width, readiness_rows(self.readiness, width, self.now), "not checked yet"),
        ]


def step_rows(step: StepView | None, width: int) -> list[Line]:
    """The step's state, instructions and actions."""
    if step is None:
        return []
    mark = STEP[step.status]
    rows: list[Line] = [((f"  {mark.glyph} {mark.word}  ", mark.tone), (step.title, Tone.STRONG))]
    rows += wrapped(step.instructions, width) if step.instructions else []
    for action in step.actions:
        each = ACTION[action.status]
        rows.append(
            (
                (f"  {each.glyph} {fit(each.word, 9)}", each.tone),
                (f"{action.title}  ", Tone.TEXT),
                (action.kind, Tone.FAINT),
            )
        )
        for text, tone in ((action.message, Tone.QUIET), (action.hint, Tone.WARN)):
            rows += wrapped(text, width, " " * 13, tone) if text else []
    return rows


def metric_rows(metric: MetricView, width: int, now: datetime | None) -> list[Line]:
    """Value, bands, trend, reason, query; the query leads to its graph."""
    mark = VERDICT[metric.verdict]
    head: Line = (
        (f"  {mark.glyph} {fit(mark.word, 9)}", mark.tone),
        (fit(metric.title, 20), Tone.STRONG),
        (fit(valued(metric, metric.value), 14), Tone.STRONG),
        *sparkline(metric.trend, 40, metric.thresholds),
        (f"  {ago(metric.at, now)}", Tone.QUIET),
    )
    rows: list[Line] = [head, ((" " * 13 + bands(metric), Tone.QUIET),)]
    rows += wrapped(metric.reason, width, " " * 13, Tone.WARN) if metric.reason else []
    return [*rows, *leading(wrapped(metric.query, width, " " * 13, Tone.FAINT), opens(metric.link))]


def guard_rows(guard: GuardView | None) -> list[Line]:
    """All triggers; the declared ones are pulled by a person."""
    if guard is None:
        return []
    problem: list[Line] = [((f"  ✖ the guard cannot see: {guard.problem}", Tone.BAD),)] if guard.problem else []
    return [*problem, *(trigger_row(trigger) for trigger in guard.triggers)]


def trigger_row(trigger: TriggerView) -> Line:
    """A trigger and what it stands at."""
    if trigger.tripped:
        when = f"  rollback at {clock(trigger.rollback_at)}" if trigger.rollback_at else ""
        return (("  ▲ TRIPPED  ", Tone.BAD), (f"{trigger.title}  ", Tone.STRONG), (trigger.state + when, Tone.BAD))
    if trigger.declared:
        return (("  ○ declared ", Tone.QUIET), (trigger.title, Tone.TEXT), ("  by a person, with R", Tone.QUIET))
    return (("  ● watching ", Tone.GOOD), (f"{trigger.title}  ", Tone.TEXT), (trigger.state, Tone.QUIET))


def readiness_rows(view: ReadinessView | None, width: int, now: datetime | None) -> list[Line]:
    """The light, its reasons and proofs."""
    if view is None:
        return []
    mark = light(view)
    rows: list[Line] = [
        ((f"  {mark.glyph} {mark.word} ", mark.tone), (f"  checked {ago(view.checked_at, now)}", Tone.QUIET))
    ]
    rows += [line for reason in view.reasons for line in wrapped(f"✖ {reason}", width, "  ", Tone.BAD)]
    return [*rows, *(line for proof in view.proofs for line in wrapped(f"✔ {proof}", width, "  ", Tone.QUIET))]
