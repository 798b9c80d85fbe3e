"""What a front end shows: immutable slices, each sent only when it changed.

All times are run time. A front end counts seconds with the clock of the `header`, so that nothing is sent for a tick.
"""

from __future__ import annotations

from datetime import datetime

from cockpit.model.base import Value
from cockpit.model.cluster import Note, Pod, WeightField
from cockpit.model.snapshot_metrics import (
    ComparisonView,
    LimitView,
    MetricsView,
    MetricView,
    ResidualView,
    ShareView,
    SignalView,
)
from cockpit.model.snapshot_people import (
    ChecklistView,
    EscalationLevelView,
    EscalationView,
    ItemView,
    ListView,
    MessagesView,
    MessageView,
    ReferenceEntry,
    ReferenceView,
)
from cockpit.model.status import ActionStatus, GateStatus, RunStatus, StepStatus, Worker
from cockpit.model.verdict import Verdict

__all__ = [
    "ActionView",
    "ChecklistView",
    "ComparisonView",
    "ConditionView",
    "DriftEntry",
    "DriftView",
    "EscalationLevelView",
    "EscalationView",
    "GateView",
    "GuardView",
    "HeaderView",
    "ItemView",
    "LimitView",
    "ListView",
    "MessageView",
    "MessagesView",
    "MetricView",
    "MetricsView",
    "NextView",
    "PhaseView",
    "PlanView",
    "PodsView",
    "ReadinessView",
    "ReferenceEntry",
    "ReferenceView",
    "ResidualView",
    "RollbackStepView",
    "RollbackView",
    "ShareView",
    "SignalView",
    "Snapshot",
    "StepView",
    "TrafficView",
    "TriggerView",
]


class HeaderView(Value):
    """Which run this is, who commands it and what its clock says.

    `commander_at` is the terminal that commands, empty while none does; `lease` is how the engine stands with the Lease
    (`cockpit.model.lease.Command`), `mirrored_at` when the journal was last copied to the cluster. In a `rehearsal`
    everything outside is simulated.
    """

    run: str
    title: str
    name: str
    version: str
    environment: str
    namespace: str
    context: str
    server: str
    status: RunStatus
    status_reason: str
    held: bool
    held_reason: str
    automatic: bool
    commander: str
    epoch: int
    engine_pid: int
    opened_at: datetime
    window_start: datetime
    window_end: datetime
    real_origin: float
    run_origin: float
    speed: float
    stable: str
    candidate: str
    commander_at: str = ""
    commander_since: datetime | None = None
    lease: str = ""
    lease_problem: str = ""
    mirrored_at: datetime | None = None
    mirror_problem: str = ""
    rehearsal: bool = False


class ActionView(Value):
    """One action of a step. `looking` says that what it would do is still being read; `message` tells it then."""

    id: str
    kind: str
    title: str
    status: ActionStatus
    message: str = ""
    hint: str = ""
    consent: str = ""
    looking: bool = False
    optional: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None


class StepView(Value):
    """One step with its plan and its truth."""

    id: str
    title: str
    status: StepStatus
    instructions: str = ""
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    actions: tuple[ActionView, ...] = ()


class PhaseView(Value):
    """One phase."""

    id: str
    title: str
    status: StepStatus
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    steps: tuple[StepView, ...] = ()


class PlanView(Value):
    """The phases; `drift_s` is how late (positive) the run is against its plan, None before it starts."""

    phases: tuple[PhaseView, ...]
    current: str | None = None
    drift_s: float | None = None


class NextView(Value):
    """What `advance` would do now (`verb`), or why it would be refused (`blocked`).

    While something runs by itself, `verb` and `detail` are what comes after it.
    """

    verb: str
    detail: str = ""
    blocked: str = ""
    question: str = ""
    deadline: datetime | None = None
    default: str = ""
    override: str = ""


class PodsView(Value):
    """The pods; stale when `stale_since` is set."""

    pods: tuple[Pod, ...] = ()
    loaded: bool = False
    wanted: tuple[tuple[str, int], ...] = ()
    stale_since: datetime | None = None
    problem: str = ""


