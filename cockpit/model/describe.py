"""Events in words: one human line each, for every front end and report; no markup, no colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cockpit.model.comparison import Standing
from cockpit.model.events import (
    ActionAmbiguous,
    ActionFailed,
    ActionIntended,
    ActionLooked,
    ActionOutput,
    ActionProgressed,
    ActionReoffered,
    ActionSkipped,
    ActionSucceeded,
    CommandRefusedEvent,
    CommandReleased,
    CommandTaken,
    ComparisonChanged,
    ConsentGiven,
    DecisionMade,
    DecisionOpened,
    DriftEnded,
    DriftFound,
    EngineStarted,
    EpochClaimed,
    EscalationAcknowledged,
    EscalationEnded,
    EscalationLevelReached,
    EscalationStarted,
    Event,
    EventBase,
    GateBroke,
    GateGaveUp,
    GateHolding,
    GateOpened,
    GateOverridden,
    GatePassed,
    Held,
    ItemTicked,
    JournalDegraded,
    JournalRecovered,
    LeaseChanged,
    MessageFailed,
    MessageQueued,
    MessageSent,
    MessageTried,
    MetricsSampled,
    Noted,
    Overrode,
    ReadinessChanged,
    Resumed,
    RollbackFinished,
    RollbackStarted,
    RollbackStepFinished,
    RollbackStepStarted,
    RowDropped,
    RunClosed,
    RunFenced,
    RunOpened,
    RunStarted,
    RunStatusChanged,
    StepFinished,
    StepStarted,
    TriggerDismissed,
    TriggerRearmed,
    TriggerTripped,
    VerdictChanged,
    WeightChanged,
)
from cockpit.model.guarded import said
from cockpit.model.status import RunStatus
from cockpit.model.text import clean
from cockpit.model.verdict import Verdict
from cockpit.model.words import Importance, duration, words


def describe(event: Event) -> str:
    """One line of plain text that says what happened."""
    return clean(_WORDS[type(event)](event))


def importance(event: Event) -> Importance:
    """How much a person should notice the event."""
    rule = _IMPORTANCE.get(type(event), Importance.INFO)
    return rule if isinstance(rule, Importance) else rule(event)


def _tail(text: str, before: str = ": ") -> str:
    return f"{before}{text}" if text else ""


def _ticked(event: ItemTicked) -> str:
    return f"{'Ticked' if event.done else 'Unticked'}: {event.text}{_tail(event.note, ' – ')}"


def _verdict(event: VerdictChanged) -> str:
    measured = event.measurement
    shown = event.shown or ("" if measured.value is None else f"{measured.value:g}")
    value = f" at {shown}" if shown else ""
    before = f", was {words(event.previous)}" if event.previous else ""
    return (
        f"{event.title or measured.metric} is {words(measured.verdict)}{value}{before}{_tail(measured.reason, ' – ')}"
    )


def _weight(event: WeightChanged) -> str:
    canary = f"canary route {event.weight} %" if event.canary else "canary route off"
    return f"Traffic: active service {event.active}, {canary}"


def _gate_broke(event: GateBroke) -> str:
    did = f"broke after {duration(event.held_s)}" if event.held_s else "waits"
    return f"Gate {event.step} {did}: {event.reason}"


def _tripped(event: TriggerTripped) -> str:
    when = f"; rollback at {event.rollback_at:%H:%M:%S}" if event.rollback_at else ""
    return f"Rollback trigger: {event.title} – {event.reason}{when}"


def _rollback_started(event: RollbackStarted) -> str:
    by = "by itself" if event.automatic else "ordered"
    needed = f", with {', '.join(event.needed)}" if event.needed else ""
    return f"Rollback started {by}{_tail(event.reason)}{needed}"


def _rollback_step(event: RollbackStepFinished) -> str:
    late = ", over budget" if event.took_s > event.budget_s else ""
    times = f"{duration(event.took_s)} of {duration(event.budget_s)}{late}"
    return f"Rollback step {event.step} {event.status} in {times}{_tail(event.message)}"


def _rollback_finished(event: RollbackFinished) -> str:
    word = "finished" if event.succeeded else "FAILED"
    return f"Rollback {word} in {duration(event.took_s)} of {duration(event.budget_s)}{_tail(event.message)}"


def _readiness(event: ReadinessChanged) -> str:
    return "Rollback is ready" if event.ready else f"Rollback is NOT ready{_tail('; '.join(event.reasons))}"


def _decision_opened(event: DecisionOpened) -> str:
    deadline = f" (until {event.deadline:%H:%M:%S}, then {event.default})" if event.deadline else ""
    return f"Decision on {event.step}: {event.question}{deadline}"


def _opened(event: RunOpened) -> str:
    where = f"{event.context}/{event.namespace}" if event.context else event.namespace
    return f"Run {event.run} opened: {event.runbook} {event.version} on {where}"


def _failed(event: ActionFailed) -> str:
    word = "failed (optional)" if event.optional else "failed"
    return f"{event.action} {word}: {event.message}{_tail(event.hint, ' – ')}"


def _drift_found(event: DriftFound) -> str:
    by = f" by {event.manager}" if event.manager else " by somebody else"
    return f"DRIFT: {event.object} was changed{by}: {said(event.found)}, expected {said(event.expected)}"


def _drift_ended(event: DriftEnded) -> str:
    how = {"adopted": "adopted as it is", "restored": "restored", "gone": "is as expected again"}[event.how]
    return f"Drift of {event.object} {how}{_tail(event.reason, ' – ')}"


def _claimed(event: EpochClaimed) -> str:
    return f"Epoch {event.claimed} claimed on {', '.join(event.objects) or 'the guarded objects'}"


def _lease(event: LeaseChanged) -> str:
    words = {
        "held": f"The Lease is ours, epoch {event.lease_epoch}",
        "other": f"The Lease is held by {event.other}",
        "lapsed": "The Lease could not be renewed in time: nothing goes forward until it is",
        "lost": "The Lease was deleted or edited by hand: nothing goes forward until a person takes command again",
        "local": "No Lease can be had: only the lock on this machine says who commands",
    }
    return f"{words.get(event.command, event.command)}{_tail(event.problem, ' – ')}"


def _output(event: ActionOutput) -> str:
    left_out = f"… {event.left_out} lines left out, then: " if event.left_out else ""
    before = f"{len(event.lines) - 1} lines, then: " if len(event.lines) > 1 else ""
    return f"{event.action} {_STREAM[event.stream]}: {left_out}{before}{event.last}"


_STREAM = {"out": "printed", "err": "printed on stderr", "log": "log"}

_WORDS: dict[type[EventBase], Callable[[Any], str]] = {
    RunOpened: _opened,
    EngineStarted: lambda e: f"Engine started, process {e.pid}, {e.replayed} events replayed",
    RunStarted: lambda e: "Run started",
    Overrode: lambda e: f"OVERRIDDEN: {e.what}{_tail(e.reason, ' – ')}",
    RunStatusChanged: lambda e: f"Run is {words(e.status)}{_tail(e.reason)}",
    RunClosed: lambda e: f"Run closed: {words(e.status)}{_tail(e.reason, ' – ')}",
    Held: lambda e: f"Held{_tail(e.reason)}",
    Resumed: lambda e: "Resumed",
    ItemTicked: _ticked,
    StepStarted: lambda e: f"Step {e.step} started: {e.title}",
    StepFinished: lambda e: f"Step {e.step} done",
    ActionIntended: lambda e: f"{e.action}: {e.request}" + (f" (attempt {e.attempt})" if e.attempt > 1 else ""),
    ActionProgressed: lambda e: f"{e.action}: {e.message}",
    ActionLooked: lambda e: f"{e.action}: {e.message}",
    ActionOutput: _output,
    ActionSucceeded: lambda e: f"{e.action} done{_tail(e.message)}",
    ActionFailed: _failed,
    ActionAmbiguous: lambda e: f"{e.action} unclear: {e.message}",
    ActionSkipped: lambda e: f"{e.action} skipped{_tail(e.reason)}",
    ActionReoffered: lambda e: f"{e.action} may be tried again{_tail(e.reason)}",
    ConsentGiven: lambda e: f"Consent given for {e.action}",
    EpochClaimed: _claimed,
    LeaseChanged: _lease,
    CommandTaken: lambda e: (
        f"COMMAND: {e.actor}{_tail(e.terminal, ' at ')} took over from {e.replaces or e.previous}{_tail(e.reason)}"
    ),
    CommandReleased: lambda e: f"{e.actor} left the command: whoever attaches next has it",
    RowDropped: lambda e: "A row that was not mirrored; the bastion before has it",
    RunFenced: lambda e: (
        f"FENCED: {e.by} commands {e.object} since epoch {e.their_epoch}; nothing more is written here"
    ),
    DriftFound: _drift_found,
    DriftEnded: _drift_ended,
    WeightChanged: _weight,
    VerdictChanged: _verdict,
    ComparisonChanged: lambda e: f"{e.title or e.comparison.metric}, candidate against stable: {e.comparison.sentence}",
    MetricsSampled: lambda e: f"{len(e.measurements)} metrics recorded",
    GateOpened: lambda e: f"Gate {e.step} opened: must hold for {duration(e.hold_s)}",
    GateHolding: lambda e: f"Gate {e.step}: all conditions hold",
    GateBroke: _gate_broke,
    GatePassed: lambda e: f"Gate {e.step} passed after {duration(e.held_s)}",
    GateGaveUp: lambda e: f"Gate {e.step} gave up: {e.reason}",
    GateOverridden: lambda e: f"Gate {e.step} OVERRIDDEN: {e.reason}",
    DecisionOpened: _decision_opened,
    DecisionMade: lambda e: f"Decision on {e.step}: {e.answer}{_tail(e.reason, ' – ')}",
    TriggerTripped: _tripped,
    TriggerDismissed: lambda e: f"Trigger {e.trigger} dismissed: {e.reason}",
    TriggerRearmed: lambda e: f"Trigger {e.trigger} watches again: {e.reason}",
    RollbackStarted: _rollback_started,
    RollbackStepStarted: lambda e: f"Rollback step {e.step} started: {e.title}, budget {duration(e.budget_s)}",
    RollbackStepFinished: _rollback_step,
    RollbackFinished: _rollback_finished,
    EscalationStarted: lambda e: f"Escalation started: {e.cause}",
    EscalationLevelReached: lambda e: f"Escalation level {e.level}: call {e.call}",
    EscalationAcknowledged: lambda e: f"Escalation acknowledged{_tail(e.note)}",
    EscalationEnded: lambda e: f"Escalation ended{_tail(e.reason)}",
    MessageQueued: lambda e: f"Message {e.message} to {e.channel}: {e.text}",
    MessageTried: lambda e: f"Sending {e.message} to {e.channel}, attempt {e.attempt}",
    MessageSent: lambda e: f"Message {e.message} accepted by {e.channel}{_tail(e.proof, ' – ')}",
    MessageFailed: lambda e: f"Message {e.message} to {e.channel} FAILED: {e.error}",
    ReadinessChanged: _readiness,
    CommandRefusedEvent: lambda e: f"Refused {e.command}: {e.reason}",
    JournalDegraded: lambda e: f"JOURNAL NOT WRITABLE: {e.problem}; kept in a second place, nothing goes forward",
    JournalRecovered: lambda e: "The journal is written again; nothing is missing in it",
    Noted: lambda e: e.text,
}

_STATUS = {
    RunStatus.COMPLETED: Importance.GOOD,
    RunStatus.ROLLED_BACK: Importance.WARNING,
    RunStatus.ROLLING_BACK: Importance.BAD,
    RunStatus.ROLLBACK_FAILED: Importance.BAD,
    RunStatus.ABORTED: Importance.WARNING,
}
_VERDICT = {Verdict.NORMAL: Importance.GOOD, Verdict.CRITICAL: Importance.BAD, Verdict.BROKEN: Importance.BAD}
_STANDING = {
    Standing.WORSE: Importance.BAD,
    Standing.BETTER: Importance.GOOD,
    Standing.NOT_WORSE: Importance.GOOD,
    Standing.UNKNOWN: Importance.WARNING,
}
_NOTED = {"info": Importance.INFO, "warning": Importance.WARNING, "error": Importance.BAD}
_ROLLBACK_STEP = {"done": Importance.GOOD, "failed": Importance.BAD, "skipped": Importance.INFO}

_IMPORTANCE: dict[type[EventBase], Importance | Callable[[Any], Importance]] = {
    RunStarted: Importance.NOTICE,
    Overrode: Importance.WARNING,
    RunStatusChanged: lambda e: _STATUS.get(e.status, Importance.NOTICE),
    RunClosed: lambda e: _STATUS.get(e.status, Importance.NOTICE),
    Held: Importance.WARNING,
    Resumed: Importance.NOTICE,
    StepStarted: Importance.NOTICE,
    StepFinished: Importance.GOOD,
    ActionLooked: Importance.NOTICE,
    ActionSucceeded: Importance.GOOD,
    ActionFailed: lambda e: Importance.WARNING if e.optional else Importance.BAD,
    ActionAmbiguous: Importance.BAD,
    WeightChanged: Importance.NOTICE,
    LeaseChanged: lambda e: Importance.INFO if e.command == "held" else Importance.WARNING,
    CommandTaken: Importance.WARNING,
    CommandReleased: Importance.NOTICE,
    RunFenced: Importance.BAD,
    DriftFound: Importance.BAD,
    DriftEnded: Importance.NOTICE,
    VerdictChanged: lambda e: _VERDICT.get(e.measurement.verdict, Importance.WARNING),
    ComparisonChanged: lambda e: _STANDING.get(e.comparison.standing, Importance.INFO),
    GatePassed: Importance.GOOD,
    GateGaveUp: Importance.BAD,
    GateBroke: Importance.WARNING,
    GateOverridden: Importance.WARNING,
    DecisionOpened: Importance.NOTICE,
    DecisionMade: Importance.NOTICE,
    TriggerTripped: Importance.BAD,
    TriggerDismissed: Importance.WARNING,
    TriggerRearmed: Importance.NOTICE,
    RollbackStarted: Importance.BAD,
    RollbackStepFinished: lambda e: _ROLLBACK_STEP[e.status],
    RollbackFinished: lambda e: Importance.GOOD if e.succeeded else Importance.BAD,
    EscalationStarted: Importance.WARNING,
    EscalationLevelReached: Importance.BAD,
    EscalationAcknowledged: Importance.NOTICE,
    MessageFailed: Importance.WARNING,
    ReadinessChanged: lambda e: Importance.GOOD if e.ready else Importance.BAD,
    CommandRefusedEvent: Importance.WARNING,
    JournalDegraded: Importance.BAD,
    JournalRecovered: Importance.GOOD,
    Noted: lambda e: _NOTED[e.level],
}
