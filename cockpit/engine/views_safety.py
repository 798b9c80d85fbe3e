"""The slices about safety: gate, guard, readiness, rollback. Pure."""

from __future__ import annotations

from cockpit.engine import gates, guard, plan, pulse, verdicts
from cockpit.engine.conditions import Checked
from cockpit.engine.core import Core
from cockpit.model.guarded import said
from cockpit.model.run import GateState, RollbackStepState
from cockpit.model.snapshot import (
    ActionView,
    ConditionView,
    DriftEntry,
    DriftView,
    GateView,
    GuardView,
    ReadinessView,
    RollbackStepView,
    RollbackView,
    TriggerView,
)
from cockpit.model.status import GateStatus
from cockpit.model.verdict import Verdict
from cockpit.runbook.base import format_duration
from cockpit.runbook.gate import MonitoringLoss, Trigger
from cockpit.runbook.schema import RollbackStep, Step


def gate_view(core: Core) -> GateView | None:
    """The gate of the step under way, None when it has none (yet)."""
    step = plan.running_step(core.setting.book, core.state)
    gate = core.state.steps[step.id].gate if step else None
    if step is None or gate is None:
        return None
    checked = core.seen.gate if core.seen.gate_step == step.id else ()
    return GateView(
        step=step.id,
        status=gate.status,
        verdict=gates.verdict(checked) if checked else Verdict.NO_DATA,
        needs_s=gate.hold_s,
        held_since=gate.held_since if gate.status in (GateStatus.HOLDING, GateStatus.PASSED) else None,
        broke_at=gate.broke_at,
        broke_value=gate.broke_value,
        reason=_why(step, gate, checked, core),
        until=gate.opened_at + step.gate.give_up_after if step.gate and step.gate.give_up_after else None,
        gave_up=gate.gave_up,
        conditions=tuple(
            ConditionView(
                text=entry.text, met=entry.met, reason=entry.reason, confirm=entry.confirm, advisory=entry.advisory
            )
            for entry in checked
        ),
    )


def _why(step: Step, gate: GateState, checked: tuple[Checked, ...], core: Core) -> str:
    """What does not hold now, and what of its budgets a hold has used."""
    failing = gates.failing(checked) or gate.reason
    if gate.status is not GateStatus.HOLDING or step.gate is None:
        return failing
    return "; ".join(part for part in (failing, gates.borne(step.gate, core.seen.gate_looks.looks)) if part)


def guard_view(core: Core) -> GuardView:
    """All triggers; the problem says which of them cannot be seen."""
    triggers = core.setting.book.rollback.triggers
    unseen = [
        trigger.title
        for trigger in triggers
        if trigger.metric and core.seen.measurements and not _measured(core, trigger)
    ]
    return GuardView(
        triggers=(*(_trigger(core, trigger) for trigger in triggers), *_monitoring_lost(core)),
        problem=f"cannot see: {', '.join(unseen)}" if unseen else "",
        silent=pulse.silent(core.seen.turns, core.setting.boot_time()),
    )


def _measured(core: Core, trigger: Trigger) -> bool:
    seen = core.seen.measurements.get(trigger.metric or "")
    return seen is not None and seen.verdict.measured


def _monitoring_lost(core: Core) -> tuple[TriggerView, ...]:
    """The trigger of a runbook that goes back when the monitoring is lost."""
    monitoring, trip = core.setting.book.monitoring, core.state.trip
    if monitoring.on_monitoring_loss is not MonitoringLoss.ROLLBACK:
        return ()
    tripped = trip if trip is not None and trip.trigger == guard.MONITORING_LOST else None
    since = guard.blind_since(core.setting.book, core.seen.histories, core.seen.silent)
    state = "can see" if since is None else f"blind since {since:%H:%M:%S}"
    return (
        TriggerView(
            id=guard.MONITORING_LOST,
            title=f"Monitoring lost for {format_duration(monitoring.loss_after)}",
            declared=False,
            state=tripped.reason if tripped else state,
            tripped=tripped is not None,
            rollback_at=tripped.rollback_at if tripped else None,
        ),
    )


