"""The events of a run: what the journal keeps and `reduce` folds.

An event says what happened, in the past tense; its header (`seq`, `at`, `actor`, `epoch`) is given by the journal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from cockpit.model.base import Value
from cockpit.model.comparison import Comparison
from cockpit.model.status import RunStatus
from cockpit.model.verdict import Measurement, Verdict

Facts = dict[str, str]


class EventBase(Value):
    """The header. `seq` is 0 until the journal has numbered the event."""

    seq: int = 0
    at: datetime
    actor: str
    epoch: int = 0


class RunOpened(EventBase):
    """The run exists; `sha256` pins the runbook file."""

    type: Literal["run.opened"] = "run.opened"
    run: str
    runbook: str
    version: str
    sha256: str
    namespace: str
    context: str = ""
    automatic: bool = False


class EngineStarted(EventBase):
    """An engine took up the run; `replayed` is the number of events it read."""

    type: Literal["engine.started"] = "engine.started"
    pid: int
    replayed: int


class RunStarted(EventBase):
    """The commander gave the go."""

    type: Literal["run.started"] = "run.started"


class Overrode(EventBase):
    """The commander went past what blocked, and why."""

    type: Literal["run.overrode"] = "run.overrode"
    what: str
    reason: str


class RunStatusChanged(EventBase):
    """The run entered another state."""

    type: Literal["run.status"] = "run.status"
    status: RunStatus
    reason: str = ""


class RunClosed(EventBase):
    """The engine ends; the run's last word."""

    type: Literal["run.closed"] = "run.closed"
    status: RunStatus
    reason: str = ""


class Held(EventBase):
    """No new forward action starts from here on."""

    type: Literal["run.held"] = "run.held"
    reason: str = ""


class Resumed(EventBase):
    """The hold ended."""

    type: Literal["run.resumed"] = "run.resumed"


class ItemTicked(EventBase):
    """A person ticked (or unticked) a checklist item, a manual action, a condition or a task."""

    type: Literal["item.ticked"] = "item.ticked"
    item: str
    text: str
    done: bool = True
    note: str = ""


class StepStarted(EventBase):
    """A forward step started."""

    type: Literal["step.started"] = "step.started"
    step: str
    title: str


class StepFinished(EventBase):
    """A forward step is done."""

    type: Literal["step.finished"] = "step.finished"
    step: str


class ActionIntended(EventBase):
    """INTENT: durable before the effect. `before`, `after` and `inverse` say how to read and undo it."""

    type: Literal["action.intended"] = "action.intended"
    action: str
    kind: str
    attempt: int
    request: str
    before: Facts = Field(default_factory=dict)
    after: Facts = Field(default_factory=dict)
    inverse: str = ""
    target: str = Field("", description="The guarded object that it changes.")


class ActionProgressed(EventBase):
    """A long action said how far it is."""

    type: Literal["action.progressed"] = "action.progressed"
    action: str
    message: str


class ActionLooked(EventBase):
    """What an action would do was read from its target, before the commander is asked for the word."""

    type: Literal["action.looked"] = "action.looked"
    action: str
    message: str
    facts: Facts = Field(default_factory=dict)


class ActionOutput(EventBase):
    """Lines that an action's program printed, cleaned; `left_out` lines before them are not kept."""

    type: Literal["action.output"] = "action.output"
    action: str
    stream: Literal["out", "err", "log"] = Field(description="Its two streams, or the log of a pod.")
    lines: tuple[str, ...]
    left_out: int = 0

    @property
    def last(self) -> str:
        """The last line that is not empty."""
        return next((line for line in reversed(self.lines) if line.strip()), "")


class ActionSucceeded(EventBase):
    """OUTCOME: the effect was read back (or is proved by `facts`)."""

    type: Literal["action.succeeded"] = "action.succeeded"
    action: str
    message: str
    facts: Facts = Field(default_factory=dict)


class ActionFailed(EventBase):
    """OUTCOME: the action did not do what it should."""

    type: Literal["action.failed"] = "action.failed"
    action: str
    message: str
    hint: str = ""
    optional: bool = False


class ActionAmbiguous(EventBase):
    """OUTCOME: whether the effect happened cannot be known; a person decides."""

    type: Literal["action.ambiguous"] = "action.ambiguous"
    action: str
    message: str


class ActionSkipped(EventBase):
    """The action is not carried out, and why."""

    type: Literal["action.skipped"] = "action.skipped"
    action: str
    reason: str


class ActionReoffered(EventBase):
    """A failed or ambiguous action may be carried out again."""

    type: Literal["action.reoffered"] = "action.reoffered"
    action: str
    reason: str = ""


class ConsentGiven(EventBase):
    """The commander typed the word an action asks for."""

    type: Literal["action.consent"] = "action.consent"
    action: str


class EpochClaimed(EventBase):
    """This engine stamped its epoch on every guarded object it writes; `objects` are their facts as found."""

    type: Literal["epoch.claimed"] = "epoch.claimed"
    claimed: int
    objects: dict[str, Facts] = Field(default_factory=dict)


