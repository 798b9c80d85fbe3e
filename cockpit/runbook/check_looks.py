"""Whether measurements can say what gates ask of them: windows, units, holds, comparisons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from cockpit.runbook.actions import Traffic
from cockpit.runbook.base import format_duration
from cockpit.runbook.compare import Compare, CompareKind, TrackQueries, fewest, selects_counter
from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.gate import Gate, Measures, Metric, Monitoring
from cockpit.runbook.schema import Runbook, Step
from cockpit.runbook.walk import gates, placed, steps

_RANGE = re.compile(r"\[(\d+(?:ms|[smhdw])(?:\d+(?:ms|[smhdw]))*)(?::[^\]]*)?\]")
_PART = re.compile(r"(\d+)(ms|[smhdw])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BUCKETS = re.compile(r"_bucket\s*(?:\{|$)")
_TO_MILLISECONDS = re.compile(r"\b(1000(\.0)?|1e3)\b")
_SHARES = (Measures.ERROR_RATE, Measures.SUCCESS_RATE, Measures.SERVER_ERRORS, Measures.MEMORY)


def windows(runbook: Runbook) -> Iterator[Problem]:
    """A rate needs two samples, so no window is shorter than two scrape intervals."""
    monitoring = runbook.monitoring
    shortest = 2 * monitoring.scrape_interval
    hint = f"Write at least {format_duration(shortest)}, two scrape intervals."
    for field in ("window", "stale_after"):
        given = getattr(monitoring, field)
        if given is not None and timedelta() < given < shortest:
            what = "holds no two samples" if field == "window" else "calls fresh samples stale"
            yield Problem(("monitoring", field), what, hint)
    for path, metric in placed(monitoring.metrics, "monitoring", "metrics"):
        for match in _RANGE.finditer(metric.query):
            if 0 < _seconds(match[1]) < shortest.total_seconds():
                yield Problem((*path, "query"), f"the range {match[0]} holds no two samples", hint)


def units(runbook: Runbook) -> Iterator[Problem]:
    """A metric's thresholds and its query are in its unit."""
    for path, metric in placed(runbook.monitoring.metrics, "monitoring", "metrics"):
        if metric.unit == "%" and metric.measures in _SHARES:
            yield from _percent((*path, "bands"), metric)
        if metric.measures is Measures.LATENCY_P95:
            yield from _latency_unit(path, metric)


def holds(runbook: Runbook) -> Iterator[Problem]:
    """A gate can pass: its hold fits in its time, its budgets fit in what they count, something decides."""
    monitoring = runbook.monitoring
    for path, gate in gates(runbook):
        if all(condition.advisory for condition in gate.conditions):
            yield Problem((*path, "conditions"), "are all advisory: nothing decides", "Let one of them decide.")
        if gate.of is not None and gate.failures_allowed >= gate.of:
            problem = f"{gate.failures_allowed} failed looks of {gate.of} are all of them"
            yield Problem((*path, "failures_allowed"), problem, "Let failures_allowed be less than `of`.")
        yield from _contradictions(path, gate)
        yield from _interval(path, gate, monitoring)
        yield from _budget(path, gate, gate.interval or monitoring.interval)
        if gate.give_up_after is not None and gate.hold + monitoring.shortest_window > gate.give_up_after:
            needs = gate.hold + monitoring.shortest_window
            problem = "comes before the gate can pass"
            hint = f"The hold and the warm-up take {format_duration(needs)}."
            yield Problem((*path, "give_up_after"), problem, hint)


def comparisons(runbook: Runbook) -> Iterator[Problem]:
    """A comparison has the queries of its kind, and enough requests to show anything."""
    for path, metric in placed(runbook.monitoring.metrics, "monitoring", "metrics"):
        if metric.compare is not None:
            yield from _compare((*path, "compare"), metric, metric.compare)


def compare_conditions(runbook: Runbook) -> Iterator[Problem]:
    """A gate compares what can be compared, beside a limit that both tracks must keep."""
    metrics = {metric.id: metric for metric in runbook.monitoring.metrics}
    for path, step in steps(runbook):
        for at, condition in placed(step.gate.conditions if step.gate else (), *path, "gate", "conditions"):
            if condition.compare is None:
                continue
            where = (*at, "compare")
            metric = metrics.get(condition.compare)
            if metric is None or metric.compare is None:
                hint = f"Compared are: {', '.join(name for name, each in metrics.items() if each.compare) or 'none'}."
                yield Problem(where, f"the metric `{condition.compare}` is not compared", hint)
            elif not condition.advisory:
                yield from _deciding(where, step, condition.compare)


def _deciding(where: Path, step: Step, name: str) -> Iterator[Problem]:
    weights = [action.weight for action in step.actions if isinstance(action, Traffic)]
    if weights and weights[-1] in (0, 100):
        hint = "Compare in the steps in which both tracks have traffic."
        yield Problem(where, f"can never hold at {weights[-1]} %: one track has no traffic", hint)
    conditions = step.gate.conditions if step.gate else ()
    if not any((each.metric == name or each.all_metrics) and not each.advisory for each in conditions):
        hint = f"Add `metric: {name}` with `below:`, or `all_metrics:`, to the gate."
        yield Problem(where, "has no absolute limit beside it: both tracks could be bad alike", hint)


