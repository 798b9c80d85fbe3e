"""Everything about one number in words: how it is asked, who answers, against what it is held. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cockpit.model.verdict import Verdict
from widgets.formatting import STANDING_TONES, VERDICT, Mark, ago, clock, valued
from widgets.lines import Line, Tone, fit
from widgets.links import linked

if TYPE_CHECKING:
    from cockpit.model.snapshot import MetricView, SignalView

ROOM = 12


def labelled(label: str, text: str, width: int, tone: Tone = Tone.TEXT, most: int = 9) -> list[Line]:
    """A label with a text wrapped beside it; addresses in it can be opened."""
    lines = linked(text, max(8, width - ROOM - 2), tone, most)
    return [((f"  {fit(label if not number else '', ROOM)}", Tone.QUIET), *line) for number, line in enumerate(lines)]


def verdict_rows(metric: SignalView, width: int, now: datetime | None, mark: Mark | None = None) -> list[Line]:
    """The last measurement and why it is judged so."""
    mark = mark or VERDICT[metric.verdict]
    said = (
        f"{mark.glyph} {mark.word}  {valued(metric, metric.value)}  measured {clock(metric.at)}, {ago(metric.at, now)}"
    )
    rows = labelled("verdict", said if metric.at else "○ not measured yet", width, mark.tone)
    rows += labelled("reason", metric.reason, width, Tone.WARN) if metric.reason else []
    for warning in metric.warnings:
        rows += labelled("server warns", warning, width, Tone.WARN)
    return rows


def bands(metric: MetricView) -> str:
    """The three bands in words."""
    unit = f" {metric.unit}" if metric.unit else ""
    normal, critical = ("above", "below") if metric.low_is_bad else ("below", "above")
    return (
        f"normal {normal} {metric.warning_from:g}{unit}, critical {critical} {metric.critical:g}{unit}, warning between"
    )


def bands_rows(metric: MetricView, width: int) -> list[Line]:
    """Bands, limits, and the stable track."""
    rows = labelled("bands", bands(metric), width)
    for limit in metric.limits:
        rows += labelled("rollback" if limit.kind == "trigger" else "gate", f"{limit.text}", width)
    compared = metric.comparison
    if compared is not None:
        since = f" (since {clock(compared.since)})" if compared.since else ""
        rows += labelled("candidate", f"{compared.sentence}{since}", width, STANDING_TONES[compared.standing])
    return rows


def asked_rows(metric: SignalView, width: int) -> list[Line]:
    """Samples, the query as it was sent, who answered, and where a browser shows it."""
    rows: list[Line] = []
    if metric.floor is not None:
        count = "unknown" if metric.samples is None else f"{metric.samples:.0f}"
        few = metric.verdict is Verdict.NO_DATA and metric.samples is not None and metric.samples < metric.floor
        rows += labelled("samples", f"{count}, at least {metric.floor:g}", width, Tone.WARN if few else Tone.TEXT)
    rows += labelled("answered by", metric.source or "nobody", width)
    rows += labelled("query", metric.query, width, Tone.TEXT, 12)
    rows += labelled("graph", metric.link, width, Tone.QUIET, 12) if metric.link else []
    rows += labelled("dashboard", metric.dashboard, width, Tone.QUIET) if metric.dashboard else []
    return rows
