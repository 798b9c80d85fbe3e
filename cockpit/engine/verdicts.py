"""From an answer of a metrics server to a measurement with a verdict. Pure.

Comparisons never see NaN or Inf: Python answers False to `nan > limit`, which would read as healthy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.engine.ports import QueryAnswer
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.base import format_duration
from cockpit.runbook.gate import Bands, Measures, Metric, Monitoring

CLOCKS_APART = timedelta(minutes=10)
"""How far a server's clock may be ahead. Much, as a rehearsal's time passes while an answer is on its way."""

_FINER = 4


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
    if age < -CLOCKS_APART.total_seconds():
        return None, Verdict.NO_DATA, f"the last sample is {-age:.0f} s in the future: one of the clocks is wrong"
    return sample.value, Verdict.NORMAL, ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for one metric, and when; `window` is the rate window in the queries."""

    expression: str
    at: datetime
    window: timedelta


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back, an error in words where nothing did; None where nothing was asked."""

    value: QueryAnswer | str
    samples: QueryAnswer | str | None = None
    age: QueryAnswer | str | None = None


def measure(metric: Metric, monitoring: Monitoring, asked: Asked, answers: Answers) -> Measurement:
    """The measurement of one metric: its value counts if it is one fresh number that rests on enough samples."""
    if isinstance(answers.value, str):
        return broken(metric.id, asked.expression, asked.at, answers.value)
    value, verdict, reason = single(answers.value, asked.at, monitoring.stale_limit)
    count: float | None = None
    warnings = answers.value.warnings
    if value is not None:
        verdict, reason = _age(answers.age, asked.at, monitoring.stale_limit)
    if value is not None and verdict is Verdict.NORMAL and metric.samples is not None:
        count, verdict, reason = _samples(metric.samples.at_least, answers.samples, asked, monitoring)
        warnings += answers.samples.warnings if isinstance(answers.samples, QueryAnswer) else ()
    if value is not None and verdict is Verdict.NORMAL:
        value = whole(metric, value)
        verdict, reason = _judged(metric.bands, value, warnings)
    return Measurement(
        metric=metric.id,
        at=asked.at,
        value=value if verdict.measured else None,
        verdict=verdict,
        reason=reason,
        query=asked.expression,
        samples=count,
        warnings=warnings,
        source=answers.value.source,
        warning_from=metric.bands.warning_from,
        critical_above=metric.bands.critical_above,
        critical_below=metric.bands.critical_below,
    )


def measure_signal(name: str, monitoring: Monitoring, asked: Asked, answer: QueryAnswer | str) -> Measurement:
    """The measurement of a number without bands; a warning of the server makes it at best WARNING."""
    if isinstance(answer, str):
        return broken(name, asked.expression, asked.at, answer)
    value, verdict, reason = single(answer, asked.at, monitoring.stale_limit)
    if verdict is Verdict.NORMAL and answer.warnings:
        verdict, reason = Verdict.WARNING, _warned(answer.warnings)
    return Measurement(
        metric=name,
        at=asked.at,
        value=value,
        verdict=verdict,
        reason=reason,
        query=asked.expression,
        warnings=answer.warnings,
        source=answer.source,
    )


def whole(metric: Metric, value: float) -> float:
    """The value as it is judged: restarts are whole numbers, though `increase()` extrapolates them to fractions."""
    return float(math.floor(value + 0.5)) if metric.measures is Measures.RESTARTS else value


def _judged(bands: Bands, value: float, warnings: tuple[str, ...]) -> tuple[Verdict, str]:
    verdict = bands.thresholds.judge(value)
    if not warnings:
        return verdict, ""
    return (Verdict.WARNING if verdict is Verdict.NORMAL else verdict), _warned(warnings)


def _warned(warnings: tuple[str, ...]) -> str:
    return f"data may be missing, the server warns: {warnings[0]}"


def _age(answer: QueryAnswer | str | None, at: datetime, limit: timedelta) -> tuple[Verdict, str]:
    """Whether the newest sample is fresh; NORMAL when nobody asked."""
    if answer is None:
        return Verdict.NORMAL, ""
    if isinstance(answer, str):
        return Verdict.BROKEN, f"the age of the samples: {answer}"
    age, verdict, reason = single(answer, at, limit)
    if age is None:
        return verdict, f"the age of the samples: {reason}"
    if age > limit.total_seconds():
        return Verdict.NO_DATA, f"the last sample is {age:.0f} s old"
    return Verdict.NORMAL, ""


def _samples(
    floor: float, answer: QueryAnswer | str | None, asked: Asked, monitoring: Monitoring
) -> tuple[float | None, Verdict, str]:
    """How many samples the value rests on, and whether they are enough."""
    if answer is None or isinstance(answer, str):
        return None, Verdict.BROKEN, f"the number of requests: {answer or 'not asked'}"
    count, verdict, reason = single(answer, asked.at, monitoring.stale_limit)
    if verdict is Verdict.BROKEN:
        return None, verdict, f"the number of requests: {reason}"
    if count is None or count < floor:
        return count, Verdict.NO_DATA, needs_more(floor, count or 0.0, asked.window, monitoring.window)
    return count, Verdict.NORMAL, ""


def needs_more(floor: float, count: float, window: timedelta, longest: timedelta) -> str:
    """How many samples are missing and about when they will be there.

    Waiting helps only while the window still grows, and only if its full length would hold enough.
    """
    words = f"needs {math.ceil(floor - count)} more requests"
    rate = count / window.total_seconds() if window > timedelta() else 0.0
    if rate <= 0:
        return words
    if rate * longest.total_seconds() < floor:
        return f"{words}: at this rate {format_duration(longest)} bring only {rate * longest.total_seconds():.0f}"
    return f"{words}, about {math.ceil((floor - count) / rate)} s"


def shown(metric: Metric, value: float | None) -> str:
    """A value with its unit, empty without one."""
    if value is None:
        return ""
    return f"{value:.{metric.decimals}f}{f' {metric.unit}' if metric.unit else ''}"


def beside(metric: Metric, value: float, *limits: float | None) -> str:
    """A value without its unit, with as many decimals as it takes not to be rounded onto a limit or past it."""
    text = f"{value:.{metric.decimals}f}"
    for more in range(_FINER):
        text = f"{value:.{metric.decimals + more}f}"
        said = float(text)
        if all((said > limit, said < limit) == (value > limit, value < limit) for limit in limits if limit is not None):
            break
    return text


def broken(metric_id: str, expression: str, asked_at: datetime, reason: str) -> Measurement:
    """The measurement that could not be made."""
    return Measurement(
        metric=metric_id, at=asked_at, value=None, verdict=Verdict.BROKEN, reason=reason, query=expression
    )
