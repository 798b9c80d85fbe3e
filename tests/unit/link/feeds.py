"""A feed that a test moves by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from cockpit.model.commanding import Front, Place
from cockpit.model.commands import Command, Hold, Reply
from cockpit.model.events import Event, Noted
from cockpit.model.history import History, Mark
from cockpit.model.readings import Series
from cockpit.model.snapshot import (
    ChecklistView,
    EscalationView,
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
    TrafficView,
)
from cockpit.model.status import RunStatus

AT = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)


def a_snapshot() -> Snapshot:
    header = HeaderView(
        run="demo-1", title="Demo", name="demo", version="1.0.0", environment="production", namespace="production",
        context="test", server="https://localhost", status=RunStatus.RUNNING, status_reason="", held=False,
        held_reason="", automatic=True, commander="agent1", epoch=1, engine_pid=42, opened_at=AT, window_start=AT,
        window_end=AT, real_origin=0.0, run_origin=0.0, speed=1.0, stable="green", candidate="blue",
    )  # fmt: skip
    return Snapshot(
        header=header,
        plan=PlanView(phases=()),
        next=NextView(verb="start"),
        pods=PodsView(),
        traffic=TrafficView(backend="nginx", commanded=10, active="green"),
        metrics=MetricsView(),
        guard=GuardView(),
        readiness=ReadinessView(),
        rollback=RollbackView(active=False, budget_s=300.0),
        checklist=ChecklistView(),
        escalation=EscalationView(),
        messages=MessagesView(),
        reference=ReferenceView(),
    )


class HandFeed:
    """Implements `Feed`; `orders` holds what was asked, by whom."""

    def __init__(self, run: str = "demo-1") -> None:
        self.run = run
        self.orders: list[tuple[str, Command]] = []
        self.fronts: list[Front] = []
        self.row_requests = 0
        self.blocked = asyncio.Event()
        self.blocked.set()
        self._snapshot = a_snapshot()
        self._rows: list[Event] = []
        self.past = History()
        self._version = 0
        self._changed = asyncio.Condition()

    @property
    def version(self) -> int:
        return self._version

    async def changed(self, after: int) -> int:
        async with self._changed:
            await self._changed.wait_for(lambda: self._version > after)
        return self._version

    def snapshot(self) -> Snapshot:
        return self._snapshot

    async def rows(self, since: int, limit: int) -> tuple[Event, ...]:
        self.row_requests += 1
        return tuple([row for row in self._rows if row.seq > since][-limit:])

    def history(self) -> tuple[Iterator[Series], tuple[Mark, ...]]:
        return self.past.series(), tuple(self.past.marks)

    async def join(self, front: Front) -> None:
        self.fronts.append(front)

    async def leave(self, front: Front) -> None:
        self.fronts = [known for known in self.fronts if known != front]

    def place(self, front: Front) -> Place:
        first = self.fronts[0] if self.fronts else None
        return Place(role="commander" if front == first else "observer", commander=first.person if first else "agent1")

    async def order(self, actor: str, command: Command, front: Front | None = None) -> Reply:
        if isinstance(command, Hold):
            await self.blocked.wait()
        self.orders.append((actor, command))
        return Reply(ok=True, message=command.kind)

    async def show(self, **slices: object) -> None:
        """Change parts of the snapshot."""
        await self._set(self._snapshot.model_copy(update=slices))

    async def record(self, *texts: str) -> None:
        """Append notes."""
        for text in texts:
            self._rows.append(Noted(seq=len(self._rows) + 1, at=AT, actor="agent1", text=text))
        await self._set(self._snapshot.model_copy(update={"seq": len(self._rows)}))

    async def _set(self, snapshot: Snapshot) -> None:
        async with self._changed:
            self._snapshot = snapshot
            self._version += 1
            self._changed.notify_all()
