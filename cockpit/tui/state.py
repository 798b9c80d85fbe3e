"""The screens' state: the slices of the last snapshot, the journal rows, the line, and the run's clock.

The main screen is fed by the app; every other screen mirrors it, so that each screen owns the state that its panes
are bound to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from textual.await_complete import AwaitComplete
from textual.reactive import var
from textual.screen import Screen

from cockpit.model.clock import RunClock
from cockpit.model.status import ActionStatus, StepStatus
from widgets.link_state import LinkState

if TYPE_CHECKING:
    from cockpit.model.events import Event
    from cockpit.model.snapshot import (
        ActionView,
        ChecklistView,
        DriftView,
        EscalationView,
        GateView,
        GuardView,
        HeaderView,
        MessagesView,
        MetricsView,
        NextView,
        PlanView,
        PodsView,
        ReadinessView,
        ReferenceView,
        RollbackView,
        Snapshot,
        StepView,
        TrafficView,
    )

Result = TypeVar("Result")

SLICES = (
    "header",
    "plan",
    "next",
    "pods",
    "traffic",
    "metrics",
    "gate",
    "guard",
    "readiness",
    "rollback",
    "checklist",
    "escalation",
    "messages",
    "reference",
    "drift",
    "situation",
)
MIRRORED = (*SLICES, "loaded", "rows", "earlier", "link", "role", "now", "consent", "lost", "rolling")


class RunScreen(Screen[Result]):
    """A screen with a run's state."""

    header: var[HeaderView | None] = var(None)
    plan: var[PlanView | None] = var(None)
    next: var[NextView | None] = var(None)
    pods: var[PodsView | None] = var(None)
    traffic: var[TrafficView | None] = var(None)
    metrics: var[MetricsView | None] = var(None)
    gate: var[GateView | None] = var(None)
    guard: var[GuardView | None] = var(None)
    readiness: var[ReadinessView | None] = var(None)
    rollback: var[RollbackView | None] = var(None)
    checklist: var[ChecklistView | None] = var(None)
    escalation: var[EscalationView | None] = var(None)
    messages: var[MessagesView | None] = var(None)
    reference: var[ReferenceView | None] = var(None)
    drift: var[DriftView | None] = var(None)
    situation: var[int] = var(0)

    loaded: var[bool] = var(False)
    rows: var[tuple[Event, ...]] = var(())
    earlier: var[bool] = var(False)
    link: var[LinkState] = var(LinkState())
    role: var[str] = var("")
    now: var[datetime | None] = var(None)
    consent: var[str] = var("")
    lost: var[bool] = var(False)
    rolling: var[bool] = var(False)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close this screen; once. Textual would close the screen below for a key that was pressed twice."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def take(self, snapshot: Snapshot, slices: frozenset[str] | None = None) -> None:
        """Show a snapshot; `slices` names what may differ from the one before."""
        for name in SLICES:
            if slices is None or name in slices or name == "situation":
                setattr(self, name, getattr(snapshot, name))
        pending = pending_consent(self.plan)
        self.consent = f"{pending.title}: type “{pending.consent}”" if pending else ""
        self.rolling = snapshot.rollback.started_at is not None
        self.loaded = True

    def mirror(self, source: RunScreen[Any]) -> None:
        """Have what `source` has, now and later."""
        for name in MIRRORED:
            self.set_reactive(getattr(RunScreen, name), getattr(source, name))

    def follow(self, source: RunScreen[Any]) -> None:
        """Keep up with `source`."""
        for name in MIRRORED:
            self.watch(source, name, self._setter(name))

    def _setter(self, name: str) -> Callable[[object], None]:
        return partial(setattr, self, name)

    def run_time(self) -> datetime:
        """What the run's clock says, in whole seconds; the wall clock before a run is known."""
        header = self.header
        if header is None:
            return datetime.now(UTC).replace(microsecond=0)
        return RunClock(header.real_origin, header.run_origin, header.speed).now().replace(microsecond=0)


def current_step(plan: PlanView | None) -> StepView | None:
    """The step that is now."""
    if plan is None or plan.current is None:
        return None
    return next((step for phase in plan.phases for step in phase.steps if step.id == plan.current), None)


def pending_consent(plan: PlanView | None) -> ActionView | None:
    """The action that waits for a typed word: the first unsettled one of a step that acts."""
    step = current_step(plan)
    if step is None or step.status is not StepStatus.ACTING:
        return None
    action = next((action for action in step.actions if not action.status.settled), None)
    return action if action and action.consent and action.status is ActionStatus.PENDING else None
