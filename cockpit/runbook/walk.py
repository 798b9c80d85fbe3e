"""The parts of a runbook with their paths in the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from cockpit.runbook.actions import Action, ActionBase
from cockpit.runbook.findings import Path
from cockpit.runbook.gate import Gate
from cockpit.runbook.people import ChecklistItem
from cockpit.runbook.schema import RollbackStep, Runbook, Step

T = TypeVar("T")
A = TypeVar("A", bound=ActionBase)


class PlacedAction(NamedTuple):
    """An action, where it stands, and whether it is part of the way back."""

    path: Path
    action: Action
    rollback: bool


def placed(items: Iterable[T], *path: str | int) -> Iterator[tuple[Path, T]]:
    """The entries of a list at a path, each with its own path."""
    return (((*path, index), item) for index, item in enumerate(items))


def steps(runbook: Runbook) -> Iterator[tuple[Path, Step]]:
    """The forward steps in order."""
    for path, phase in placed(runbook.phases, "phases"):
        yield from placed(phase.steps, *path, "steps")


def rollback_steps(runbook: Runbook) -> Iterator[tuple[Path, RollbackStep]]:
    """The steps of the way back in order."""
    return placed(runbook.rollback.steps, "rollback", "steps")


def actions(runbook: Runbook) -> Iterator[PlacedAction]:
    """All actions: forward, then back."""
    for path, step in steps(runbook):
        for at, action in placed(step.actions, *path, "actions"):
            yield PlacedAction(at, action, rollback=False)
    for path, back in rollback_steps(runbook):
        for at, action in placed(back.actions, *path, "actions"):
            yield PlacedAction(at, action, rollback=True)


def actions_of(runbook: Runbook, kind: type[A]) -> Iterator[tuple[Path, A]]:
    """All actions of one kind."""
    return ((item.path, item.action) for item in actions(runbook) if isinstance(item.action, kind))


def tasks(runbook: Runbook) -> Iterator[tuple[Path, ChecklistItem]]:
    """The items of all lists before and after the run."""
    for path, checklist in placed(runbook.checklists, "checklists"):
        yield from placed(checklist.items, *path, "items")
    for path, later in placed(runbook.post_deployment, "post_deployment"):
        yield from placed(later.items, *path, "items")


def gates(runbook: Runbook) -> Iterator[tuple[Path, Gate]]:
    """The gates of the forward steps."""
    return (((*path, "gate"), step.gate) for path, step in steps(runbook) if step.gate is not None)
