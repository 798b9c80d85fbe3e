"""The runbook seen as a plan: where each part stands, what is current, when it is due. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cockpit.model.run import GateState, RunState, StepState
from cockpit.model.share import share_of
from cockpit.model.status import ActionStatus, GateStatus, RunStatus, StepStatus
from cockpit.runbook.actions import Action, Manual, Traffic
from cockpit.runbook.people import ChecklistItem
from cockpit.runbook.schema import Phase, RollbackStep, Runbook, Step

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LEFT = (RunStatus.ROLLING_BACK, RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_FAILED, RunStatus.ABORTED)
_PASSABLE = (GateStatus.PASSED, GateStatus.OVERRIDDEN)


def action_settled(action: Action, state: RunState) -> bool:
    """Whether the step may go past the action: done, skipped, or failed and optional."""
    status = state.action(action.id).status
    return status.settled or (status is ActionStatus.FAILED and action.optional)


def actions_settled(step: Step | RollbackStep, state: RunState) -> bool:
    """Whether the step may go past all its actions."""
    return all(action_settled(action, state) for action in step.actions)


def current_action(step: Step, state: RunState) -> Action | None:
    """The first action that the step may not go past yet."""
    return next((action for action in step.actions if not action_settled(action, state)), None)


def gate_passable(gate: GateState | None) -> bool:
    """Whether the gate lets the run through."""
    return gate is not None and gate.status in _PASSABLE


def step_status(step: Step, state: RunState) -> StepStatus:
    """Where a forward step stands."""
    known = state.steps.get(step.id)
    if known is None:
        return StepStatus.PENDING
    if known.ended_at is not None:
        return StepStatus.DONE
    blocked = current_action(step, state)
    if blocked is not None:
        return _blocked_status(state.action(blocked.id).status)
    if step.gate is not None and not gate_passable(known.gate):
        return StepStatus.GATING
    return StepStatus.DECIDING if step.decision and not _answered(known) else StepStatus.DONE


def _blocked_status(status: ActionStatus) -> StepStatus:
    by_action = {ActionStatus.FAILED: StepStatus.FAILED, ActionStatus.AMBIGUOUS: StepStatus.AMBIGUOUS}
    return by_action.get(status, StepStatus.ACTING)


def _answered(step: StepState) -> bool:
    return step.decision is not None and step.decision.answer == "continue"


def current_step(book: Runbook, state: RunState) -> Step | None:
    """The first step that has not ended, None when all have."""
    for step in book.steps:
        known = state.steps.get(step.id)
        if known is None or known.ended_at is None:
            return step
    return None


def running_step(book: Runbook, state: RunState) -> Step | None:
    """The current step if it has started."""
    step = current_step(book, state)
    return step if step is not None and step.id in state.steps else None


def phase_status(phase: Phase, state: RunState) -> StepStatus:
    """Where a phase stands: that of its first unfinished step, done when it has none."""
    statuses = [step_status(step, state) for step in phase.steps]
    unfinished = next((status for status in statuses if not status.finished), StepStatus.DONE)
    started = any(status is not StepStatus.PENDING for status in statuses)
    return StepStatus.ACTING if started and unfinished is StepStatus.PENDING else unfinished


def shown_status(status: StepStatus, state: RunState) -> StepStatus:
    """What people are told: nothing acts, measures or asks in a step once the run goes forward no more."""
    under_way = status in (StepStatus.ACTING, StepStatus.GATING, StepStatus.DECIDING)
    return StepStatus.STOPPED if under_way and state.status in _LEFT else status


def rollback_actions(book: Runbook) -> tuple[Action, ...]:
    """All actions of the way back."""
    return tuple(action for step in book.rollback.steps for action in step.actions)


def find_action(book: Runbook, action_id: str) -> Action | None:
    """The action of that id, forward or back."""
    forward = (action for step in book.steps for action in step.actions)
    return next((action for action in (*forward, *rollback_actions(book)) if action.id == action_id), None)


def planned_weight(book: Runbook, state: RunState) -> int:
    """The highest weight that the started steps plan, in percent."""
    return max(_weights(step for step in book.steps if step.id in state.steps), default=0)


def active_track(book: Runbook, selector: Mapping[str, str]) -> str:
    """The track that a selector points at, or the selector's value when it is none of the tracks."""
    value = selector.get(book.cluster.active_service.selector_key, "")
    return next((name for name, track in book.cluster.tracks.items() if track.selector_value == value), value)


def planned_share(book: Runbook, state: RunState) -> int | None:
    """The candidate's share that the plan is at, in percent; None before the first step that sets one."""
    weights = _weights(step for step in book.steps if step.id in state.steps)
    return weights[-1] if weights else None


