"""The way back: which step starts, retries, ends. Pure."""

from __future__ import annotations

from datetime import datetime

from cockpit.engine import messages
from cockpit.engine.effects import Decided, Perform
from cockpit.engine.plan import rollback_actions
from cockpit.model.events import (
    ActionReoffered,
    ActionSkipped,
    ActionSucceeded,
    Event,
    RollbackFinished,
    RollbackStarted,
    RollbackStepFinished,
    RollbackStepStarted,
    RunStatusChanged,
)
from cockpit.model.run import RollbackState, RollbackStepState, RunState
from cockpit.model.status import ActionStatus, RunStatus
from cockpit.runbook.actions import (
    Action,
    CanaryOff,
    Exec,
    HttpChecks,
    Manual,
    Notify,
    OnAmbiguous,
    Script,
    Switch,
    Traffic,
    Workloads,
)
from cockpit.runbook.schema import RollbackStep, Runbook

TRIES = 3


def start(
    book: Runbook,
    now: datetime,
    actor: str,
    reason: str,
    *,
    trigger: str | None = None,
    needed: tuple[str, ...] = (),
    automatic: bool = False,
) -> RollbackStarted:
    """The event that sends the run back; steps a trigger needs are added to `needed`."""
    implied = tuple(step.id for step in book.rollback.steps if trigger in step.needed_for)
    return RollbackStarted(
        at=now,
        actor=actor,
        reason=reason,
        trigger=trigger,
        needed=tuple(dict.fromkeys((*needed, *implied))),
        automatic=automatic,
        actions=tuple(action.id for action in rollback_actions(book)),
    )


def decide_rollback(book: Runbook, state: RunState, now: datetime) -> Decided:
    """What the way back does now. A step that is being retried does not hold up the independent ones after it."""
    rollback = state.rollback
    if rollback is None or rollback.ended_at is not None:
        return Decided()
    effects: list[Perform] = []
    for step in book.rollback.steps:
        known = rollback.steps.get(step.id)
        if known is None:
            if _may_start(step, rollback, book, state):
                return Decided(tuple(_begin(step, rollback, now)))
            break
        if known.status == "running":
            decided = _carry_on(book, step, known, state, now)
            if decided.events:
                return decided
            effects.extend(decided.effects)
    if len(rollback.steps) == len(book.rollback.steps) and _all_ended(rollback):
        return Decided(tuple(_finish(book, rollback, now)))
    return Decided(effects=tuple(effects))


def _all_ended(rollback: RollbackState) -> bool:
    return all(step.status != "running" for step in rollback.steps.values())


def _may_start(step: RollbackStep, rollback: RollbackState, book: Runbook, state: RunState) -> bool:
    for earlier in book.rollback.steps:
        if earlier.id == step.id:
            return True
        known = rollback.steps.get(earlier.id)
        ended = known is not None and known.status != "running"
        if earlier.id in step.depends_on and not ended:
            return False
        if not ended and not _being_retried(earlier, state):
            return False
    return True


def _being_retried(step: RollbackStep, state: RunState) -> bool:
    open_actions = [action for action in step.actions if not _settled(action, state)]
    return bool(open_actions) and all(_tried_in_vain(state, action) for action in open_actions)


def _tried_in_vain(state: RunState, action: Action) -> bool:
    known = state.action(action.id)
    return known.attempts > 1 or known.status in (ActionStatus.FAILED, ActionStatus.AMBIGUOUS)


def _begin(step: RollbackStep, rollback: RollbackState, now: datetime) -> list[Event]:
    budget = step.budget.total_seconds()
    blocked = next((name for name in step.depends_on if rollback.steps[name].status == "failed"), None)
    if blocked is not None:
        return [_ended(step, "failed", now, now, f"needs step {blocked}, which failed")]
    if step.if_needed and step.id not in rollback.needed:
        return [_ended(step, "skipped", now, now, "not needed: nobody asked for it")]
    return [RollbackStepStarted(at=now, actor="engine", step=step.id, title=step.title, budget_s=budget)]


def _ended(step: RollbackStep, status: str, started: datetime, now: datetime, message: str) -> Event:
    return RollbackStepFinished.model_validate(
        {
            "at": now,
            "actor": "engine",
            "step": step.id,
            "status": status,
            "took_s": (now - started).total_seconds(),
            "budget_s": step.budget.total_seconds(),
            "message": message,
        }
    )


def _carry_on(book: Runbook, step: RollbackStep, known: RollbackStepState, state: RunState, now: datetime) -> Decided:
    effects: list[Perform] = []
    for action in step.actions:
        if _settled(action, state):
            continue
        if _too_early(step, action, book, state):
            return Decided(effects=tuple(effects)) if _ahead_open(step, book, state) else _once_more(action, now)
        decided = _act(book, action, state, now)
        if decided.events:
            return decided
        effects.extend(decided.effects)
        if not step.parallel and not _given_up(action, state):
            return Decided(effects=tuple(effects))
    if effects or any(not _settled(action, state) and not _given_up(action, state) for action in step.actions):
        return Decided(effects=tuple(effects))
    failed = [action for action in step.actions if not _settled(action, state)]
    message = "; ".join(state.action(action.id).message for action in failed or step.actions)
    return Decided((_ended(step, "failed" if failed else "done", known.started_at, now, message[:400]),))


