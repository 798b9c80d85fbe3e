"""Every query of the runbook, asked once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from cockpit.cli.preflight.finding import Check, Note, fail, ok, warning
from cockpit.cli.preflight.ground import Ground
from cockpit.engine import verdicts
from cockpit.errors import BadAnswer, OutsideError
from cockpit.model.outside import QueryAnswer
from cockpit.model.text import clean
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.base import format_duration
from cockpit.runbook.compare import Compare
from cockpit.runbook.findings import Path, path_text
from cockpit.runbook.gate import Metric, Signal

if TYPE_CHECKING:
    from cockpit.adapters.alertmanager import AlertmanagerAlerts

GROUP = "metrics"


def checks(ground: Ground) -> list[Check]:
    """One check for each metric and signal, and one for the server itself."""
    monitoring = ground.book.monitoring
    found = [Check(GROUP, "prometheus", partial(server, ground))]
    found += [
        Check(GROUP, metric.id, partial(measure, ground, index, metric))
        for index, metric in enumerate(monitoring.metrics)
    ]
    found += [
        Check(GROUP, f"{metric.id} compared", partial(tracks, ground, index, metric.compare))
        for index, metric in enumerate(monitoring.metrics)
        if metric.compare is not None
    ]
    signals = (
        ("alerts_critical", monitoring.alerts_critical),
        ("candidate_share", monitoring.candidate_share),
        ("residual", monitoring.residual),
    )
    if ground.outside.alerts is not None:
        found.append(Check(GROUP, "alertmanager", partial(alerts, ground.outside.alerts)))
    return found + [Check(GROUP, name, partial(ask, ground, name, signal)) for name, signal in signals if signal]


async def server(ground: Ground) -> Sequence[Note]:
    """Whether something that speaks the Prometheus API answers, at every address of which a run may need it."""
    first, *others = ground.outside.metrics.urls
    notes = [await _speaks(ground, first)]
    for url in others:
        try:
            notes.append(await _speaks(ground, url))
        except OutsideError as error:
            notes.append(warning(f"{clean(url)} does not stand in: {error}", error.hint))
    return [*notes, *_pace(ground)]


def _pace(ground: Ground) -> Iterator[Note]:
    """Whether a trigger's k of n measurements are as many scrapes."""
    monitoring = ground.book.monitoring
    if monitoring.interval < monitoring.scrape_interval and any(each.of > 1 for each in ground.book.rollback.triggers):
        ours, theirs = format_duration(monitoring.interval), format_duration(monitoring.scrape_interval)
        hint = f"Write `interval: {theirs}`, or the true `scrape_interval:`: {ground.line('monitoring', 'interval')}"
        yield warning(f"every {ours} one looks at the same scrape again: a trigger's k of n may be one sample", hint)


async def _speaks(ground: Ground, url: str) -> Note:
    answer = await ground.outside.metrics.query_at(url, "vector(1)")
    if len(answer.samples) == 1:
        return ok(clean(url))
    return fail(f"{clean(url)} does not know vector(1)", "Is it a Prometheus?")


async def alerts(manager: AlertmanagerAlerts) -> Sequence[Note]:
    """Whether the Alertmanager answers, and whether something fires already."""
    answer = await manager.firing()
    (sample,) = answer.samples
    if sample.value > 0:
        names = sample.labels.get("alertname", "")
        return [warning(f"{sample.value:g} critical alerts are firing already: {names}", "Find out why first.")]
    return [ok(f"{clean(manager.url)}: nothing critical fires")]


async def measure(ground: Ground, index: int, metric: Metric) -> Sequence[Note]:
    """One measurement as the run will make it."""
    place: Path = ("monitoring", "metrics", index)
    samples: QueryAnswer | None = None
    age: QueryAnswer | None = None
    if metric.samples is not None:
        counted = await _query(ground, metric.samples.query, (*place, "samples", "query"))
        if isinstance(counted, Note):
            return [counted]
        samples = counted[1]
    if metric.age is not None:
        aged = await _query(ground, metric.age, (*place, "age"))
        if isinstance(aged, Note):
            return [aged]
        age = aged[1]
    answered = await _query(ground, metric.query, (*place, "query"))
    if isinstance(answered, Note):
        return [answered]
    monitoring = ground.book.monitoring
    asked = verdicts.Asked(answered[0], _now(), monitoring.window)
    measured = verdicts.measure(metric, monitoring, asked, verdicts.Answers(answered[1], samples, age))
    return [*judge(metric, measured, ground.line(*place, "query"))]


