"""Whether metrics, gates, triggers and the rollback's budget make sense."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cockpit.runbook.base import format_duration
from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.gate import Access, Condition, Measures, Metric
from cockpit.runbook.schema import Runbook
from cockpit.runbook.walk import gates, placed, rollback_steps

_KINDS = ("metric", "compare", "alerts_critical", "all_metrics", "confirm")
_SHARES = (Measures.ERROR_RATE, Measures.SUCCESS_RATE, Measures.SERVER_ERRORS, Measures.CANDIDATE_SHARE)
_BLANK = "Write PromQL with one result."


def bands(runbook: Runbook) -> Iterator[Problem]:
    """A metric is bad in one direction, and in that direction its warning begins first."""
    for path, metric in placed(runbook.monitoring.metrics, "monitoring", "metrics"):
        where, found = (*path, "bands"), metric.bands
        if (found.critical_above is None) == (found.critical_below is None):
            both = "has both critical_above and critical_below" if found.low_is_bad else "says not what is critical"
            yield Problem(where, both, "Write critical_above, or critical_below where lower is worse.")
        elif found.thresholds.worse(found.warning_from, found.critical):
            low = ("below", "least", "higher", "above")
            beyond, most, worse, other = low if found.low_is_bad else ("above", "most", "lower", "below")
            hint = f"Let warning_from be at {most} critical_{beyond}; where {worse} is worse, write critical_{other}."
            yield Problem(where, f"the warning begins {beyond} the critical threshold", hint)


def queries(runbook: Runbook) -> Iterator[Problem]:
    """No query is empty."""
    for path, query in _queries(runbook):
        if not query.strip():
            yield Problem((*path, "query"), "is empty", _BLANK)


def conditions(runbook: Runbook) -> Iterator[Problem]:
    """A gate's condition is of exactly one kind and complete."""
    for path, condition in _conditions(runbook):
        kinds = [kind for kind in _KINDS if getattr(condition, kind) is not None]
        if len(kinds) != 1:
            problem = f"has {' and '.join(kinds)}" if kinds else "says nothing that must hold"
            yield Problem(path, problem, f"Write exactly one of {', '.join(_KINDS)}.")
        limited = condition.below is not None or condition.above is not None
        if (condition.metric is None) == limited:
            missing = "metric" if limited else "below"
            yield Problem(path, f"`{missing}` is missing", "A metric's condition is `metric:` with `below:`.")
        if (condition.confirm is None) != (condition.confirm_id is None):
            missing = "confirm_id" if condition.confirm_id is None else "confirm"
            hint = "A statement to confirm is `confirm:` with `confirm_id:`, by which it is ticked."
            yield Problem(path, f"`{missing}` is missing", hint)


def condition_metrics(runbook: Runbook) -> Iterator[Problem]:
    """A gate asks for metrics that are measured, and for numbers that can be had."""
    metrics = {metric.id: metric for metric in runbook.monitoring.metrics}
    for path, condition in _conditions(runbook):
        if condition.alerts_critical is not None and not _knows_alerts(runbook):
            hint = "Add `alerts_critical:` with a query, or `alertmanager:`, under `monitoring:`."
            yield Problem((*path, "alerts_critical"), "critical alerts are not measured", hint)
        if condition.metric is None:
            continue
        if condition.metric not in metrics:
            yield _no_metric((*path, "metric"), condition.metric, metrics)
        else:
            yield from _limits(path, condition, metrics[condition.metric])


def access(runbook: Runbook) -> Iterator[Problem]:
    """A monitoring server is told who asks in one way, and alerts have one source."""
    monitoring = runbook.monitoring
    places: list[tuple[Path, Access]] = [(("monitoring",), monitoring)]
    if monitoring.alertmanager is not None:
        places.append((("monitoring", "alertmanager"), monitoring.alertmanager))
        if monitoring.alerts_critical is not None:
            hint = "Remove it, or remove `alertmanager:`: alerts are counted in one place."
            yield Problem(("monitoring", "alerts_critical"), "has no effect beside `alertmanager`", hint)
    for path, found in places:
        if found.token is not None and found.basic_auth is not None:
            yield Problem((*path, "basic_auth"), "cannot be sent beside `token`", "Write one of the two.")
        for header in found.headers:
            if header.lower() in ("authorization", "cookie"):
                hint = "Write it under `secret_headers:`, or use `token:` or `basic_auth:`."
                yield Problem((*path, "headers", header), "would write a secret into the runbook", hint)


def _knows_alerts(runbook: Runbook) -> bool:
    return runbook.monitoring.alerts_critical is not None or runbook.monitoring.alertmanager is not None


def triggers(runbook: Runbook) -> Iterator[Problem]:
    """A trigger has a metric with one number, or neither, and can happen."""
    for path, trigger in placed(runbook.rollback.triggers, "rollback", "triggers"):
        if trigger.breaches > trigger.of:
            problem = f"{trigger.breaches} breaches cannot happen in {trigger.of} measurements"
            yield Problem((*path, "breaches"), problem, "Let breaches be at most `of`.")
        limited = trigger.above is not None or trigger.below is not None
        if (trigger.metric is None) == limited:
            missing = "metric" if limited else "above"
            hint = "Write `metric:` with `above:` or `below:`, or neither for what a person declares."
            yield Problem(path, f"`{missing}` is missing", hint)