class LeaseChanged(EventBase):
    """Where this engine stands with the Lease: held, other, lapsed, lost, or local without the right to one."""

    type: Literal["lease.changed"] = "lease.changed"
    command: str
    lease_epoch: int = 0
    other: str = ""
    problem: str = ""


class CommandTaken(EventBase):
    """The actor commands from here on, instead of `previous`; `terminal` is where the actor sits.

    `replaces` is the engine of another bastion that this one takes over from, as it signs its stamps.
    """

    type: Literal["command.taken"] = "command.taken"
    previous: str
    reason: str
    terminal: str = ""
    replaces: str = ""


class CommandReleased(EventBase):
    """The commander detached on purpose: whoever attaches next commands."""

    type: Literal["command.released"] = "command.released"


class RowDropped(EventBase):
    """A row that the mirror had no room for; it stands in the journal of the bastion that was taken over from."""

    type: Literal["row.dropped"] = "row.dropped"


class RunFenced(EventBase):
    """Somebody else commands the guarded objects now: this engine writes nothing more."""

    type: Literal["run.fenced"] = "run.fenced"
    by: str
    their_epoch: int
    object: str


class DriftFound(EventBase):
    """Somebody else changed a guarded object in mid-run; `expected` and `found` hold the facts that differ."""

    type: Literal["drift.found"] = "drift.found"
    object: str
    expected: Facts
    found: Facts
    manager: str = Field("", description="The field manager that wrote it, when the API server tells.")


class DriftEnded(EventBase):
    """A drift is settled: the commander adopted or restored it, or it went away by itself."""

    type: Literal["drift.ended"] = "drift.ended"
    object: str
    how: Literal["adopted", "restored", "gone"]
    facts: Facts = Field(default_factory=dict)
    reason: str = ""


class WeightChanged(EventBase):
    """The commanded share of the candidate changed; `active` is the track that the active Service points at."""

    type: Literal["traffic.changed"] = "traffic.changed"
    weight: int
    active: str
    canary: bool = True
    by: str = Field("", description="The action that changed it.")


class VerdictChanged(EventBase):
    """A metric's verdict changed."""

    type: Literal["metric.verdict"] = "metric.verdict"
    measurement: Measurement
    previous: Verdict | None = None
    title: str = ""
    shown: str = Field("", description="The value with its unit, as the screen shows it.")


class ComparisonChanged(EventBase):
    """How the candidate stands against the stable track changed."""

    type: Literal["metric.compared"] = "metric.compared"
    comparison: Comparison
    title: str = ""


class MetricsSampled(EventBase):
    """The regular record of all metrics."""

    type: Literal["metrics.sampled"] = "metrics.sampled"
    measurements: tuple[Measurement, ...]
    observed_share: float | None = None


class GateOpened(EventBase):
    """A gate is measured from here on."""

    type: Literal["gate.opened"] = "gate.opened"
    step: str
    hold_s: float


class GateHolding(EventBase):
    """All conditions hold; the hold clock starts."""

    type: Literal["gate.holding"] = "gate.holding"
    step: str


class GateBroke(EventBase):
    """A condition does not hold (any more); the hold clock is at zero. `value` is what was measured, with its unit."""

    type: Literal["gate.broke"] = "gate.broke"
    step: str
    reason: str
    value: str = ""


class GatePassed(EventBase):
    """The conditions held long enough; the evidence is frozen here."""

    type: Literal["gate.passed"] = "gate.passed"
    step: str
    held_s: float
    evidence: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    conditions: tuple[str, ...] = ()


class GateGaveUp(EventBase):
    """The gate cannot pass any more in its time; it is measured on, and what follows is an event of its own."""

    type: Literal["gate.gave_up"] = "gate.gave_up"
    step: str
    reason: str
    evidence: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


class GateOverridden(EventBase):
    """The commander went past a gate, and why."""

    type: Literal["gate.overridden"] = "gate.overridden"
    step: str
    reason: str
    evidence: tuple[Measurement, ...] = ()


class DecisionOpened(EventBase):
    """The commander is asked."""

    type: Literal["decision.opened"] = "decision.opened"
    step: str
    question: str
    deadline: datetime | None = None
    default: str = "hold"


class DecisionMade(EventBase):
    """The answer: continue, hold, or rollback."""

    type: Literal["decision.made"] = "decision.made"
    step: str
    answer: str
    reason: str = ""


class TriggerTripped(EventBase):
    """A rollback trigger tripped; the evidence is frozen here. `rollback_at` is the end of a countdown.

    `rule` is the threshold in words; each measurement of the evidence has its query, value, samples and bands.
    """

    type: Literal["trigger.tripped"] = "trigger.tripped"
    trigger: str
    title: str
    reason: str
    evidence: tuple[Measurement, ...] = ()
    rule: str = ""
    rollback_at: datetime | None = None


