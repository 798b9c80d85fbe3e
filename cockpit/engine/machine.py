"""What happens next: `decide(book, state, sight, now)`. Pure; the runner does what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.engine import drift, escalation, messages, rollback
from cockpit.engine.effects import Decided, Perform
from cockpit.engine.plan import (
    answered,
    confirm_id,
    current_action,
    current_step,
    gate_passable,
    seen_since,
    unticked,
)
from cockpit.model.events import (
    ActionSucceeded,
    ConsentGiven,
    DecisionMade,
    DecisionOpened,
    Event,
    GateOpened,
    Held,
    ItemTicked,
    RunStarted,
    RunStatusChanged,
    StepFinished,
    StepStarted,
)
from cockpit.model.run import DecisionState, RunState, StepState
from cockpit.model.status import ActionStatus, GateStatus, RunStatus
from cockpit.runbook.actions import Action, Exec, Manual, Notify
from cockpit.runbook.schema import Runbook, Step

GATE_PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the decision must know of the measurements: since when the step's gate has had none.

    `looked` says whether this engine has looked at the gate's conditions yet.
    """

    blind_since: datetime | None = None
    looked: bool = True

    @property
    def sees(self) -> bool:
        """Whether what is known of the gate is of now."""
        return self.looked and self.blind_since is None


def decide(book: Runbook, state: RunState, sight: Sight, now: datetime) -> Decided:
    """The next events and effects; calling it again after recording the events gives what follows."""
    if state.closed or state.opened_at is None or state.fenced is not None:
        return Decided()
    why = escalation.cause(book, state, sight.blind_since, now)
    ladder = escalation.events(book, state, why, now)
    if ladder:
        return Decided(tuple(ladder))
    if state.trip and state.trip.rollback_at and state.trip.rollback_at <= now and state.status.forward:
        reason = f"{state.trip.title}: {state.trip.reason}"
        return Decided((rollback.start(book, now, "engine", reason, trigger=state.trip.trigger, automatic=True),))
    if state.status is RunStatus.ROLLING_BACK:
        return rollback.decide_rollback(book, state, now)
    if state.status.final:
        return Decided(tuple(_after_the_end(book, state, now)))
    return _forward(book, state, sight, now)


def _after_the_end(book: Runbook, state: RunState, now: datetime) -> list[Event]:
    ticked = tuple(item.announcement for item in book.rollback.after if item.announcement and state.ticked(item.id))
    if state.status is RunStatus.COMPLETED:
        return messages.due(book, state, messages.mails(book, "after"), now)
    if state.status in (RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_FAILED):
        return messages.due(book, state, (*messages.mails(book, "rolled_back"), *ticked), now)
    return []


def _forward(book: Runbook, state: RunState, sight: Sight, now: datetime) -> Decided:
    announced = messages.due(book, state, _ticked_announcements(book, state), now)
    if announced:
        return Decided(tuple(announced))
    if state.degraded or state.drift:
        return Decided(tuple(_stop_for_drift(state, now)))
    if state.status is RunStatus.PREPARING:
        return Decided(tuple(_prepare(book, state, now)))
    step = current_step(book, state)
    if step is None:
        return Decided((RunStatusChanged(at=now, actor="engine", status=RunStatus.COMPLETED),))
    known = state.steps.get(step.id)
    if known is None:
        return Decided(tuple(_begin_by_itself(book, state, step, now)))
    if book.phase_of(step.id).validation and state.status is RunStatus.RUNNING:
        return Decided((RunStatusChanged(at=now, actor="engine", status=RunStatus.VALIDATING),))
    starting = messages.due(book, state, step.announce_at_start, now)
    if starting:
        return Decided(tuple(starting))
    action = current_action(step, state)
    return (
        _act(book, state, action, now)
        if action
        else Decided(tuple(_after_actions(book, state, step, known, sight, now)))
    )


def _stop_for_drift(state: RunState, now: datetime) -> list[Event]:
    """Somebody else changed what this run works on: a person chooses, and without one the run is held."""
    if not state.automatic or state.held or not state.drift:
        return []
    return [Held(at=now, actor="auto", reason=f"{drift.blocking(state)}; a person must look")]


def _ticked_announcements(book: Runbook, state: RunState) -> tuple[str, ...]:
    items = (item for checklist in book.checklists for item in checklist.items)
    return tuple(item.announcement for item in items if item.announcement and state.ticked(item.id))


def _prepare(book: Runbook, state: RunState, now: datetime) -> list[Event]:
    if not state.automatic or state.held:
        return []
    item = next(iter(unticked(book, state)), None)
    if item is not None:
        return [ItemTicked(at=now, actor="auto", item=item.id, text=item.text)]
    if not _ready(state):
        return []
    return [RunStarted(at=now, actor="auto")]


def _ready(state: RunState) -> bool:
    return state.readiness is not None and state.readiness.ready


def _begin_by_itself(book: Runbook, state: RunState, step: Step, now: datetime) -> list[Event]:
    first = not state.steps
    if state.held or not (state.automatic or first) or not _ready(state):
        return []
    return [StepStarted(at=now, actor="auto" if state.automatic else "engine", step=step.id, title=step.title)]