def _compare(path: Path, metric: Metric, compare: Compare) -> Iterator[Problem]:
    needed = ("buckets",) if compare.kind is CompareKind.LATENCY else ("errors", "requests")
    for side, track in (("candidate", compare.candidate), ("stable", compare.stable)):
        yield from _track((*path, side), track, needed, compare.kind)
    if compare.candidate == compare.stable:
        yield Problem((*path, "stable"), "asks the same as `candidate`", "Select the stable track's requests.")
    if compare.at_least < fewest(compare.alpha):
        problem = f"fewer than {fewest(compare.alpha)} requests can never show a difference at {compare.alpha:g}"
        yield Problem((*path, "at_least"), problem, "A hundred are a sensible floor.")
    if compare.kind is CompareKind.LATENCY and compare.rules_out is not None:
        yield Problem((*path, "rules_out"), "has no effect on latency", "Leave it out.")
    if compare.kind is CompareKind.LATENCY and metric.unit not in ("s", "ms"):
        yield Problem(path, f"{metric.title} is in no unit of time", "Let the metric's unit be s or ms.")


def _track(path: Path, track: TrackQueries, needed: tuple[str, ...], kind: CompareKind) -> Iterator[Problem]:
    for field in ("errors", "requests", "buckets"):
        query = getattr(track, field)
        if field in needed and not (query or "").strip():
            yield Problem(path, f"`{field}` is missing", f"A comparison of {kind} needs {' and '.join(needed)}.")
        elif field not in needed and query is not None:
            yield Problem((*path, field), f"has no effect on {kind}", "Leave it out.")
        elif query and "${window}" not in query and not selects_counter(query):
            hint = "Write the selector of a counter, or PromQL with increase(…[${window}])."
            yield Problem((*path, field), "does not count over ${window}", hint)
        elif query and field == "buckets" and selects_counter(query) and not _BUCKETS.search(query):
            yield Problem((*path, field), "selects no buckets of a histogram", "Their name ends in _bucket.")


def _percent(path: Path, metric: Metric) -> Iterator[Problem]:
    """A share is between 0 and 100, and can be normal as well as critical."""
    found = metric.bands
    if found.critical_above is not None and found.critical_above >= 100:
        problem = f"{metric.title} can never be above {found.critical_above:g} %"
        yield Problem((*path, "critical_above"), problem, "Write percent, less than 100.")
    if found.critical_below is not None and found.critical_below <= 0:
        problem = f"{metric.title} can never be below {found.critical_below:g} %"
        yield Problem((*path, "critical_below"), problem, "Write percent, more than 0.")
    normal = found.warning_from < 100 if found.low_is_bad else found.warning_from > 0
    if not normal:
        yield Problem((*path, "warning_from"), f"{metric.title} can never be normal", "Write percent, from 0 to 100.")


def _latency_unit(path: Path, metric: Metric) -> Iterator[Problem]:
    in_seconds = "_seconds_bucket" in metric.query
    scaled = _TO_MILLISECONDS.search(metric.query) is not None
    if metric.unit == "ms" and in_seconds and not scaled:
        yield Problem((*path, "query"), "gives seconds for a metric in ms", "Multiply by 1000.")
    if metric.unit == "s" and in_seconds and scaled:
        yield Problem((*path, "query"), "gives milliseconds for a metric in s", "Do not multiply, or write unit: ms.")


def _contradictions(path: Path, gate: Gate) -> Iterator[Problem]:
    """No value is below one limit of a metric and above another of the same gate."""
    decide = [condition for condition in gate.conditions if not condition.advisory]
    for at, condition in placed(gate.conditions, *path, "conditions"):
        if condition.below is None or condition.advisory:
            continue
        above = [other.above for other in decide if other.metric == condition.metric and other.above is not None]
        if above and max(above) >= condition.below:
            hint = "Let below be greater than above."
            yield Problem((*at, "below"), f"can never hold together with `above: {max(above):g}`", hint)


def _interval(path: Path, gate: Gate, monitoring: Monitoring) -> Iterator[Problem]:
    """A gate's own pace shows it something new at every look, and lets it look more than once."""
    if gate.interval is None or gate.interval <= timedelta():
        return
    where = (*path, "interval")
    if timedelta() < gate.hold < gate.interval:
        hint = f"Write at most {format_duration(gate.hold)}, the hold."
        yield Problem(where, "is longer than the hold: the gate would look once", hint)
    if gate.interval < monitoring.scrape_interval:
        hint = f"Write at least {format_duration(monitoring.scrape_interval)}, the scrape interval."
        yield Problem(where, "would look at the same sample again and again", hint)


def _budget(path: Path, gate: Gate, interval: timedelta) -> Iterator[Problem]:
    looks = int(gate.hold / interval) if interval else 0
    for field, allowed in (("failures_allowed", gate.failures_allowed), ("errors_allowed", gate.errors_allowed)):
        if allowed and allowed >= looks:
            problem = f"bears {allowed} of the {looks} looks of the hold"
            yield Problem((*path, field), problem, "Bear fewer looks than there are.")


def _seconds(text: str) -> float:
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
