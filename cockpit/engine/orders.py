"""What a person's command does: events, or a refusal with what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cockpit.engine import drift, plan, rollback
from cockpit.engine.advance import Refused, advance, override
from cockpit.model import commands as cmd
from cockpit.model.describe import describe, importance
from cockpit.model.events import (
    ActionSkipped,
    ConsentGiven,
    EscalationAcknowledged,
    Event,
    Held,
    ItemTicked,
    Noted,
    Overrode,
    Resumed,
    RunClosed,
    TriggerDismissed,
)
from cockpit.model.guarded import EPOCH, EXISTS
from cockpit.model.lease import lease_name
from cockpit.model.run import RunState
from cockpit.model.status import ActionStatus, RunStatus
from cockpit.model.text import clean
from cockpit.model.words import Importance
from cockpit.runbook.actions import Exec
from cockpit.runbook.schema import Runbook

_FORWARD = ("advance", "override", "consent", "set_weight", "resume", "adopt", "restore")
_WHEN_FENCED = ("close", "ack", "release")
_TOLD = 3
_RANK = {
    Importance.BAD: 4,
    Importance.WARNING: 3,
    Importance.GOOD: 2,
    Importance.NOTICE: 1,
    Importance.INFO: 0,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything a command is judged by; `changes` are the last events that decisions depend on."""

    book: Runbook
    state: RunState
    now: datetime
    actor: str
    changes: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The events of a command and what to tell the person.

    `weight` asks the runner to move the traffic by hand, `restore` to write back the named objects, `stamp` to stamp
    the guarded objects again, `lease` to take the lost Lease again.
    """

    events: tuple[Event, ...]
    message: str
    weight: int | None = None
    restore: tuple[str, ...] = ()
    stamp: bool = False
    lease: bool = False


def answer(moment: Moment, command: cmd.Command) -> Accepted | Refused:
    """The answer to a command; nothing else happens here."""
    if moment.state.closed:
        return Refused("The run is closed", "Start a new run.")
    if moment.state.fenced is not None and command.kind not in _WHEN_FENCED:
        by = moment.state.fenced
        return Refused(
            f"{by.by} commands the guarded objects since epoch {by.epoch}",
            f"Watch that run, or take it back: cockpit takeover --from {moment.book.cluster.namespace}/"
            f"{lease_name(moment.book.metadata.name)} --reason TEXT, once this one is closed with a reason.",
        )
    seen = command.expected_seq
    if command.kind in _FORWARD and seen is not None and seen != moment.state.situation:
        return _stale(moment, seen)
    handler: Callable[[Moment, Any], Accepted | Refused] = _HANDLERS[command.kind]
    return handler(moment, command)


def _stale(moment: Moment, seen: int) -> Refused:
    """A decision about another situation: what happened since, the most important first."""
    since = [event for event in moment.changes if event.seq > seen]
    since.sort(key=lambda event: (-_RANK[importance(event)], -event.seq))
    told = "; ".join(describe(event) for event in since[:_TOLD])
    more = f", and {len(since) - _TOLD} more" if len(since) > _TOLD else ""
    return Refused(
        f"The situation has changed since you looked{f': {told}{more}' if told else ''}", "Look again, then decide."
    )


def _advance(moment: Moment, command: cmd.Advance) -> Accepted | Refused:
    result = advance(moment.book, moment.state, moment.now, moment.actor)
    return result if isinstance(result, Refused) else Accepted(result.events, result.message)


def _override(moment: Moment, command: cmd.Override) -> Accepted | Refused:
    if not command.reason.strip():
        return Refused("An override needs a reason", "Say why; it goes into the journal.")
    result = override(moment.book, moment.state, moment.now, moment.actor, command.reason.strip())
    return result if isinstance(result, Refused) else Accepted(result.events, result.message)


def _hold(moment: Moment, command: cmd.Hold) -> Accepted | Refused:
    if moment.state.held:
        return Refused("The run is held already", "resume ends the hold.")
    if moment.state.status.final:
        return Refused(f"The run is {moment.state.status}", "There is nothing to hold.")
    event = Held(at=moment.now, actor=moment.actor, reason=command.reason)
    return Accepted((event,), "Held: no new forward action starts. The guard and a rollback still work.")


def _resume(moment: Moment, command: cmd.Resume) -> Accepted | Refused:
    if not moment.state.held:
        return Refused("The run is not held", "")
    return Accepted((Resumed(at=moment.now, actor=moment.actor),), "Resumed")


def _roll_back(moment: Moment, command: cmd.RollBack) -> Accepted | Refused:
    state, book = moment.state, moment.book
    if not command.reason.strip():
        return Refused("A rollback needs a reason", "Say why; it goes into the journal.")
    if state.status is RunStatus.ROLLING_BACK:
        return Refused("The rollback is running already", "Watch its steps.")
    if state.status in (RunStatus.ROLLED_BACK, RunStatus.ABORTED):
        return Refused(f"The run is {state.status}", "Traffic is on stable.")
    known = {trigger.id for trigger in book.rollback.triggers}
    if command.trigger is not None and command.trigger not in known:
        return Refused(f"There is no trigger {command.trigger}", f"Known: {', '.join(sorted(known))}.")
    needed = {step.id for step in book.rollback.steps if step.if_needed}
    unknown = [step for step in command.needed if step not in needed]
    if unknown:
        return Refused(f"There is no if-needed step {unknown[0]}", f"Known: {', '.join(sorted(needed))}.")
    event = rollback.start(
        book, moment.now, moment.actor, command.reason.strip(), trigger=command.trigger, needed=command.needed
    )
    return Accepted((event,), "Rolling back")


def _dismiss(moment: Moment, command: cmd.DismissTrigger) -> Accepted | Refused:
    if moment.state.trip is None:
        return Refused("No trigger is counting down", "")
    if not command.reason.strip():
        return Refused("Dismissing a trigger needs a reason", "Say why; it goes into the journal.")
    trigger = moment.state.trip.trigger
    if command.trigger not in ("", trigger):
        return Refused(f"{moment.state.trip.title} counts down now", "Look again: another trigger goes back sooner.")
    event = TriggerDismissed(at=moment.now, actor=moment.actor, trigger=trigger, reason=command.reason.strip())
    return Accepted((event,), "Dismissed; it trips again when it has cleared and breaks again")


def _acknowledge(moment: Moment, command: cmd.Acknowledge) -> Accepted | Refused:
    ladder = moment.state.escalation
    if ladder is None:
        return Refused("Nothing has been escalated", "")
    if ladder.acknowledged_at is not None:
        return Refused(f"{ladder.acknowledged_by} has acknowledged it already", "")
    event = EscalationAcknowledged(at=moment.now, actor=moment.actor, note=command.note)
    return Accepted((event,), "Acknowledged: nobody else is called for this")


def _tick(moment: Moment, command: cmd.Tick) -> Accepted | Refused:
    texts = dict(plan.tickable(moment.book))
    if command.item not in texts:
        return Refused(f"There is nothing to tick named {command.item}", "status -o json lists the checklist.")
    step = plan.confirmed_in(moment.book, command.item)
    known = moment.state.steps.get(step.id) if step is not None else None
    if step is not None and command.done and (known is None or known.gate is None):
        hint = "Confirm it while the gate is measured: before that there is nothing to have seen."
        return Refused(f"Gate {step.id} is not open yet", hint)
    # A confirmation from before the last weight change is none any more, and can be given again.
    stale = step is not None and command.done and not plan.answered(step, moment.state, command.item)
    if moment.state.ticked(command.item) == command.done and not stale:
        return Refused(f"{command.item} is {'ticked' if command.done else 'not ticked'} already", "")
    event = ItemTicked(
        at=moment.now,
        actor=moment.actor,
        item=command.item,
        text=texts[command.item],
        done=command.done,
        note=command.note,
    )
    return Accepted((event,), f"{'Ticked' if command.done else 'Unticked'}: {texts[command.item]}")


def _consent(moment: Moment, command: cmd.Consent) -> Accepted | Refused:
    step = plan.running_step(moment.book, moment.state)
    action = plan.current_action(step, moment.state) if step else None
    if action is None or action.id != command.action or action.consent is None:
        return Refused(f"{command.action} does not ask for consent now", "")
    if moment.state.action(action.id).status is not ActionStatus.PENDING:
        return Refused(f"{command.action} has started already", "")
    if not command.word:
        if not action.optional:
            return Refused(f"{command.action} is not optional", f"Type {action.consent}, hold, or roll back.")
        skipped = ActionSkipped(
            at=moment.now, actor=moment.actor, action=action.id, reason="the commander did not consent"
        )
        return Accepted((skipped,), "Skipped")
    if isinstance(action, Exec) and action.looks and moment.state.action(action.id).looked_at is None:
        return Refused(f"What {action.id} would do is still being read", "Read it, then type the word.")
    if command.word != action.consent:
        return Refused("That is not the word", f"Type {action.consent} exactly, or skip.")
    return Accepted((ConsentGiven(at=moment.now, actor=moment.actor, action=action.id),), "Consent given")


def _set_weight(moment: Moment, command: cmd.SetWeight) -> Accepted | Refused:
    state = moment.state
    if not state.status.forward or state.held:
        return Refused("Traffic is moved by hand only in a running, unheld run", "")
    if state.degraded:
        return Refused(f"The journal cannot be written: {state.degraded}", "Free the disk, or roll back.")
    if state.drift:
        return Refused(drift.blocking(state), "adopt, restore, or roll back first.")
    if state.traffic is None or not state.traffic.canary or plan.planned_weight(moment.book, state) == 0:
        return Refused("The plan has not reached the traffic shift, or is past it", "")
    if command.weight == state.traffic.weight:
        return Refused(f"The weight is {command.weight} % already", "")
    allowed, reason = plan.planned_weight(moment.book, state), command.reason.strip()
    beyond = f"{command.weight} % is beyond the {allowed} % of the current step"
    if command.weight <= allowed:
        return Accepted((), f"Moving {command.weight} % of the traffic", weight=command.weight)
    if not reason:
        return Refused(beyond, "Override it with a reason.")
    what = f"moving the traffic by hand: {beyond}"
    overrode = Overrode(at=moment.now, actor=moment.actor, what=what, reason=reason)
    return Accepted((overrode,), f"Overridden; moving {command.weight} % of the traffic", weight=command.weight)


def _note(moment: Moment, command: cmd.Note) -> Accepted | Refused:
    text = clean(command.text).strip()
    if not text:
        return Refused("A note needs a text", "")
    return Accepted((Noted(at=moment.now, actor=moment.actor, text=text),), "Noted")


def _adopt(moment: Moment, command: cmd.Adopt) -> Accepted | Refused:
    keys = drift.named(moment.state, command.object)
    refused = _no_drift(moment, command.object, keys)
    if refused is not None:
        return refused
    if not command.reason.strip():
        return Refused("Adopting a drift needs a reason", "Say why; it goes into the journal.")
    gone = [key for key in keys if EXISTS in moment.state.drift[key].found]
    if gone:
        return Refused(f"{gone[0]} does not exist any more", "Create it again, or roll back.")
    events = drift.adopted(moment.book, moment.state, keys, moment.actor, command.reason.strip(), moment.now)
    stamp = any(EPOCH in moment.state.drift[key].found for key in keys)
    return Accepted(tuple(events), f"Adopted: {', '.join(keys)}", stamp=stamp)


def _restore(moment: Moment, command: cmd.Restore) -> Accepted | Refused:
    keys = drift.named(moment.state, command.object)
    refused = _no_drift(moment, command.object, keys)
    if refused is not None:
        return refused
    gone = [key for key in keys if EXISTS in moment.state.drift[key].found]
    if gone:
        return Refused(f"{gone[0]} does not exist any more", "Create it again, or roll back.")
    stamp = any(EPOCH in moment.state.drift[key].found for key in keys)
    return Accepted((), f"Writing back: {', '.join(keys)}", restore=keys, stamp=stamp)


def _no_drift(moment: Moment, named: str, keys: tuple[str, ...]) -> Refused | None:
    if not moment.state.status.forward:
        return Refused(f"The run is {moment.state.status}", "A drift is settled on the way forward.")
    if keys:
        return None
    known = ", ".join(moment.state.drift) or "none"
    return Refused(
        f"{named or 'Nothing'} has not drifted" if named else "Nothing has drifted", f"Open drifts: {known}."
    )


def _takeover(moment: Moment, command: cmd.Takeover) -> Accepted | Refused:
    if not command.reason.strip():
        return Refused("A takeover needs a reason", "Say why; it goes into the journal, and to whoever commands now.")
    lease = moment.state.lease == "lost"
    return Accepted((), f"{moment.actor} commands {moment.state.run} now", lease=lease)


def _release(moment: Moment, command: cmd.Release) -> Accepted | Refused:
    return Accepted((), "Whoever attaches next commands")


def _close(moment: Moment, command: cmd.Close) -> Accepted | Refused:
    state = moment.state
    if state.status.final or (state.fenced is not None and command.reason.strip()):
        status = state.status
    elif state.status is RunStatus.PREPARING and not state.changed:
        status = RunStatus.ABORTED
    elif state.held and command.reason.strip() and state.status is not RunStatus.ROLLING_BACK:
        status = state.status
    else:
        return Refused(f"The run is {state.status}", "Finish it, roll back, or hold it and close it with a reason.")
    return Accepted((RunClosed(at=moment.now, actor=moment.actor, status=status, reason=command.reason),), "Closed")


_HANDLERS: dict[str, Callable[[Moment, Any], Accepted | Refused]] = {
    "advance": _advance,
    "override": _override,
    "hold": _hold,
    "resume": _resume,
    "rollback": _roll_back,
    "dismiss": _dismiss,
    "ack": _acknowledge,
    "tick": _tick,
    "consent": _consent,
    "set_weight": _set_weight,
    "note": _note,
    "adopt": _adopt,
    "restore": _restore,
    "takeover": _takeover,
    "release": _release,
    "close": _close,
}