def _act(book: Runbook, state: RunState, action: Action, now: datetime) -> Decided:
    known = state.action(action.id)
    if known.status in (ActionStatus.FAILED, ActionStatus.AMBIGUOUS):
        return Decided(tuple(_give_up(book, state, action, now)))
    if known.status is not ActionStatus.PENDING or state.held:
        return Decided()
    if isinstance(action, Manual):
        return Decided(tuple(_manual(state, action, now)))
    if isinstance(action, Notify):
        queued = messages.due(book, state, action.announcements, now)
        sent = ActionSucceeded(at=now, actor="engine", action=action.id, message="queued")
        return Decided((*queued, sent))
    if action.consent and not known.consented:
        if isinstance(action, Exec) and action.looks and known.looked_at is None:
            return Decided(effects=(Perform(action.id, known.attempts, look=True),))
        return Decided((ConsentGiven(at=now, actor="auto", action=action.id),) if state.automatic else ())
    return Decided(effects=(Perform(action.id, known.attempts + 1),))


def _give_up(book: Runbook, state: RunState, action: Action, now: datetime) -> list[Event]:
    """Without a person a failed action is the way back; one whose effect is unknown is a hold until one resumes."""
    if not state.automatic or state.held:
        return []
    name = action.title or action.id
    known = state.action(action.id)
    if known.status is ActionStatus.AMBIGUOUS:
        if state.resumed_at is not None and known.ended_at is not None and state.resumed_at >= known.ended_at:
            return []
        return [Held(at=now, actor="auto", reason=f"{name}: {known.message}; a person must look")]
    return [rollback.start(book, now, "auto", f"{name} failed: {known.message}", automatic=True)]


def _manual(state: RunState, action: Manual, now: datetime) -> list[Event]:
    tick = state.ticks.get(action.id)
    if tick is not None and tick.done:
        return [ActionSucceeded(at=now, actor=tick.by, action=action.id, message=f"confirmed by {tick.by}")]
    if state.automatic:
        return [ItemTicked(at=now, actor="auto", item=action.id, text=action.title or action.id)]
    return []


def _after_actions(
    book: Runbook, state: RunState, step: Step, known: StepState, sight: Sight, now: datetime
) -> list[Event]:
    announced = messages.due(book, state, step.announcements, now)
    if announced:
        return announced
    if step.gate is not None and known.gate is None:
        return [GateOpened(at=now, actor="engine", step=step.id, hold_s=step.gate.hold.total_seconds())]
    if step.gate is not None and not gate_passable(known.gate):
        return _confirm_by_itself(state, step, now) or _lose_patience(state, step, known, now)
    if step.decision is None:
        return [StepFinished(at=now, actor="engine", step=step.id)]
    if known.decision is not None and not known.decision.answer and _blindly(state, step, known, sight, now):
        return []
    return _decision(book, state, step, known.decision, now)


def _blindly(state: RunState, step: Step, known: StepState, sight: Sight, now: datetime) -> bool:
    """Whether the run would go on by itself though nobody sees whether the gate that passed still holds.

    It breaks or is seen again soon: see `gates.PATIENCE`.
    """
    if step.gate is None or known.gate is None or known.gate.status is not GateStatus.PASSED or known.decision is None:
        return False
    overdue = known.decision.deadline is not None and now >= known.decision.deadline
    by_itself = state.automatic or (overdue and known.decision.default == "continue")
    return by_itself and not sight.sees


def _confirm_by_itself(state: RunState, step: Step, now: datetime) -> list[Event]:
    since = seen_since(step, state)
    if not state.automatic or step.gate is None or (since is not None and now < since):
        return []
    asked = ((confirm_id(step, entry.confirm_id), entry.confirm) for entry in step.gate.conditions if entry.confirm)
    return [
        ItemTicked(at=now, actor="auto", item=name, text=text or name)
        for name, text in asked
        if not answered(step, state, name)
    ]


def _lose_patience(state: RunState, step: Step, known: StepState, now: datetime) -> list[Event]:
    """Without a person a gate that does not pass within its hold time and half an hour more is a hold."""
    if not state.automatic or state.held or known.gate is None:
        return []
    since = max(known.gate.opened_at, state.resumed_at or known.gate.opened_at)
    if now - since < timedelta(seconds=known.gate.hold_s) + GATE_PATIENCE:
        return []
    return [Held(at=now, actor="auto", reason=f"Gate {step.id} does not pass: {known.gate.reason}")]


def _decision(book: Runbook, state: RunState, step: Step, known: DecisionState | None, now: datetime) -> list[Event]:
    declared = step.decision
    if declared is None:
        return []
    if known is None:
        deadline = now + declared.deadline if declared.deadline else None
        return [
            DecisionOpened(
                at=now,
                actor="engine",
                step=step.id,
                question=declared.question,
                deadline=deadline,
                default=declared.default.value,
            )
        ]
    if known.answer == "continue":
        return [StepFinished(at=now, actor="engine", step=step.id)]
    if known.answer == "rollback":
        return [rollback.start(book, now, known.by, f"{known.question} Nobody answered in time.", automatic=True)]
    if state.automatic and not state.held:
        return [DecisionMade(at=now, actor="auto", step=step.id, answer="continue", reason="the gate passed")]
    return _overdue(state, step, known, now)


def _overdue(state: RunState, step: Step, known: DecisionState, now: datetime) -> list[Event]:
    if known.deadline is None or now < known.deadline or known.overdue:
        return []
    if known.default == "hold" or state.held:
        return [Held(at=now, actor="engine", reason=f"nobody answered in time: {known.question}")]
    return [DecisionMade(at=now, actor="engine", step=step.id, answer=known.default, reason="nobody answered in time")]
