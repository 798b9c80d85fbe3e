"""The fold of a run: `reduce(state, event) -> state`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cockpit.model import events as ev
from cockpit.model.run import (
    ActionState,
    DecisionState,
    DriftState,
    EscalationState,
    FencedState,
    GateState,
    GuardedState,
    MessageState,
    ReadinessState,
    RollbackState,
    RollbackStepState,
    RunState,
    StepState,
    TickState,
    TrafficState,
    TripState,
    put,
)
from cockpit.model.status import ActionStatus, GateStatus, RunStatus

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


def _opened(state: RunState, event: ev.RunOpened) -> RunState:
    return replace(
        state,
        run=event.run,
        runbook=event.runbook,
        version=event.version,
        sha256=event.sha256,
        namespace=event.namespace,
        context=event.context,
        automatic=event.automatic,
        opened_at=event.at,
        commander=event.actor,
        commander_since=event.at,
    )


def _started(state: RunState, event: ev.RunStarted) -> RunState:
    return replace(state, started_at=event.at, status=RunStatus.RUNNING)


def _status(state: RunState, event: ev.RunStatusChanged) -> RunState:
    ended = event.at if event.status.final else None
    return replace(state, status=event.status, status_reason=event.reason, ended_at=ended)


def _closed(state: RunState, event: ev.RunClosed) -> RunState:
    return replace(state, closed=True, status=event.status)


def _held(state: RunState, event: ev.Held) -> RunState:
    return replace(state, held=True, held_reason=event.reason, **_overdue(state))


def _overdue(state: RunState) -> dict[str, Any]:
    """A hold marks the open decision, so that its deadline is acted on once."""
    for step_id, step in state.steps.items():
        if step.decision and not step.decision.answer:
            return {"steps": put(state.steps, step_id, replace(step, decision=replace(step.decision, overdue=True)))}
    return {}


def _resumed(state: RunState, event: ev.Resumed) -> RunState:
    return replace(state, held=False, held_reason="", resumed_at=event.at)


def _ticked(state: RunState, event: ev.ItemTicked) -> RunState:
    tick = TickState(done=event.done, by=event.actor, at=event.at, note=event.note)
    return replace(state, ticks=put(state.ticks, event.item, tick))


def _step_started(state: RunState, event: ev.StepStarted) -> RunState:
    return replace(state, steps=put(state.steps, event.step, StepState(started_at=event.at)))


def _step(state: RunState, step_id: str, **changes: Any) -> RunState:
    return replace(state, steps=put(state.steps, step_id, replace(state.steps[step_id], **changes)))


def _step_finished(state: RunState, event: ev.StepFinished) -> RunState:
    return _step(state, event.step, ended_at=event.at)


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
    return replace(state, traffic=traffic)


def _verdict(state: RunState, event: ev.VerdictChanged) -> RunState:
    return replace(state, verdicts=put(state.verdicts, event.measurement.metric, event.measurement.verdict))


def _gate_opened(state: RunState, event: ev.GateOpened) -> RunState:
    gate = GateState(status=GateStatus.WAITING, opened_at=event.at, hold_s=event.hold_s)
    return _step(state, event.step, gate=gate)


def _gate(state: RunState, step_id: str, **changes: Any) -> RunState:
    gate = state.steps[step_id].gate
    return _step(state, step_id, gate=replace(gate, **changes)) if gate else state


def _gate_holding(state: RunState, event: ev.GateHolding) -> RunState:
    return _gate(state, event.step, status=GateStatus.HOLDING, held_since=event.at, reason="")


def _gate_broke(state: RunState, event: ev.GateBroke) -> RunState:
    return _gate(
        state,
        event.step,
        status=GateStatus.WAITING,
        held_since=None,
        broke_at=event.at,
        reason=event.reason,
        broke_value=event.value,
    )


def _gate_gave_up(state: RunState, event: ev.GateGaveUp) -> RunState:
    return _gate(state, event.step, gave_up=True, reason=event.reason)


def _gate_passed(state: RunState, event: ev.GatePassed) -> RunState:
    return _gate(state, event.step, status=GateStatus.PASSED, reason="")


def _gate_overridden(state: RunState, event: ev.GateOverridden) -> RunState:
    return _gate(state, event.step, status=GateStatus.OVERRIDDEN, reason=event.reason)


def _decision_opened(state: RunState, event: ev.DecisionOpened) -> RunState:
    decision = DecisionState(event.question, event.at, event.deadline, event.default)
    return _step(state, event.step, decision=decision)


def _decision_made(state: RunState, event: ev.DecisionMade) -> RunState:
    decision = state.steps[event.step].decision
    if decision is None:
        return state
    return _step(state, event.step, decision=replace(decision, answer=event.answer, by=event.actor))


def _tripped(state: RunState, event: ev.TriggerTripped) -> RunState:
    return replace(state, trip=TripState(event.trigger, event.title, event.reason, event.at, event.rollback_at))


def _trip_dismissed(state: RunState, event: ev.TriggerDismissed) -> RunState:
    return replace(state, trip=None, dismissed=put(state.dismissed, event.trigger, event.at))


def _rollback_started(state: RunState, event: ev.RollbackStarted) -> RunState:
    rollback = RollbackState(
        reason=event.reason,
        actor=event.actor,
        started_at=event.at,
        trigger=event.trigger,
        needed=event.needed,
        automatic=event.automatic,
    )
    afresh = {
        **state.actions,
        **{action: ActionState(consented=state.action(action).consented) for action in event.actions},
    }
    return replace(
        state, rollback=rollback, actions=afresh, status=RunStatus.ROLLING_BACK, trip=None, ended_at=None, drift={}
    )


def _rollback_step_started(state: RunState, event: ev.RollbackStepStarted) -> RunState:
    return _rollback_step(state, event.step, RollbackStepState(status="running", started_at=event.at))


def _rollback_step(state: RunState, step_id: str, step: RollbackStepState) -> RunState:
    if state.rollback is None:
        return state
    return replace(state, rollback=replace(state.rollback, steps=put(state.rollback.steps, step_id, step)))


def _rollback_step_finished(state: RunState, event: ev.RollbackStepFinished) -> RunState:
    known = state.rollback.steps.get(event.step) if state.rollback else None
    started = known.started_at if known else event.at
    return _rollback_step(state, event.step, RollbackStepState(event.status, started, event.at, event.message))


def _rollback_finished(state: RunState, event: ev.RollbackFinished) -> RunState:
    if state.rollback is None:
        return state
    return replace(state, rollback=replace(state.rollback, ended_at=event.at, succeeded=event.succeeded))


def _escalation_started(state: RunState, event: ev.EscalationStarted) -> RunState:
    return replace(state, escalation=EscalationState(since=event.at, cause=event.cause))


def _escalation_level(state: RunState, event: ev.EscalationLevelReached) -> RunState:
    return replace(state, escalation=state.escalation and replace(state.escalation, level=event.level))


def _escalation_acknowledged(state: RunState, event: ev.EscalationAcknowledged) -> RunState:
    if state.escalation is None:
        return state
    acknowledged = replace(state.escalation, acknowledged_by=event.actor, acknowledged_at=event.at)
    return replace(state, escalation=acknowledged)


def _escalation_ended(state: RunState, event: ev.EscalationEnded) -> RunState:
    return replace(state, escalation=None)


def _message(status: str) -> Callable[[RunState, Any], RunState]:
    def fold(state: RunState, event: Any) -> RunState:
        key = f"{event.message}@{event.channel}"
        known = state.messages.get(key)
        if known is None:
            return state
        detail = getattr(event, "proof", "") or getattr(event, "error", "")
        attempts = getattr(event, "attempt", known.attempts)
        changed = replace(known, status=status, at=event.at, detail=detail, attempts=attempts)
        return replace(state, messages=put(state.messages, key, changed))

    return fold


def _message_queued(state: RunState, event: ev.MessageQueued) -> RunState:
    message = MessageState(event.message, event.channel, event.text, "queued", event.at)
    return replace(state, messages=put(state.messages, f"{event.message}@{event.channel}", message))


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
    return replace(state, drift=left, guarded=guarded)


def _readiness(state: RunState, event: ev.ReadinessChanged) -> RunState:
    return replace(state, readiness=ReadinessState(event.ready, event.reasons, event.at))


_FOLDS: dict[str, Callable[[RunState, Any], RunState]] = {
    "run.opened": _opened,
    "run.started": _started,
    "run.status": _status,
    "run.closed": _closed,
    "run.held": _held,
    "run.resumed": _resumed,
    "item.ticked": _ticked,
    "step.started": _step_started,
    "step.finished": _step_finished,
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
    "metric.verdict": _verdict,
    "gate.opened": _gate_opened,
    "gate.holding": _gate_holding,
    "gate.broke": _gate_broke,
    "gate.passed": _gate_passed,
    "gate.gave_up": _gate_gave_up,
    "gate.overridden": _gate_overridden,
    "decision.opened": _decision_opened,
    "decision.made": _decision_made,
    "trigger.tripped": _tripped,
    "trigger.dismissed": _trip_dismissed,
    "rollback.started": _rollback_started,
    "rollback.step_started": _rollback_step_started,
    "rollback.step_finished": _rollback_step_finished,
    "rollback.finished": _rollback_finished,
    "escalation.started": _escalation_started,
    "escalation.level": _escalation_level,
    "escalation.acknowledged": _escalation_acknowledged,
    "escalation.ended": _escalation_ended,
    "message.queued": _message_queued,
    "message.tried": _message("trying"),
    "message.sent": _message("sent"),
    "message.failed": _message("failed"),
    "readiness.changed": _readiness,
    "epoch.claimed": _claimed,
    "lease.changed": lambda state, event: replace(state, lease=event.command, lease_problem=event.problem),
    "command.taken": _taken,
    "command.released": lambda state, event: replace(state, released=True),
    "run.fenced": _fenced,
    "drift.found": _drifted,
    "drift.ended": _drift_ended,
    "journal.degraded": lambda state, event: replace(state, degraded=event.problem),
    "journal.recovered": lambda state, event: replace(state, degraded=""),
}
