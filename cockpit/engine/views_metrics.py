"""The slice about what is measured: the last values, against what they are held, and how the tracks compare. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from cockpit.engine import conditions, plan
from cockpit.engine.core import Core
from cockpit.model.address import shown
from cockpit.model.snapshot import ComparisonView, LimitView, MetricsView, MetricView, ResidualView, ShareView
from cockpit.model.verdict import ALERTS_CRITICAL, CANARY_RESIDUAL, CANDIDATE_SHARE, Measurement
from cockpit.runbook.actions import Traffic
from cockpit.runbook.base import format_duration
from cockpit.runbook.gate import Condition, Metric, Trigger, TriggerResponse
from cockpit.runbook.schema import Step

TREND = 24
SHARE_DECIMALS = 1
RESIDUAL_DECIMALS = 2


def metrics_view(core: Core) -> MetricsView:
    """All metrics."""
    alerts = core.seen.measurements.get(ALERTS_CRITICAL)
    boards = {board.id: board.url for board in core.setting.book.dashboards}
    step = plan.running_step(core.setting.book, core.state)
    return MetricsView(
        metrics=tuple(_metric(core, metric, boards, step) for metric in core.setting.book.monitoring.metrics),
        share=_share(core),
        residual=_residual(core),
        alerts_critical=_alerts(alerts),
        interval_s=core.setting.book.monitoring.interval.total_seconds(),
        loaded=bool(core.seen.measurements),
    )


def _alerts(seen: Measurement | None) -> int | None:
    """How many fire. None is not told where the server warns that it may not know of all."""
    if seen is None or seen.value is None or (seen.warnings and not seen.value):
        return None
    return math.ceil(seen.value)


def _metric(core: Core, metric: Metric, boards: Mapping[str, str], step: Step | None) -> MetricView:
    view = MetricView(
        id=metric.id,
        title=metric.title,
        unit=metric.unit,
        decimals=metric.decimals,
        warning_from=metric.bands.warning_from,
        critical=metric.bands.critical,
        low_is_bad=metric.bands.low_is_bad,
        query=metric.query,
        reason="not measured yet",
        dashboard=shown(boards.get(metric.dashboard or "", "")),
        floor=metric.samples.at_least if metric.samples else None,
        limits=tuple(_limits(core, metric, step)),
        comparison=_comparison(core, metric),
    )
    seen = core.seen.measurements.get(metric.id)
    if seen is None:
        return view
    trend = core.seen.history.readings[metric.id][-TREND:]
    return view.model_copy(
        update={
            **_answered(core, seen, metric.decimals),
            "samples": None if seen.samples is None else round(seen.samples, 1),
            "trend": tuple(_short(reading.value, metric.decimals) for reading in trend),
        }
    )


def _answered(core: Core, seen: Measurement, decimals: int) -> dict[str, Any]:
    """What a measurement tells of a number that is asked for regularly."""
    return {
        "value": _short(seen.value, decimals),
        "verdict": seen.verdict,
        "reason": seen.reason,
        "at": seen.at,
        "query": seen.query,
        "link": core.setting.book.monitoring.link(seen.query, seen.source),
        "source": seen.source,
        "warnings": seen.warnings,
    }


def _short(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals + 1)


def _share(core: Core) -> ShareView | None:
    book = core.setting.book
    if book.monitoring.candidate_share is None:
        return None
    moves = {step.id: [each.tolerance for each in step.actions if isinstance(each, Traffic)] for step in book.steps}
    view = ShareView(
        id=CANDIDATE_SHARE,
        title=f"Share to {book.cluster.candidate}",
        unit="%",
        decimals=SHARE_DECIMALS,
        query=book.monitoring.candidate_share.query,
        reason="not measured yet",
        candidate=book.cluster.candidate,
        tolerances={step: tolerances[0] for step, tolerances in moves.items() if tolerances},
        tolerance=conditions.USUAL_TOLERANCE,
        settles_s=book.monitoring.shortest_window.total_seconds(),
    )
    seen = core.seen.measurements.get(CANDIDATE_SHARE)
    return view if seen is None else view.model_copy(update=_answered(core, seen, SHARE_DECIMALS))


def _residual(core: Core) -> ResidualView | None:
    monitoring = core.setting.book.monitoring
    if monitoring.residual is None:
        return None
    view = ResidualView(
        id=CANARY_RESIDUAL,
        title="Residual requests",
        unit="/s",
        decimals=RESIDUAL_DECIMALS,
        query=monitoring.residual.query,
        reason="measured once the canary route is out of service",
        candidate=core.setting.book.cluster.candidate,
        at_most=monitoring.residual.at_most,
        settles_s=monitoring.shortest_window.total_seconds(),
    )
    seen = core.seen.measurements.get(CANARY_RESIDUAL)
    return view if seen is None else view.model_copy(update=_answered(core, seen, RESIDUAL_DECIMALS))


def _limits(core: Core, metric: Metric, step: Step | None) -> Iterator[LimitView]:
    for trigger in core.setting.book.rollback.triggers:
        if trigger.metric == metric.id:
            for sign, value in _numbers(trigger):
                yield LimitView(kind="trigger", sign=sign, value=value, text=_trigger(trigger))
    for condition in step.gate.conditions if step and step.gate else ():
        if condition.metric == metric.id and step is not None:
            advisory = ", advisory" if condition.advisory else ""
            for sign, value in _numbers(condition):
                text = f"gate {step.id} needs {sign} {value:g}{advisory}"
                yield LimitView(kind="gate", sign=sign, value=value, text=text)


def _numbers(limited: Trigger | Condition) -> Iterator[tuple[Literal["<", ">"], float]]:
    if limited.below is not None:
        yield "<", limited.below
    if limited.above is not None:
        yield ">", limited.above


def _trigger(trigger: Trigger) -> str:
    asks = f"after a countdown of {format_duration(trigger.countdown)}"
    when = "at once" if trigger.response is TriggerResponse.ROLLBACK else asks
    return f"{trigger.limit} in {trigger.breaches} of {trigger.of}, {when}"


def _comparison(core: Core, metric: Metric) -> ComparisonView | None:
    seen = core.seen.comparisons.get(metric.id)
    if seen is None:
        return None
    return ComparisonView(standing=seen.standing, sentence=seen.sentence, at=seen.at, since=seen.since)
