"""Who commands, and what somebody else did."""

from __future__ import annotations

from dataclasses import replace

from cockpit.model import events as ev
from cockpit.model.folds.base import Fold, opened_anew
from cockpit.model.guarded import EPOCH
from cockpit.model.run import (
    DriftState,
    FencedState,
    GuardedState,
    RunState,
    put,
)


def _claimed(state: RunState, event: ev.EpochClaimed) -> RunState:
    """A later claim of the same run keeps what was expected before: what changed meanwhile is drift."""
    found = {key: GuardedState(facts) for key, facts in event.objects.items()}
    guarded = {**found, **state.guarded}
    return replace(state, epoch=event.claimed, guarded=guarded, fenced=None, taken_from="")


def _taken(state: RunState, event: ev.CommandTaken) -> RunState:
    """A takeover from another bastion ends whatever that one knew of its Lease and of being replaced."""
    changed = replace(
        state, commander=event.actor, commander_since=event.at, commander_reason=event.reason, released=False
    )
    if not event.replaces:
        return changed
    return replace(changed, taken_from=event.replaces, fenced=None, lease="", lease_problem="")


def _fenced(state: RunState, event: ev.RunFenced) -> RunState:
    return replace(state, fenced=FencedState(event.by, event.their_epoch, event.at))


def _drifted(state: RunState, event: ev.DriftFound) -> RunState:
    drift = DriftState(event.expected, event.found, event.manager, event.at)
    return replace(state, drift=put(state.drift, event.object, drift))


def _drift_ended(state: RunState, event: ev.DriftEnded) -> RunState:
    left = {key: drift for key, drift in state.drift.items() if key != event.object}
    known = state.guarded.get(event.object)
    guarded = state.guarded
    if known is not None and event.how == "adopted":
        guarded = put(guarded, event.object, GuardedState({**known.expected, **event.facts}))
    settled = replace(state, drift=left, guarded=guarded)
    drift = state.drift.get(event.object)
    if state.traffic is None or drift is None or set(drift.found) <= {EPOCH}:
        return settled
    # A drift is a change, and its end another one: what is measured from here on must not reach back into it.
    return opened_anew(replace(settled, traffic=replace(state.traffic, changed_at=event.at)), event.at)


FOLDS: dict[str, Fold] = {
    "epoch.claimed": _claimed,
    "lease.changed": lambda state, event: replace(state, lease=event.command, lease_problem=event.problem),
    "command.taken": _taken,
    "command.released": lambda state, event: replace(state, released=True),
    "run.fenced": _fenced,
    "drift.found": _drifted,
    "drift.ended": _drift_ended,
}