class TriggerDismissed(EventBase):
    """The commander stopped a countdown, and why."""

    type: Literal["trigger.dismissed"] = "trigger.dismissed"
    trigger: str
    reason: str


class RollbackStarted(EventBase):
    """The run goes back."""

    type: Literal["rollback.started"] = "rollback.started"
    reason: str
    trigger: str | None = None
    needed: tuple[str, ...] = ()
    automatic: bool = False
    actions: tuple[str, ...] = Field((), description="The actions of the way back, offered afresh.")


class RollbackStepStarted(EventBase):
    """A rollback step started."""

    type: Literal["rollback.step_started"] = "rollback.step_started"
    step: str
    title: str
    budget_s: float


class RollbackStepFinished(EventBase):
    """A rollback step ended: done, failed or skipped, with its time and budget."""

    type: Literal["rollback.step_finished"] = "rollback.step_finished"
    step: str
    status: Literal["done", "failed", "skipped"]
    took_s: float
    budget_s: float
    message: str = ""


class RollbackFinished(EventBase):
    """The way back is at its end."""

    type: Literal["rollback.finished"] = "rollback.finished"
    succeeded: bool
    took_s: float
    budget_s: float
    message: str = ""


class EscalationStarted(EventBase):
    """The escalation ladder runs from `at` on."""

    type: Literal["escalation.started"] = "escalation.started"
    cause: str


class EscalationLevelReached(EventBase):
    """The next level of the ladder is due."""

    type: Literal["escalation.level"] = "escalation.level"
    level: int
    call: str


class EscalationAcknowledged(EventBase):
    """Somebody has it; the ladder stops."""

    type: Literal["escalation.acknowledged"] = "escalation.acknowledged"
    note: str = ""


class EscalationEnded(EventBase):
    """The cause is gone."""

    type: Literal["escalation.ended"] = "escalation.ended"
    reason: str = ""


class MessageQueued(EventBase):
    """A message is due on a channel; the outbox delivers it."""

    type: Literal["message.queued"] = "message.queued"
    message: str
    channel: str
    text: str


class MessageTried(EventBase):
    """INTENT of a delivery: durable before the message leaves."""

    type: Literal["message.tried"] = "message.tried"
    message: str
    channel: str
    attempt: int


class MessageSent(EventBase):
    """A message was accepted by its channel."""

    type: Literal["message.sent"] = "message.sent"
    message: str
    channel: str
    proof: str = ""


class MessageFailed(EventBase):
    """A message was given up after its retries."""

    type: Literal["message.failed"] = "message.failed"
    message: str
    channel: str
    error: str


class ReadinessChanged(EventBase):
    """The rollback readiness light changed."""

    type: Literal["readiness.changed"] = "readiness.changed"
    ready: bool
    reasons: tuple[str, ...] = ()


class CommandRefusedEvent(EventBase):
    """A command was refused, and why."""

    type: Literal["command.refused"] = "command.refused"
    command: str
    reason: str


class JournalDegraded(EventBase):
    """The journal's disk takes no rows: this one and the following are kept in a second place. Nothing goes forward."""

    type: Literal["journal.degraded"] = "journal.degraded"
    problem: str


class JournalRecovered(EventBase):
    """All rows are in the journal again."""

    type: Literal["journal.recovered"] = "journal.recovered"


class Noted(EventBase):
    """Something worth knowing that changes no state."""

    type: Literal["note"] = "note"
    text: str
    level: Literal["info", "warning", "error"] = "info"


Event = Annotated[
    RunOpened
    | EngineStarted
    | RunStarted
    | Overrode
    | RunStatusChanged
    | RunClosed
    | Held
    | Resumed
    | ItemTicked
    | StepStarted
    | StepFinished
    | ActionIntended
    | ActionProgressed
    | ActionLooked
    | ActionOutput
    | ActionSucceeded
    | ActionFailed
    | ActionAmbiguous
    | ActionSkipped
    | ActionReoffered
    | ConsentGiven
    | EpochClaimed
    | LeaseChanged
    | CommandTaken
    | CommandReleased
    | RowDropped
    | RunFenced
    | DriftFound
    | DriftEnded
    | WeightChanged
    | VerdictChanged
    | ComparisonChanged
    | MetricsSampled
    | GateOpened
    | GateHolding
    | GateBroke
    | GatePassed
    | GateGaveUp
    | GateOverridden
    | DecisionOpened
    | DecisionMade
    | TriggerTripped
    | TriggerDismissed
    | RollbackStarted
    | RollbackStepStarted
    | RollbackStepFinished
    | RollbackFinished
    | EscalationStarted
    | EscalationLevelReached
    | EscalationAcknowledged
    | EscalationEnded
    | MessageQueued
    | MessageTried
    | MessageSent
    | MessageFailed
    | ReadinessChanged
    | CommandRefusedEvent
    | JournalDegraded
    | JournalRecovered
    | Noted,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