def _trigger(core: Core, trigger: Trigger) -> TriggerView:
    trip = core.state.trip if core.state.trip and core.state.trip.trigger == trigger.id else None
    seen = core.seen.measurements.get(trigger.metric or "")
    state = "declared by a person" if trigger.declared else "not measured"
    if seen is not None:
        state = seen.verdict.value if seen.verdict.measured else f"{seen.verdict.value}: {seen.reason}"
    if trip is not None:
        # What it tripped on stands; whoever may dismiss it must also see what is measured now.
        state = f"{trip.reason}; now {_now(core, trigger)}"
    elif trigger.id in core.state.dismissed:
        state = f"{state}, dismissed"
    return TriggerView(
        id=trigger.id,
        title=trigger.title,
        declared=trigger.declared,
        state=state,
        tripped=trip is not None,
        rollback_at=trip.rollback_at if trip else None,
    )


def _now(core: Core, trigger: Trigger) -> str:
    seen = core.seen.measurements.get(trigger.metric or "")
    if seen is None or not seen.verdict.measured:
        return "not measured" if seen is None else f"{seen.verdict}: {seen.reason}"
    metric = next(metric for metric in core.setting.book.monitoring.metrics if metric.id == seen.metric)
    return verdicts.shown(metric, seen.value)


_LOCK = {
    "held": "Lease held",
    "local": "local lock only, no Lease",
    "lapsed": "Lease lapsed: only a rollback is sent",
    "lost": "Lease lost: only a rollback is sent",
}


def readiness_view(core: Core) -> ReadinessView:
    """The readiness light with its proofs; how the engine stands with the Lease is one of them."""
    readiness = core.state.readiness
    lock = _LOCK.get(core.state.lease)
    return ReadinessView(
        ready=readiness.ready if readiness else None,
        checked_at=core.seen.readiness_at,
        reasons=readiness.reasons if readiness else (),
        proofs=(*core.seen.readiness_proofs, *((lock,) if lock else ())),
    )


def drift_view(core: Core) -> DriftView:
    """What somebody else changed, or who commands."""
    state = core.state
    view = DriftView(
        entries=tuple(
            DriftEntry(
                object=key, expected=said(each.expected), found=said(each.found), manager=each.manager, at=each.at
            )
            for key, each in state.drift.items()
        ),
        problem=core.seen.guarded_problem,
    )
    if state.fenced is None:
        return view
    known = state.fenced
    return view.model_copy(update={"fenced_by": known.by, "fenced_epoch": known.epoch, "fenced_at": known.at})


def rollback_view(core: Core) -> RollbackView:
    """The way back, planned or under way."""
    book, state = core.setting.book, core.state.rollback
    steps = tuple(_step(core, step, state.steps.get(step.id) if state else None) for step in book.rollback.steps)
    view = RollbackView(
        active=state is not None and state.ended_at is None,
        budget_s=book.rollback.budget.total_seconds(),
        steps=steps,
        break_glass=core.seen.break_glass,
    )
    if state is None:
        return view
    return view.model_copy(
        update={
            "reason": state.reason,
            "actor": state.actor,
            "started_at": state.started_at,
            "ended_at": state.ended_at,
            "succeeded": state.succeeded,
        }
    )


def _step(core: Core, step: RollbackStep, known: RollbackStepState | None) -> RollbackStepView:
    return RollbackStepView(
        id=step.id,
        title=step.title,
        status=known.status if known else "pending",
        budget_s=step.budget.total_seconds(),
        started_at=known.started_at if known else None,
        ended_at=known.ended_at if known else None,
        message=known.message if known else "",
        actions=tuple(
            ActionView(
                id=action.id,
                kind=action.kind,
                title=action.title or action.id,
                status=core.state.action(action.id).status,
                message=core.state.action(action.id).message,
                optional=action.optional,
            )
            for action in step.actions
        ),
        if_needed=step.if_needed,
    )
