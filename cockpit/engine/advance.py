"""Going on: what `advance` and `override` would do now, and what blocks them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.engine import drift, plan
from cockpit.model.events import (
    ActionReoffered,
    ActionSkipped,
    DecisionMade,
    Event,
    GateOverridden,
    Overrode,
    RunStarted,
    StepFinished,
    StepStarted,
)
from cockpit.model.run import RunState
from cockpit.model.status import ActionStatus, RunStatus, StepStatus
from cockpit.runbook.actions import Action, Manual
from cockpit.runbook.schema import Runbook, Step

_NO_LEASE = {
    "lapsed": "The Lease could not be renewed in time; it is tried again and again",
    "lost": "The Lease was deleted or edited by hand: take command again (cockpit takeover)",
    "other": "Somebody else holds the Lease of this deployment",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command is not carried out, and what to do."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Forward:
    """What a step forward would be: its name, its events, what blocks it and whether an override goes past that.

    While something runs by itself, `verb` and `detail` are what comes after it.
    """

    verb: str
    detail: str = ""
    events: tuple[Event, ...] = ()
    blocked: str = ""
    hint: str = ""
    overridable: bool = False

    @property
    def message(self) -> str:
        """What to tell the person who went forward."""
        return f"{self.verb}{': ' + self.detail if self.detail else ''}"


def after_step(book: Runbook, step: Step) -> tuple[str, str]:
    """What comes when the step has done its work."""
    if step.decision is not None:
        return "Decide", step.decision.question
    rest = book.steps[book.steps.index(step) + 1 :]
    return ("Start", f"{rest[0].id} {rest[0].title}") if rest else ("Complete the run", "")


def after_action(book: Runbook, step: Step, action: Action) -> tuple[str, str]:
    """What comes when one of its actions is done; of several, those before it are done."""
    rest = step.actions[step.actions.index(action) + 1 :]
    if rest:
        return "Go on", rest[0].title or rest[0].id
    return ("Measure", f"gate {step.id}") if step.gate is not None else after_step(book, step)


def look_ahead(book: Runbook, state: RunState, now: datetime, actor: str) -> Forward:
    """What `advance` would do now."""
    shut = _shut(state)
    if shut is not None:
        return shut
    if state.status is RunStatus.PREPARING:
        return _start(book, state, now, actor)
    if state.status is RunStatus.COMPLETED:
        return Forward("Nothing left to do", blocked="The run is completed", hint="close ends it.")
    if not state.status.forward:
        return Forward("Nothing to advance", blocked=f"The run is {state.status}", hint="")
    step = plan.current_step(book, state)
    if step is None:
        return Forward("Completing the run", blocked="The last step is done", hint="")
    forward = (
        _in_step(book, state, step, now, actor) if step.id in state.steps else _begin(book, state, step, now, actor)
    )
    if state.held and forward.events:
        return Forward(forward.verb, forward.detail, blocked="The run is held", hint="resume first.")
    return forward


def _shut(state: RunState) -> Forward | None:
    """What bars every way forward, whatever the plan says."""
    if state.fenced is not None:
        blocked = f"{state.fenced.by} commands since epoch {state.fenced.epoch}"
        return Forward("Nothing to advance", blocked=blocked, hint="Attach there; close this run with a reason.")
    if state.lease in _NO_LEASE and not state.status.final:
        return Forward("Nothing to advance", blocked=_NO_LEASE[state.lease], hint="A rollback works all the same.")
    if state.degraded and not state.status.final:
        blocked = f"The journal cannot be written: {state.degraded}"
        return Forward("Nothing goes forward", blocked=blocked, hint="Free the disk; a rollback works all the same.")
    if state.drift and state.status.forward:
        return Forward("Settle the drift", blocked=drift.blocking(state), hint="adopt, restore, or roll back.")
    return None


def advance(book: Runbook, state: RunState, now: datetime, actor: str) -> Forward | Refused:
    """Go on, or say why not."""
    forward = look_ahead(book, state, now, actor)
    if forward.blocked:
        return Refused(forward.blocked, forward.hint)
    return forward


def override(book: Runbook, state: RunState, now: datetime, actor: str, reason: str) -> Forward | Refused:
    """Go past what blocks, with the reason recorded; a hold is not overridden but resumed."""
    forward = look_ahead(book, state, now, actor)
    if state.held:
        return Refused("The run is held", "resume first.")
    step = plan.running_step(book, state)
    if step is not None and plan.step_status(step, state) is not StepStatus.DECIDING:
        return _override_step(state, step, now, actor, reason)
    if not forward.blocked:
        return Refused("Nothing blocks the run", "advance goes on.")
    if not forward.overridable:
        return Refused(forward.blocked, forward.hint)
    overrode = Overrode(at=now, actor=actor, what=forward.blocked, reason=reason)
    return Forward(forward.verb, forward.detail, (overrode, *forward.events))


def _start(book: Runbook, state: RunState, now: datetime, actor: str) -> Forward:
    first = book.steps[0]
    events: tuple[Event, ...] = (
        RunStarted(at=now, actor=actor),
        StepStarted(at=now, actor=actor, step=first.id, title=first.title),
    )
    detail = f"{first.id} {first.title}"
    blocked, hint = _not_ready(book, state, now)
    missing = plan.unticked(book, state)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        blocked, hint = f"Not ticked: {missing[0].text}{more}", "Tick the checklist, or override with a reason."
    if state.held:
        return Forward("Start the run", detail, blocked="The run is held", hint="resume first.")
    return Forward("Start the run", detail, events, blocked, hint, overridable=bool(blocked))


def _not_ready(book: Runbook, state: RunState, now: datetime) -> tuple[str, str]:
    """What speaks against any forward step: the light is red, or the window is closed."""
    if state.readiness is None:
        return "Rollback readiness has not been checked yet", "It is checked within seconds."
    if not state.readiness.ready:
        return f"Rollback is not ready: {'; '.join(state.readiness.reasons)}", "Repair it, or override with a reason."
    start, end = plan.window(book, state.opened_at or now)
    if not start <= now <= end:
        return f"Outside the window {start:%H:%M}–{end:%H:%M} {start.tzname()}", "Wait, or override with a reason."
    return "", ""


def _begin(book: Runbook, state: RunState, step: Step, now: datetime, actor: str) -> Forward:
    blocked, hint = _not_ready(book, state, now)
    events = (StepStarted(at=now, actor=actor, step=step.id, title=step.title),)
    return Forward("Start", f"{step.id} {step.title}", events, blocked, hint, overridable=bool(blocked))


def _in_step(book: Runbook, state: RunState, step: Step, now: datetime, actor: str) -> Forward:
    status = plan.step_status(step, state)
    if status in (StepStatus.FAILED, StepStatus.AMBIGUOUS):
        return _retry(book, state, step, now, actor)
    if status is StepStatus.DECIDING:
        return _continue(book, state, step, now, actor)
    if status is StepStatus.GATING:
        return Forward(
            *after_step(book, step), blocked=gate_blocks(step, state),
            hint="Wait, override with a reason, or roll back.", overridable=True,
        )  # fmt: skip
    return _acting(book, state, step)


def gate_blocks(step: Step, state: RunState, why: str = "") -> str:
    """That a gate has not passed, and why: what was last recorded, unless something newer is known."""
    gate = state.steps[step.id].gate
    recorded = gate.reason if gate and gate.reason else "its conditions must hold for the whole hold time"
    return f"Gate {step.id} has not passed: {why or recorded}"


def _acting(book: Runbook, state: RunState, step: Step) -> Forward:
    action = plan.current_action(step, state)
    if action is None:
        return Forward(*after_step(book, step), blocked="The step is ending", hint="")
    title = action.title or action.id
    if isinstance(action, Manual):
        return Forward("Do and tick", title, blocked=f"Waiting for a person: {title}", hint=f"tick {action.id}")
    if action.consent and not state.action(action.id).consented:
        return Forward("Consent", title, blocked=f"{title} needs the word {action.consent}", hint="Type it, or skip.")
    return Forward(*after_action(book, step, action), blocked=f"Working: {title}", hint="")


def _retry(book: Runbook, state: RunState, step: Step, now: datetime, actor: str) -> Forward:
    action = plan.current_action(step, state)
    if action is None:
        return _acting(book, state, step)
    event = ActionReoffered(at=now, actor=actor, action=action.id, reason=f"tried again by {actor}")
    return Forward("Try again", action.title or action.id, (event,), overridable=True)


def _continue(book: Runbook, state: RunState, step: Step, now: datetime, actor: str) -> Forward:
    """A continue answers the decision and starts the next step, so that one key press is one decision."""
    decided: tuple[Event, ...] = (
        DecisionMade(at=now, actor=actor, step=step.id, answer="continue"),
        StepFinished(at=now, actor=actor, step=step.id),
    )
    rest = book.steps[book.steps.index(step) + 1 :]
    if not rest:
        return Forward("Continue", "complete the run", decided)
    begin = _begin(book, state, rest[0], now, actor)
    return Forward("Continue", begin.detail, (*decided, *begin.events), begin.blocked, begin.hint, begin.overridable)


def _override_step(state: RunState, step: Step, now: datetime, actor: str, reason: str) -> Forward | Refused:
    status = plan.step_status(step, state)
    if status is StepStatus.GATING and state.steps[step.id].gate is not None:
        event: Event = GateOverridden(at=now, actor=actor, step=step.id, reason=reason)
        return Forward("Gate overridden", step.id, (event,))
    action = plan.current_action(step, state)
    stuck = action is not None and (
        isinstance(action, Manual) or state.action(action.id).status in (ActionStatus.FAILED, ActionStatus.AMBIGUOUS)
    )
    if action is None or not stuck:
        return Refused("Nothing here can be overridden", "advance goes on, hold stops, rollback goes back.")
    skipped = ActionSkipped(at=now, actor=actor, action=action.id, reason=f"overridden: {reason}")
    return Forward("Overridden", action.title or action.id, (skipped,))