def trigger_metrics(runbook: Runbook) -> Iterator[Problem]:
    """A trigger watches a metric that is measured, in the direction in which it is bad, and leaves normal values alone.

    For example, `above` for a metric of which lower is worse would go back because all is well.
    """
    metrics = {metric.id: metric for metric in runbook.monitoring.metrics}
    for path, trigger in placed(runbook.rollback.triggers, "rollback", "triggers"):
        if trigger.metric is None:
            continue
        if trigger.metric not in metrics:
            yield _no_metric((*path, "metric"), trigger.metric, metrics)
            continue
        found = metrics[trigger.metric].bands
        right, wrong = ("below", "above") if found.low_is_bad else ("above", "below")
        limit = getattr(trigger, right)
        if getattr(trigger, wrong) is not None:
            worse = "lower" if found.low_is_bad else "higher"
            yield Problem((*path, wrong), "is the wrong direction", f"Write `{right}:`, as {worse} is worse.")
        elif limit is not None and found.thresholds.worse(found.warning_from, limit):
            hint = f"Let `{right}` be at {'most' if found.low_is_bad else 'least'} the metric's warning_from."
            yield Problem((*path, right), "would roll back at a normal value", hint)


def rollback_budget(runbook: Runbook) -> Iterator[Problem]:
    """The steps of the way back fit in its time."""
    total = sum((step.budget for step in runbook.rollback.steps), timedelta())
    if total > runbook.rollback.budget:
        problem = f"the steps take {format_duration(total)}, more than {format_duration(runbook.rollback.budget)}"
        yield Problem(("rollback", "budget"), problem, "Shorten the steps or raise the budget.")


def rollback_order(runbook: Runbook) -> Iterator[Problem]:
    """Steps of the way back depend on earlier ones, and are needed for triggers that exist."""
    known = [trigger.id for trigger in runbook.rollback.triggers]
    earlier: set[str] = set()
    for path, step in rollback_steps(runbook):
        for at, name in placed(step.needed_for, *path, "needed_for"):
            if name not in known:
                yield Problem(at, f"the trigger `{name}` does not exist", f"Triggers: {', '.join(known) or 'none'}.")
        if step.needed_for and not step.if_needed:
            yield Problem((*path, "needed_for"), "has no effect", "Write `if_needed: true` as well.")
        for at, name in placed(step.depends_on, *path, "depends_on"):
            if name not in earlier:
                hint = "A step can depend on the rollback steps before it."
                yield Problem(at, f"`{name}` is no earlier rollback step", hint)
        earlier.add(step.id)


def _limits(path: Path, condition: Condition, metric: Metric) -> Iterator[Problem]:
    below, above = condition.below, condition.above
    yield from _critical(path, condition, metric)
    if below is not None and below <= 0 and metric.measures is not Measures.CUSTOM:
        yield Problem((*path, "below"), "can never hold", f"{metric.title} is never less than 0.")
    if above is not None and above >= 100 and metric.unit == "%" and metric.measures in _SHARES:
        yield Problem((*path, "above"), "can never hold", f"{metric.title} is never more than 100 %.")


def _critical(path: Path, condition: Condition, metric: Metric) -> Iterator[Problem]:
    """A condition does not hold for critical values, which lie on one side."""
    found = metric.bands
    side, most = ("above", "least") if found.low_is_bad else ("below", "most")
    limit = getattr(condition, side)
    hint = f"Let {side} be at {most} {found.critical:g}, the critical threshold of {metric.id}."
    if limit is not None and found.thresholds.worse(limit, found.critical):
        yield Problem((*path, side), "would let critical values pass", hint)
    elif found.low_is_bad and limit is None:
        yield Problem((*path, "below"), "would let critical values pass", f"Write `above:`: lower is worse. {hint}")


def _no_metric(path: Path, name: str, metrics: dict[str, Metric]) -> Problem:
    return Problem(path, f"the metric `{name}` does not exist", f"Metrics: {', '.join(metrics)}.")


def _conditions(runbook: Runbook) -> Iterator[tuple[Path, Condition]]:
    for path, gate in gates(runbook):
        yield from placed(gate.conditions, *path, "conditions")


def _queries(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    monitoring = runbook.monitoring
    for path, metric in placed(monitoring.metrics, "monitoring", "metrics"):
        yield path, metric.query
        if metric.samples is not None:
            yield (*path, "samples"), metric.samples.query
    for name, signal in (
        ("alerts_critical", monitoring.alerts_critical),
        ("candidate_share", monitoring.candidate_share),
        ("residual", monitoring.residual),
    ):
        if signal is not None:
            yield ("monitoring", name), signal.query
