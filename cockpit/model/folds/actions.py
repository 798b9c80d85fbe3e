"""Actions and the traffic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cockpit.model import events as ev
from cockpit.model.folds.base import Fold, opened_anew
from cockpit.model.run import (
    GuardedState,
    RunState,
    TrafficState,
    put,
)
from cockpit.model.status import ActionStatus


def _action(state: RunState, action_id: str, **changes: Any) -> RunState:
    return replace(state, actions=put(state.actions, action_id, replace(state.action(action_id), **changes)))


def _intended(state: RunState, event: ev.ActionIntended) -> RunState:
    known = state.action(event.action)
    changed = state.changed or event.kind not in _HARMLESS
    return _action(
        replace(state, changed=changed, guarded=_may_become(state, event)),
        event.action,
        status=ActionStatus.RUNNING,
        attempts=event.attempt,
        message=event.request,
        hint="",
        started_at=known.started_at or event.at,
        ended_at=None,
        before=event.before,
        after=event.after,
        target=event.target,
    )


def _may_become(state: RunState, event: ev.ActionIntended) -> Mapping[str, GuardedState]:
    """From the INTENT on the target may be as before or as after; what drifted is still not as expected."""
    known = state.guarded.get(event.target)
    if known is None:
        return state.guarded
    expected = known.expected if event.target in state.drift else {**known.expected, **event.before}
    return put(state.guarded, event.target, GuardedState(expected, {**expected, **event.after}))


def _looked(state: RunState, event: ev.ActionLooked) -> RunState:
    return _action(state, event.action, message=event.message, looked_at=event.at)


def _output(state: RunState, event: ev.ActionOutput) -> RunState:
    running = state.action(event.action).status is ActionStatus.RUNNING
    return _action(state, event.action, message=event.last) if running and event.last else state


_HARMLESS = frozenset({"http_checks", "workloads", "manual", "notify"})


def _progressed(state: RunState, event: ev.ActionProgressed) -> RunState:
    return _action(state, event.action, message=event.message)


def _succeeded(state: RunState, event: ev.ActionSucceeded) -> RunState:
    target = state.action(event.action).target
    known = state.guarded.get(target)
    if known is not None and known.pending is not None:
        state = replace(state, guarded=put(state.guarded, target, GuardedState(known.pending)))
    return _settle(ActionStatus.DONE)(state, event)


def _settle(status: ActionStatus) -> Callable[[RunState, Any], RunState]:
    def fold(state: RunState, event: Any) -> RunState:
        message = getattr(event, "message", None) or getattr(event, "reason", "")
        known = state.action(event.action)
        tried_before_intent = status is ActionStatus.FAILED and known.status is not ActionStatus.RUNNING
        return _action(
            state,
            event.action,
            status=status,
            attempts=known.attempts + tried_before_intent,
            message=message,
            hint=getattr(event, "hint", ""),
            ended_at=event.at,
            facts=getattr(event, "facts", {}),
        )

    return fold


def _reoffered(state: RunState, event: ev.ActionReoffered) -> RunState:
    return _action(state, event.action, status=ActionStatus.PENDING, message=event.reason, hint="", looked_at=None)


def _consented(state: RunState, event: ev.ConsentGiven) -> RunState:
    return _action(state, event.action, consented=True)


def _weight(state: RunState, event: ev.WeightChanged) -> RunState:
    traffic = TrafficState(weight=event.weight, active=event.active, canary=event.canary, changed_at=event.at)
    return opened_anew(replace(state, traffic=traffic), event.at)


FOLDS: dict[str, Fold] = {
    "action.intended": _intended,
    "action.progressed": _progressed,
    "action.looked": _looked,
    "action.output": _output,
    "action.succeeded": _succeeded,
    "action.failed": _settle(ActionStatus.FAILED),
    "action.ambiguous": _settle(ActionStatus.AMBIGUOUS),
    "action.skipped": _settle(ActionStatus.SKIPPED),
    "action.reoffered": _reoffered,
    "action.consent": _consented,
    "traffic.changed": _weight,
}
