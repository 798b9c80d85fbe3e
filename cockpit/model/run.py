"""The state of a run: what `reduce` makes of the events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cockpit.model.status import ActionStatus, GateStatus, RunStatus
from cockpit.model.verdict import Verdict

T = TypeVar("T")


def put(mapping: Mapping[str, T], key: str, value: T) -> Mapping[str, T]:
    """A copy of `mapping` with one value replaced."""
    return {**mapping, key: value}


@dataclass(frozen=True, slots=True)
class ActionState:
    """One action. `before` and `after` are those of the last INTENT; `consented` says that its word was typed.

    `looked_at` is when its target was read for the consent, None before.
    """

    status: ActionStatus = ActionStatus.PENDING
    attempts: int = 0
    message: str = ""
    hint: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    consented: bool = False
    looked_at: datetime | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class GuardedState:
    """What a guarded object is expected to be; `pending` is what an action of ours may have made of it."""

    expected: Mapping[str, str]
    pending: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class DriftState:
    """A change by somebody else that nobody has settled yet."""

    expected: Mapping[str, str]
    found: Mapping[str, str]
    manager: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FencedState:
    """Who commands the guarded objects instead of this engine, by which epoch, and since when that is known."""

    by: str
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GateState:
    """The gate of a step; `held_since` is set while all its conditions hold.

    `broke_at` is when a hold last ended, None while there has been none, and `broke_value` what it ended at.
    """

    status: GateStatus
    opened_at: datetime
    hold_s: float
    held_since: datetime | None = None
    broke_at: datetime | None = None
    reason: str = ""
    broke_value: str = ""
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class DecisionState:
    """The question to the commander; `answer` is empty while it is open."""

    question: str
    opened_at: datetime
    deadline: datetime | None
    default: str
    answer: str = ""
    by: str = ""
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class StepState:
    """One forward step that has started."""

    started_at: datetime
    ended_at: datetime | None = None
    gate: GateState | None = None
    decision: DecisionState | None = None


@dataclass(frozen=True, slots=True)
class TickState:
    """One thing that a person ticked."""

    done: bool
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class TrafficState:
    """What was last commanded: the candidate's weight in percent and the track of the active Service.

    `changed_at` is when it was, or when the last disturbance by somebody else ended.
    """

    weight: int
    active: str
    canary: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class TripState:
    """A tripped trigger; `rollback_at` ends its countdown."""

    trigger: str
    title: str
    reason: str
    at: datetime
    rollback_at: datetime | None


@dataclass(frozen=True, slots=True)
class EscalationState:
    """The running ladder."""

    since: datetime
    cause: str
    level: int = 0
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RollbackStepState:
    """One step of the way back; `status` is running, done, failed or skipped."""

    status: str
    started_at: datetime
    ended_at: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class RollbackState:
    """The way back; `succeeded` is None while it runs."""

    reason: str
    actor: str
    started_at: datetime
    trigger: str | None = None
    needed: tuple[str, ...] = ()
    automatic: bool = False
    ended_at: datetime | None = None
    succeeded: bool | None = None
    steps: Mapping[str, RollbackStepState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageState:
    """One message of the outbox: queued, trying, sent or failed."""

    message: str
    channel: str
    text: str
    status: str
    at: datetime
    attempts: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReadinessState:
    """The readiness light."""

    ready: bool
    reasons: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class RunState:
    """A run. `situation` is the seq of the last event that a decision depends on.

    `dismissed` triggers sleep since then; for `rearmed` ones nothing counts that was measured before then.
    """

    run: str = ""
    runbook: str = ""
    version: str = ""
    sha256: str = ""
    namespace: str = ""
    context: str = ""
    automatic: bool = False
    status: RunStatus = RunStatus.PREPARING
    status_reason: str = ""
    opened_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    closed: bool = False
    held: bool = False
    held_reason: str = ""
    resumed_at: datetime | None = None
    commander: str = ""
    commander_since: datetime | None = None
    commander_reason: str = ""
    released: bool = False
    taken_from: str = ""
    epoch: int = 0
    seq: int = 0
    situation: int = 0
    changed: bool = False
    steps: Mapping[str, StepState] = field(default_factory=dict)
    actions: Mapping[str, ActionState] = field(default_factory=dict)
    ticks: Mapping[str, TickState] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    traffic: TrafficState | None = None
    trip: TripState | None = None
    dismissed: Mapping[str, datetime] = field(default_factory=dict)
    rearmed: Mapping[str, datetime] = field(default_factory=dict)
    escalation: EscalationState | None = None
    rollback: RollbackState | None = None
    messages: Mapping[str, MessageState] = field(default_factory=dict)
    readiness: ReadinessState | None = None
    guarded: Mapping[str, GuardedState] = field(default_factory=dict)
    drift: Mapping[str, DriftState] = field(default_factory=dict)
    fenced: FencedState | None = None
    degraded: str = ""
    lease: str = ""
    lease_problem: str = ""

    def action(self, action_id: str) -> ActionState:
        """The state of an action, pending when nothing happened to it."""
        return self.actions.get(action_id, _UNTOUCHED)

    def ticked(self, item_id: str) -> bool:
        """Whether a person ticked the item."""
        tick = self.ticks.get(item_id)
        return tick is not None and tick.done


_UNTOUCHED = ActionState()