class TrafficView(Value):
    """The candidate's share in percent: commanded (journal), live (read from the cluster), observed (data plane).

    `notes`, `fields`, `off` and `evicts` are those of the route, see `cockpit.model.cluster.CanaryState`; `pending` is
    what keeps it from being in force. `residual` is in requests a second, None while it is not measured.
    """

    backend: str
    commanded: int
    live: int | None = None
    observed: float | None = None
    observed_at: datetime | None = None
    observed_problem: str = ""
    active: str
    live_active: str | None = None
    canary_enabled: bool = True
    stops: tuple[int, ...] = ()
    allowed: int = 0
    settling: bool = False
    notes: tuple[Note, ...] = ()
    pending: str = ""
    fields: tuple[WeightField, ...] = ()
    off: str = ""
    evicts: bool = True
    residual: float | None = None
    residual_problem: str = ""
    residual_at_most: float = 0.0

    @property
    def evades(self) -> bool:
        """Whether weight 0 leaves some users on the candidate."""
        return any(note.evades for note in self.notes)


class ConditionView(Value):
    """One condition of a gate. `confirm` is what a person ticks to confirm it; an advisory one only informs."""

    text: str
    met: bool
    reason: str = ""
    confirm: str = ""
    advisory: bool = False


class GateView(Value):
    """The gate of the current step. `reason` says in words why it waits, `broke_value` what it last broke at.

    `until` is when it must have passed; a gate that `gave_up` cannot any more, and is measured on.
    """

    step: str
    status: GateStatus
    verdict: Verdict
    needs_s: float
    held_since: datetime | None = None
    broke_at: datetime | None = None
    broke_value: str = ""
    reason: str = ""
    until: datetime | None = None
    gave_up: bool = False
    conditions: tuple[ConditionView, ...] = ()


class TriggerView(Value):
    """One rollback trigger. `declared` ones are pulled by a person."""

    id: str
    title: str
    declared: bool
    state: str = ""
    tripped: bool = False
    rollback_at: datetime | None = None


class SilentWorker(Value):
    """A worker that has not come round for several of its periods, and when (run time) it last did."""

    worker: Worker
    since: datetime


class GuardView(Value):
    """All triggers, whether the guard can see, and which workers of the engine hang."""

    triggers: tuple[TriggerView, ...] = ()
    problem: str = ""
    silent: tuple[SilentWorker, ...] = ()


class ReadinessView(Value):
    """Whether a rollback would work now, and why not."""

    ready: bool | None = None
    checked_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()


class RollbackStepView(Value):
    """One rollback step against its budget."""

    id: str
    title: str
    status: str
    budget_s: float
    started_at: datetime | None = None
    ended_at: datetime | None = None
    message: str = ""
    actions: tuple[ActionView, ...] = ()
    if_needed: bool = False
    needed_for: tuple[str, ...] = ()


class RollbackView(Value):
    """The way back: planned before it starts, counting while it runs."""

    active: bool
    budget_s: float
    reason: str = ""
    actor: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    succeeded: bool | None = None
    steps: tuple[RollbackStepView, ...] = ()
    break_glass: str = ""


class DriftEntry(Value):
    """A guarded object that somebody else changed; both texts are in words."""

    object: str
    expected: str
    found: str
    manager: str
    at: datetime


class DriftView(Value):
    """The open drifts, and who commands instead of this engine if somebody does."""

    entries: tuple[DriftEntry, ...] = ()
    fenced_by: str = ""
    fenced_epoch: int = 0
    fenced_at: datetime | None = None
    problem: str = ""


class Snapshot(Value):
    """Everything a front end shows besides the journal rows. `situation` is the seq a decision is bound to."""

    header: HeaderView
    plan: PlanView
    next: NextView
    pods: PodsView
    traffic: TrafficView
    metrics: MetricsView
    gate: GateView | None = None
    guard: GuardView
    readiness: ReadinessView
    rollback: RollbackView
    checklist: ChecklistView
    escalation: EscalationView
    messages: MessagesView
    reference: ReferenceView
    drift: DriftView = DriftView()
    situation: int = 0
    seq: int = 0
