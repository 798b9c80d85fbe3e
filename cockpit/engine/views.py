"""From the truth of a run to the snapshot that front ends show. Pure."""

from __future__ import annotations

from typing import Any

from cockpit.engine import gates, plan
from cockpit.engine.advance import gate_blocks, look_ahead
from cockpit.engine.core import Core
from cockpit.engine.views_metrics import metrics_view
from cockpit.engine.views_people import checklist_view, escalation_view, messages_view, reference_view
from cockpit.engine.views_safety import drift_view, gate_view, guard_view, readiness_view, rollback_view
from cockpit.model.run import ActionState
from cockpit.model.share import share_of
from cockpit.model.snapshot import (
    ActionView,
    HeaderView,
    NextView,
    PhaseView,
    PlanView,
    PodsView,
    Snapshot,
    StepView,
    TrafficView,
)
from cockpit.model.status import ActionStatus, StepStatus
from cockpit.model.verdict import CANARY_RESIDUAL, CANDIDATE_SHARE
from cockpit.runbook.actions import Action, Exec
from cockpit.runbook.schema import Phase, Step


def snapshot(core: Core) -> Snapshot:
    """Everything a front end shows, as of now."""
    return Snapshot(
        header=_header(core),
        plan=_plan(core),
        next=_next(core),
        pods=_pods(core),
        traffic=_traffic(core),
        metrics=metrics_view(core),
        gate=gate_view(core),
        guard=guard_view(core),
        readiness=readiness_view(core),
        rollback=rollback_view(core),
        checklist=checklist_view(core),
        escalation=escalation_view(core),
        messages=messages_view(core),
        reference=reference_view(core),
        drift=drift_view(core),
        situation=core.state.situation,
        seq=core.state.seq,
    )


def _header(core: Core) -> HeaderView:
    state, setting = core.state, core.setting
    opened = state.opened_at or core.now()
    start, end = plan.window(setting.book, opened)
    metadata = setting.book.metadata
    seat = core.seen.commanding.seat if core.seen.commanding else None
    return HeaderView(
        run=setting.run,
        title=metadata.title,
        name=metadata.name,
        version=metadata.version,
        environment=metadata.environment,
        namespace=setting.book.cluster.namespace,
        context=setting.context,
        server=core.seen.server,
        status=state.status,
        status_reason=state.status_reason,
        held=state.held,
        held_reason=state.held_reason,
        automatic=state.automatic,
        commander=state.commander or setting.commander,
        epoch=state.epoch,
        engine_pid=setting.pid,
        opened_at=opened,
        window_start=start,
        window_end=end,
        real_origin=setting.clock.on_the_wall().real_origin,
        run_origin=setting.clock.run_origin,
        speed=setting.clock.speed,
        rehearsal=setting.rehearsal,
        stable=setting.book.cluster.stable,
        candidate=setting.book.cluster.candidate,
        commander_at=seat.terminal if seat else "",
        commander_since=state.commander_since,
        lease=state.lease,
        lease_problem=state.lease_problem,
        mirrored_at=core.seen.mirrored_at,
        mirror_problem=core.seen.mirror_problem,
    )


def _plan(core: Core) -> PlanView:
    step = plan.current_step(core.setting.book, core.state)
    late = plan.drift(core.setting.book, core.state, core.now())
    return PlanView(
        phases=tuple(_phase(core, phase) for phase in core.setting.book.phases),
        current=step.id if step else None,
        drift_s=None if late is None else float(round(late / 60) * 60),
    )


def _phase(core: Core, phase: Phase) -> PhaseView:
    opened = core.state.opened_at or core.now()
    planned = phase.planned
    return PhaseView(
        id=phase.id,
        title=phase.title,
        status=plan.shown_status(plan.phase_status(phase, core.state), core.state),
        planned_start=plan.planned_at(core.setting.book, opened, planned.start) if planned else None,
        planned_end=plan.planned_at(core.setting.book, opened, planned.end) if planned else None,
        steps=tuple(_step(core, step) for step in phase.steps),
    )


def _step(core: Core, step: Step) -> StepView:
    opened = core.state.opened_at or core.now()
    known = core.state.steps.get(step.id)
    planned = step.planned
    return StepView(
        id=step.id,
        title=step.title,
        status=plan.shown_status(plan.step_status(step, core.state), core.state),
        instructions=step.instructions,
        planned_start=plan.planned_at(core.setting.book, opened, planned.start) if planned else None,
        planned_end=plan.planned_at(core.setting.book, opened, planned.end) if planned else None,
        started_at=known.started_at if known else None,
        ended_at=known.ended_at if known else None,
        actions=tuple(action_view(action, core.state.action(action.id)) for action in step.actions),
    )


