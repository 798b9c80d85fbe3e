"""The fold of a run: `reduce(state, event) -> state`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cockpit.model import events as ev
from cockpit.model.folds import actions, authority, gates, people, run, safety
from cockpit.model.run import (
    RunState,
)

SITUATION = frozenset(
    {
        "run.started",
        "run.status",
        "run.held",
        "run.resumed",
        "step.started",
        "step.finished",
        "action.succeeded",
        "action.failed",
        "action.ambiguous",
        "action.skipped",
        "traffic.changed",
        "metric.verdict",
        "metric.compared",
        "gate.opened",
        "gate.holding",
        "gate.broke",
        "gate.passed",
        "gate.gave_up",
        "gate.overridden",
        "decision.opened",
        "decision.made",
        "trigger.tripped",
        "trigger.dismissed",
        "rollback.started",
        "rollback.finished",
        "readiness.changed",
        "run.fenced",
        "lease.changed",
        "command.taken",
        "drift.found",
        "drift.ended",
        "journal.degraded",
        "journal.recovered",
    }
)

_FOLDS = run.FOLDS | actions.FOLDS | gates.FOLDS | safety.FOLDS | people.FOLDS | authority.FOLDS


def reduce(state: RunState, event: ev.Event) -> RunState:
    """The state after `event`; the event is already numbered."""
    fold = _FOLDS.get(event.type)
    folded = fold(state, event) if fold else state
    situation = event.seq if event.type in SITUATION else folded.situation
    return replace(folded, seq=event.seq, epoch=max(folded.epoch, event.epoch), situation=situation)


def replay(events: Iterable[ev.Event], state: RunState | None = None) -> RunState:
    """The state after all events, from the beginning or from `state`."""
    folded, seq, epoch = state or RunState(), 0, 0
    for event in events:
        if event.type in _FOLDS or event.type in SITUATION:
            folded = reduce(folded, event)
        else:
            # Most rows of a long run tell of no change: they only count.
            seq, epoch = event.seq, max(epoch, event.epoch)
    return replace(folded, seq=max(seq, folded.seq), epoch=max(epoch, folded.epoch))
