"""Whether each name stands for one thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from cockpit.runbook.actions import Manual
from cockpit.runbook.findings import Path, Problem, path_text
from cockpit.runbook.schema import Runbook
from cockpit.runbook.walk import actions, actions_of, gates, placed, rollback_steps, steps, tasks

_Ids = Iterator[tuple[Path, str]]


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def unique_ids(runbook: Runbook) -> Iterator[Problem]:
    """No two things that are addressed in the same way have the same id."""
    reported: set[Path] = set()
    for ids in _namespaces(runbook):
        first: dict[str, Path] = {}
        for path, name in ids:
            earlier = first.setdefault(name, path)
            if earlier != path and path not in reported:
                reported.add(path)
                hint = f"It is first used at {path_text(earlier[:-1])}; give each its own."
                yield Problem(path, f"the id `{name}` is used twice", hint)


def _namespaces(runbook: Runbook) -> Iterator[_Ids]:
    yield _ids(placed(runbook.phases, "phases"))
    yield _step_ids(runbook)
    yield (((*item.path, "id"), item.action.id) for item in actions(runbook))
    yield _tickable(runbook)
    communications = runbook.communications
    yield _ids(placed(runbook.monitoring.metrics, "monitoring", "metrics"))
    yield _ids(placed(runbook.rollback.triggers, "rollback", "triggers"))
    yield _ids(placed(communications.channels, "communications", "channels"))
    yield _message_ids(runbook)
    yield _ids(placed(runbook.dashboards, "dashboards"))
    yield _ids(placed(runbook.contacts, "contacts"))
    yield _ids(placed(runbook.commands, "commands"))
    yield _ids(placed(runbook.troubleshooting, "troubleshooting"))
    yield _list_ids(runbook)


def _ids(items: Iterable[tuple[Path, _Named]]) -> _Ids:
    return (((*path, "id"), item.id) for path, item in items)


def _step_ids(runbook: Runbook) -> _Ids:
    yield from _ids(steps(runbook))
    yield from _ids(rollback_steps(runbook))


def _message_ids(runbook: Runbook) -> _Ids:
    yield from _ids(placed(runbook.communications.mails, "communications", "mails"))
    yield from _ids(placed(runbook.communications.updates, "communications", "updates"))


def _list_ids(runbook: Runbook) -> _Ids:
    yield from _ids(placed(runbook.checklists, "checklists"))
    yield from _ids(placed(runbook.post_deployment, "post_deployment"))


def _tickable(runbook: Runbook) -> _Ids:
    """Everything that `cockpit tick ID` addresses."""
    yield from _ids(tasks(runbook))
    yield from _ids(placed(runbook.rollback.after, "rollback", "after"))
    yield from _ids(actions_of(runbook, Manual))
    for path, gate in gates(runbook):
        for at, condition in placed(gate.conditions, *path, "conditions"):
            if condition.confirm_id is not None:
                yield (*at, "confirm_id"), condition.confirm_id
