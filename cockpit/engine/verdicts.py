"""From an answer of a metrics server to a measurement with a verdict. Pure.

Comparisons never see NaN or Inf: Python answers False to `nan > limit`, which would read as healthy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from cockpit.engine.ports import QueryAnswer
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.gate import Bands, Metric, Monitoring


def band(bands: Bands, value: float) -> Verdict:
    """NORMAL below `warning_from`, WARNING from there up to and including `critical_above`, CRITICAL above."""
    if value > bands.critical_above:
        return Verdict.CRITICAL
    return Verdict.WARNING if value >= bands.warning_from else Verdict.NORMAL


def single(answer: QueryAnswer, asked_at: datetime, stale_after: timedelta) -> tuple[float | None, Verdict, str]:
    """The one number of an answer, or NO_DATA / BROKEN with the reason."""
    if not answer.samples:
        return None, Verdict.NO_DATA, "no series: nothing was measured"
    if len(answer.samples) > 1:
        return None, Verdict.BROKEN, f"{len(answer.samples)} series where one is expected"
    sample = answer.samples[0]
    if not math.isfinite(sample.value):
        return None, Verdict.NO_DATA, "not a number: nothing was counted"
    age = (asked_at - sample.at).total_seconds()
    if age > stale_after.total_seconds():
        return None, Verdict.NO_DATA, f"the last sample is {age:.0f} s old"
    return sample.value, Verdict.NORMAL, ""


def measure(
    metric: Metric,
    monitoring: Monitoring,
    expression: str,
    answer: QueryAnswer,
    asked_at: datetime,
    samples: float | None = None,
    rate_per_s: float | None = None,
) -> Measurement:
    """The measurement of one metric; `samples` is how many samples it rests on, if the metric has a floor."""
    value, verdict, reason = single(answer, asked_at, monitoring.stale_after)
    if value is not None:
        verdict = band(metric.bands, value)
        floor = metric.samples.at_least if metric.samples else None
        if floor is not None and (samples is None or samples < floor):
            verdict, reason = Verdict.NO_DATA, _needs_more(floor, samples or 0.0, rate_per_s)
        elif answer.warnings and verdict is Verdict.NORMAL:
            verdict, reason = Verdict.WARNING, f"the server warns: {answer.warnings[0]}"
    return Measurement(
        metric=metric.id,
        at=asked_at,
        value=value,
        verdict=verdict,
        reason=reason,
        query=expression,
        samples=samples,
    )


def _needs_more(floor: float, samples: float, rate_per_s: float | None) -> str:
    missing = math.ceil(floor - samples)
    if not rate_per_s or rate_per_s <= 0:
        return f"needs {missing} more requests"
    return f"needs {missing} more requests, about {math.ceil(missing / rate_per_s)} s"


def shown(metric: Metric, value: float | None) -> str:
    """A value with its unit, empty without one."""
    if value is None:
        return ""
    return f"{value:.{metric.decimals}f}{f' {metric.unit}' if metric.unit else ''}"


def broken(metric_id: str, expression: str, asked_at: datetime, reason: str) -> Measurement:
    """The measurement that could not be made."""
    return Measurement(
        metric=metric_id, at=asked_at, value=None, verdict=Verdict.BROKEN, reason=reason, query=expression
    )


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that matters most: what cannot be trusted comes before what is bad only for the run's advance."""
    order = (Verdict.CRITICAL, Verdict.BROKEN, Verdict.NO_DATA, Verdict.WARNING)
    return next((verdict for verdict in order if verdict in verdicts), Verdict.NORMAL)
