"""Everything a well-formed runbook can still get wrong, as a table of pure checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cockpit.runbook import (
    check_cluster,
    check_effects,
    check_gates,
    check_ids,
    check_looks,
    check_references,
    check_times,
)
from cockpit.runbook.findings import Problem
from cockpit.runbook.schema import Runbook

Check = Callable[[Runbook], Iterable[Problem]]

CHECKS: tuple[Check, ...] = (
    check_cluster.roles,
    check_cluster.tracks_apart,
    check_cluster.track_references,
    check_cluster.backend,
    check_cluster.weights_rise,
    check_cluster.way_back,
    check_cluster.object_names,
    check_cluster.selector,
    check_effects.purges,
    check_effects.commands,
    check_effects.jobs,
    check_effects.scripts,
    check_gates.bands,
    check_gates.queries,
    check_gates.access,
    check_gates.conditions,
    check_gates.condition_metrics,
    check_gates.triggers,
    check_gates.trigger_metrics,
    check_gates.rollback_budget,
    check_gates.rollback_order,
    check_looks.windows,
    check_looks.units,
    check_looks.holds,
    check_looks.comparisons,
    check_looks.compare_conditions,
    check_ids.unique_ids,
    check_references.secrets,
    check_references.announcements,
    check_references.channels,
    check_references.people_and_pages,
    check_references.addresses,
    check_references.ways,
    check_times.window,
    check_times.plan,
    check_times.clock_lists,
    check_times.escalation,
    check_times.positive,
)


def validate(runbook: Runbook) -> Iterator[Problem]:
    """What the checks find, in their order."""
    return (problem for check in CHECKS for problem in check(runbook))