def judge(metric: Metric, measured: Measurement, place: str) -> Iterator[Note]:
    """No data yet is a warning; what can never be judged is a failure. Pure."""
    shown = verdicts.shown(metric, measured.value)
    match measured.verdict:
        case Verdict.BROKEN:
            yield fail(measured.reason, f"Aggregate the query to one series: {place}")
        case Verdict.NO_DATA:
            value = f"{shown}, " if shown else ""
            yield warning(
                f"{value}no data yet: {measured.reason}", f"Is there traffic, and are the labels right? {place}"
            )
        case Verdict.CRITICAL | Verdict.WARNING:
            why = f" ({measured.reason})" if measured.reason else ""
            yield warning(f"{shown} is {measured.verdict} before anything was changed{why}", "Find out why first.")
        case Verdict.NORMAL:
            yield ok(f"{shown}, {measured.verdict}")


async def ask(ground: Ground, name: str, signal: Signal) -> Sequence[Note]:
    """The number of a signal."""
    place: Path = ("monitoring", name, "query")
    answered = await _query(ground, signal.query, place)
    if isinstance(answered, Note):
        return [answered]
    value, verdict, reason = verdicts.single(answered[1], _now(), ground.book.monitoring.stale_limit)
    if verdict is Verdict.BROKEN:
        return [fail(reason, f"Aggregate the query to one series: {ground.line(*place)}")]
    if value is None and name == "residual":
        return [ok("nothing is counted on the canary route yet")]
    if value is None:
        return [warning(f"no data yet: {reason}", f"Are the labels right? {ground.line(*place)}")]
    if name == "alerts_critical":
        return [await _alerts(ground, signal, value)]
    return [ok(f"{value:g}")]


async def _alerts(ground: Ground, signal: Signal, firing: float) -> Note:
    """That nothing fires shows something only where something can."""
    if firing > 0:
        return warning(f"{firing:g} critical alerts are firing already", "Find out why first.")
    rules = await ground.outside.metrics.alerting_rules() if "ALERTS" in signal.query else None
    if rules is not None and not rules.loaded:
        hint = "Load the alerting rules, or name the Alertmanager that knows the alerts."
        return warning("none fires, as no alerting rule is loaded: it would read 0 whatever happens", hint)
    if rules is not None and rules.broken:
        return warning(f"none fires; these rules cannot be evaluated: {', '.join(rules.broken)}", "Correct the rules.")
    return ok(f"{firing:g}")


async def tracks(ground: Ground, index: int, compare: Compare) -> Sequence[Note]:
    """Whether both tracks can be counted; the candidate has no requests yet."""
    place: Path = ("monitoring", "metrics", index, "compare")
    notes: list[Note] = []
    for side, track in (("candidate", compare.candidate), ("stable", compare.stable)):
        answers = [await _query(ground, query, (*place, side)) for query in track.asked(compare.kind)]
        wrong = [each for each in answers if isinstance(each, Note)]
        notes += wrong
        if side == "stable" and not wrong and not any(each[1].samples for each in answers if isinstance(each, tuple)):
            hint = f"Are the labels right? {ground.line(*place, side)}"
            notes.append(warning("no request of the stable track is counted", hint))
    return notes or [ok("both tracks can be asked for")]


async def _query(ground: Ground, query: str, place: Path) -> tuple[str, QueryAnswer] | Note:
    """The expression and its answer, or a note with the server's own words and the line of the query."""
    expression = query.replace("${window}", f"{int(ground.book.monitoring.window.total_seconds())}s")
    try:
        return expression, await ground.outside.metrics.query(expression)
    except BadAnswer as error:
        return fail(str(error), f"Correct {path_text(place)} at {ground.line(*place)}")


def _now() -> datetime:
    return datetime.now(UTC)
