"""The events of a run: what the journal keeps and `reduce` folds.

An event says what happened, in the past tense; its header (`seq`, `at`, `actor`, `epoch`) is given by the journal.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from cockpit.model.event_kinds.actions import (
    ActionAmbiguous,
    ActionFailed,
    ActionIntended,
    ActionLooked,
    ActionOutput,
    ActionProgressed,
    ActionReoffered,
    ActionSkipped,
    ActionSucceeded,
    ConsentGiven,
    WeightChanged,
)
from cockpit.model.event_kinds.authority import (
    CommandReleased,
    CommandTaken,
    DriftEnded,
    DriftFound,
    EpochClaimed,
    LeaseChanged,
    RowDropped,
    RunFenced,
)
from cockpit.model.event_kinds.base import EventBase, Facts
from cockpit.model.event_kinds.gates import (
    ComparisonChanged,
    DecisionMade,
    DecisionOpened,
    GateBroke,
    GateGaveUp,
    GateHolding,
    GateOpened,
    GateOverridden,
    GatePassed,
    MetricsSampled,
    VerdictChanged,
)
from cockpit.model.event_kinds.people import (
    EscalationAcknowledged,
    EscalationEnded,
    EscalationLevelReached,
    EscalationStarted,
    MessageFailed,
    MessageQueued,
    MessageSent,
    MessageTried,
)
from cockpit.model.event_kinds.run import (
    CommandRefusedEvent,
    EngineStarted,
    Held,
    ItemTicked,
    JournalDegraded,
    JournalRecovered,
    Noted,
    Overrode,
    Resumed,
    RunClosed,
    RunOpened,
    RunStarted,
    RunStatusChanged,
    StepFinished,
    StepStarted,
)
from cockpit.model.event_kinds.safety import (
    ReadinessChanged,
    RollbackFinished,
    RollbackStarted,
    RollbackStepFinished,
    RollbackStepStarted,
    TriggerDismissed,
    TriggerRearmed,
    TriggerTripped,
)

__all__ = [
    "EVENT",
    "ActionAmbiguous",
    "ActionFailed",
    "ActionIntended",
    "ActionLooked",
    "ActionOutput",
    "ActionProgressed",
    "ActionReoffered",
    "ActionSkipped",
    "ActionSucceeded",
    "CommandRefusedEvent",
    "CommandReleased",
    "CommandTaken",
    "ComparisonChanged",
    "ConsentGiven",
    "DecisionMade",
    "DecisionOpened",
    "DriftEnded",
    "DriftFound",
    "EngineStarted",
    "EpochClaimed",
    "EscalationAcknowledged",
    "EscalationEnded",
    "EscalationLevelReached",
    "EscalationStarted",
    "Event",
    "EventBase",
    "Facts",
    "GateBroke",
    "GateGaveUp",
    "GateHolding",
    "GateOpened",
    "GateOverridden",
    "GatePassed",
    "Held",
    "ItemTicked",
    "JournalDegraded",
    "JournalRecovered",
    "LeaseChanged",
    "MessageFailed",
    "MessageQueued",
    "MessageSent",
    "MessageTried",
    "MetricsSampled",
    "Noted",
    "Overrode",
    "ReadinessChanged",
    "Resumed",
    "RollbackFinished",
    "RollbackStarted",
    "RollbackStepFinished",
    "RollbackStepStarted",
    "RowDropped",
    "RunClosed",
    "RunFenced",
    "RunOpened",
    "RunStarted",
    "RunStatusChanged",
    "StepFinished",
    "StepStarted",
    "TriggerDismissed",
    "TriggerRearmed",
    "TriggerTripped",
    "VerdictChanged",
    "WeightChanged",
]

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
    | TriggerRearmed
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