def commanded_share(book: Runbook, state: RunState) -> int | None:
    """The candidate's share as it was last commanded, in percent; None while the route has not been read."""
    traffic = state.traffic
    if traffic is None:
        return None
    return share_of(traffic.weight, traffic.canary, traffic.active, book.cluster.candidate)


def weight_stops(book: Runbook) -> tuple[int, ...]:
    """The weights of the plan, in order."""
    return _weights(book.steps)


def _weights(steps: Iterable[Step]) -> tuple[int, ...]:
    return tuple(action.weight for step in steps for action in step.actions if isinstance(action, Traffic))


def shifts_traffic(step: Step) -> bool:
    """Whether the step changes the candidate's weight."""
    return any(isinstance(action, Traffic) for action in step.actions)


def tickable(book: Runbook) -> Iterator[tuple[str, str]]:
    """Everything that can be ticked, as id and text."""
    for items in (*(entry.items for entry in book.checklists), *(entry.items for entry in book.post_deployment)):
        yield from ((item.id, item.text) for item in items)
    for step in book.steps:
        yield from ((action.id, action.title or action.id) for action in step.actions if isinstance(action, Manual))
        for condition in step.gate.conditions if step.gate else ():
            if condition.confirm is not None:
                yield confirm_id(step, condition.confirm_id), condition.confirm
    for rollback_step in book.rollback.steps:
        for action in rollback_step.actions:
            if isinstance(action, Manual):
                yield action.id, action.title or action.id
    yield from ((item.id, item.text) for item in book.rollback.after)


def confirm_id(step: Step, given: str | None) -> str:
    """The name by which a condition that a person answers is ticked."""
    return given or f"{step.id}.confirm"


def confirmed_in(book: Runbook, name: str) -> Step | None:
    """The step whose gate asks a person for that statement."""
    for step in book.steps:
        for condition in step.gate.conditions if step.gate else ():
            if condition.confirm is not None and confirm_id(step, condition.confirm_id) == name:
                return step
    return None


def answered(step: Step, state: RunState, name: str) -> bool:
    """Whether a person has confirmed a gate's statement, since there is something to see."""
    tick, since = state.ticks.get(name), seen_since(step, state)
    return tick is not None and tick.done and (since is None or tick.at >= since)


def seen_since(step: Step, state: RunState) -> datetime | None:
    """Since when a step's gate shows what the step does: it opened, and the traffic changed for the last time."""
    known = state.steps.get(step.id)
    times = (
        known.gate.opened_at if known is not None and known.gate is not None else None,
        state.traffic.changed_at if state.traffic is not None else None,
    )
    return max((at for at in times if at is not None), default=None)


def unticked(book: Runbook, state: RunState) -> tuple[ChecklistItem, ...]:
    """The required checklist items that nobody has ticked."""
    items = (item for checklist in book.checklists for item in checklist.items)
    return tuple(item for item in items if item.required and not state.ticked(item.id))


def run_day(book: Runbook, opened_at: datetime) -> date:
    """The planned day: the first day from the opening on that is the window's weekday."""
    day = opened_at.astimezone(ZoneInfo(book.window.timezone)).date()
    if book.window.day is None:
        return day
    return day + timedelta(days=(_WEEKDAYS.index(book.window.day) - day.weekday()) % 7)


def planned_at(book: Runbook, opened_at: datetime, at: time) -> datetime:
    """A time of day of the plan as a moment."""
    return datetime.combine(run_day(book, opened_at), at, ZoneInfo(book.window.timezone))


def window(book: Runbook, opened_at: datetime) -> tuple[datetime, datetime]:
    """The deployment window; it ends on the next day when its end is not after its start."""
    start = planned_at(book, opened_at, book.window.start)
    end = planned_at(book, opened_at, book.window.end)
    return start, end if end > start else end + timedelta(days=1)


def planned_span(book: Runbook, step: Step) -> tuple[time | None, time | None]:
    """When a step is planned: its own times, or its phase's at the phase's edges."""
    if step.planned:
        return step.planned.start, step.planned.end
    phase = book.phase_of(step.id)
    if phase.planned is None:
        return None, None
    start = phase.planned.start if phase.steps[0].id == step.id else None
    return start, phase.planned.end if phase.steps[-1].id == step.id else None


def drift(book: Runbook, state: RunState, now: datetime) -> float | None:
    """How late the run is in seconds (negative when it is early), None before it starts."""
    step = current_step(book, state)
    if state.started_at is None or state.opened_at is None or step is None:
        return None
    start, end = planned_span(book, step)
    known = state.steps.get(step.id)
    late = [0.0] if known is None else []
    if start is not None:
        begun = known.started_at if known else now
        late.append((begun - planned_at(book, state.opened_at, start)).total_seconds())
    if end is not None:
        late.append((now - planned_at(book, state.opened_at, end)).total_seconds())
    return max(late, default=0.0)