def action_view(action: Action, state: ActionState) -> ActionView:
    """One action; `consent` is the word that is still to be typed."""
    waiting = action.consent and not state.consented and state.status is ActionStatus.PENDING
    return ActionView(
        id=action.id,
        kind=action.kind,
        title=action.title or action.id,
        status=state.status,
        message=state.message,
        hint=state.hint,
        consent=action.consent or "" if waiting else "",
        looking=bool(waiting and isinstance(action, Exec) and action.looks and state.looked_at is None),
        optional=action.optional,
        started_at=state.started_at,
        ended_at=state.ended_at,
    )


def _next(core: Core) -> NextView:
    state, book = core.state, core.setting.book
    forward = look_ahead(book, state, core.now(), "")
    step = plan.running_step(book, state)
    decision = state.steps[step.id].decision if step else None
    asking = decision is not None and not decision.answer
    stuck = step is not None and plan.step_status(step, state) in (StepStatus.FAILED, StepStatus.AMBIGUOUS)
    overridable = forward.overridable and (bool(forward.blocked) or stuck)
    return NextView(
        verb=forward.verb,
        detail=forward.detail,
        blocked=_blocked(core, step, forward.blocked),
        question=decision.question if decision and asking else "",
        deadline=decision.deadline if decision and asking else None,
        default=decision.default if decision and asking else "",
        override=(forward.blocked or "skip the action that did not succeed") if overridable else "",
    )


def _blocked(core: Core, step: Step | None, known: str) -> str:
    """What bars the way, as it is now: the reason that the journal has of a gate is of when that last changed."""
    seen = core.seen
    if step is None or seen.gate_step != step.id or known != gate_blocks(step, core.state):
        return known
    now = gates.failing(seen.gate)
    return gate_blocks(step, core.state, now) if now else known


def _pods(core: Core) -> PodsView:
    cluster = core.setting.book.cluster
    seen = core.seen.pods
    wanted = tuple((name, track.replicas) for name, track in cluster.tracks.items())
    if seen is None:
        return PodsView(wanted=wanted)
    return PodsView(pods=seen.pods, loaded=True, wanted=wanted, stale_since=seen.stale_since, problem=seen.problem)


def _traffic(core: Core) -> TrafficView:
    state, seen, book = core.state, core.seen, core.setting.book
    share = seen.measurements.get(CANDIDATE_SHARE)
    canary = state.traffic.canary if state.traffic else True
    active = state.traffic.active if state.traffic else book.cluster.stable
    routed = state.traffic.weight if state.traffic else 0
    commanded = _share(core, active, routed if canary else 0)
    observed = share.value if share and canary else None
    view = TrafficView(
        backend=core.setting.outside.traffic.backend,
        commanded=commanded,
        live=_share(core, seen.live_active or active, seen.canary.share) if seen.canary else None,
        observed=None if observed is None else round(observed, 1),
        observed_at=share.at if share and observed is not None else None,
        observed_problem=(share.reason if share else "") if canary else "the canary route is off",
        active=active,
        live_active=seen.live_active,
        canary_enabled=canary,
        stops=plan.weight_stops(book),
        allowed=plan.planned_weight(book, state) if state.status.forward else 0,
        settling=observed is not None and abs(observed - commanded) > book_tolerance(core),
    )
    return view.model_copy(update={**_route(core), **_residual(core)})


def _route(core: Core) -> dict[str, Any]:
    """What the route itself says."""
    route = core.seen.canary
    if route is None:
        return {}
    return {
        "notes": route.notes,
        "pending": route.rejected or route.pending,
        "fields": route.fields,
        "off": route.off,
        "evicts": route.evicts,
    }


def _residual(core: Core) -> dict[str, Any]:
    """What still reaches the canary route since it was taken out of service."""
    wanted, traffic = core.setting.book.monitoring.residual, core.state.traffic
    seen = core.seen.measurements.get(CANARY_RESIDUAL)
    if wanted is None or traffic is None or traffic.canary or seen is None or seen.at < traffic.changed_at:
        return {}
    value = None if seen.value is None else round(seen.value, 2)
    return {"residual": value, "residual_problem": seen.reason, "residual_at_most": wanted.at_most}


def _share(core: Core, active: str, routed: int) -> int:
    """The candidate's whole share in percent: everything when the active Service points at it."""
    return share_of(routed, True, active, core.setting.book.cluster.candidate)


def book_tolerance(core: Core) -> int:
    """The largest accepted difference of the observed share, in points."""
    tolerances = [getattr(action, "tolerance", 0) for step in core.setting.book.steps for action in step.actions]
    return max(tolerances, default=5) or 5