def _too_early(step: RollbackStep, action: Action, book: Runbook, state: RunState) -> bool:
    """Whether a proof was given up before the steps ahead of it had ended: then it has proved nothing."""
    if not isinstance(action, Workloads | HttpChecks) or not _given_up(action, state):
        return False
    failed_at = state.action(action.id).ended_at
    ends = (known.ended_at for known in _ahead(step, book, state))
    return any(ended_at is None or failed_at is None or ended_at > failed_at for ended_at in ends)


def _ahead_open(step: RollbackStep, book: Runbook, state: RunState) -> bool:
    return any(known.ended_at is None for known in _ahead(step, book, state))


def _ahead(step: RollbackStep, book: Runbook, state: RunState) -> list[RollbackStepState]:
    """The steps before this one that have begun."""
    begun = state.rollback.steps if state.rollback is not None else {}
    names = [each.id for each in book.rollback.steps]
    return [begun[name] for name in names[: names.index(step.id)] if name in begun]


def _once_more(action: Action, now: datetime) -> Decided:
    reason = "looking again: the steps before it have ended"
    return Decided((ActionReoffered(at=now, actor="engine", action=action.id, reason=reason),))


def _act(book: Runbook, action: Action, state: RunState, now: datetime) -> Decided:
    known = state.action(action.id)
    if known.status is ActionStatus.PENDING:
        return _first(book, action, state, now)
    if known.status in (ActionStatus.FAILED, ActionStatus.AMBIGUOUS) and not _given_up(action, state):
        return Decided((ActionReoffered(at=now, actor="engine", action=action.id, reason="trying again"),))
    return Decided()


def _first(book: Runbook, action: Action, state: RunState, now: datetime) -> Decided:
    known = state.action(action.id)
    if action.consent and not known.consented:
        reason = f"needs the typed word {action.consent}, which is never given inside a rollback"
        return Decided((ActionSkipped(at=now, actor="engine", action=action.id, reason=reason),))
    if isinstance(action, Manual):
        return _manual(action, state, now, state.rollback is not None and state.rollback.automatic)
    if isinstance(action, Notify):
        queued = messages.due(book, state, action.announcements, now)
        sent = ActionSucceeded(at=now, actor="engine", action=action.id, message="queued")
        return Decided((*queued, sent))
    return Decided(effects=(Perform(action.id, known.attempts + 1, rollback=True),))


def _manual(action: Manual, state: RunState, now: datetime, automatic: bool) -> Decided:
    tick = state.ticks.get(action.id)
    if tick is not None and tick.done:
        event = ActionSucceeded(at=now, actor=tick.by, action=action.id, message=f"confirmed by {tick.by}")
        return Decided((event,))
    if automatic and state.automatic:
        return Decided((ActionSkipped(at=now, actor="engine", action=action.id, reason="nobody is there to do it"),))
    return Decided()


def _settled(action: Action, state: RunState) -> bool:
    """Done or skipped, or optional and given up after its tries."""
    return state.action(action.id).status.settled or (action.optional and _given_up(action, state))


def _given_up(action: Action, state: RunState) -> bool:
    """Traffic is tried until it is back on stable; everything else a few times."""
    if isinstance(action, Switch | CanaryOff | Traffic):
        return False
    known = state.action(action.id)
    if known.status is ActionStatus.AMBIGUOUS and _asks(action):
        return True
    return known.status in (ActionStatus.FAILED, ActionStatus.AMBIGUOUS) and known.attempts >= TRIES


def _asks(action: Action) -> bool:
    """Whether only a person may repeat what cannot be read back: by another rollback."""
    return isinstance(action, Exec | Script) and action.on_ambiguous is OnAmbiguous.ASK


def _finish(book: Runbook, rollback: RollbackState, now: datetime) -> list[Event]:
    failed = [step_id for step_id, step in rollback.steps.items() if step.status == "failed"]
    took = (now - rollback.started_at).total_seconds()
    budget = book.rollback.budget.total_seconds()
    message = f"failed: step {', '.join(failed)}" if failed else "traffic is on stable, checked"
    finished = RollbackFinished(
        at=now, actor="engine", succeeded=not failed, took_s=took, budget_s=budget, message=message
    )
    status = RunStatus.ROLLBACK_FAILED if failed else RunStatus.ROLLED_BACK
    return [finished, RunStatusChanged(at=now, actor="engine", status=status, reason=rollback.reason)]
