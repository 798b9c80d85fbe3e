"""A part of the engine that hangs is told by the rest, which turns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from cockpit.engine import pulse
from cockpit.engine.pulse import Turn
from cockpit.engine.session import Session
from cockpit.model.events import Event
from cockpit.model.lease import LeaseState
from cockpit.model.outside import QueryAnswer
from cockpit.model.status import Worker
from tests.engine.actors import AT
from tests.engine.world import FakeLeases, MemoryStore, Stage, World
from tests.fake_time import FAKE_TIME

LONG_S = 600


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ({}, []),
        ({Worker.GUARD: 55.0, Worker.LEASE: 20.0}, []),
        ({Worker.GUARD: 55.1, Worker.LEASE: 1.0}, [Worker.GUARD]),
        ({Worker.LEASE: 99.0, Worker.GUARD: 99.0, Worker.DECISIONS: 99.0}, list(Worker)),
    ],
)
def test_a_worker_is_silent_after_several_of_its_periods(ages: dict[Worker, float], expected: list[Worker]) -> None:
    turns = {worker: Turn(AT, 1000.0 - age, 20.0 if worker is Worker.LEASE else 55.0) for worker, age in ages.items()}
    assert [found.worker for found in pulse.silent(turns, 1000.0)] == expected


def silent(stage: Stage) -> list[Worker]:
    assert stage.session is not None
    return [found.worker for found in stage.session.feed.snapshot().guard.silent]


class Stuck:
    """Lets through until it is stuck; `gate` opens it again."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()


class StuckStore(MemoryStore):
    """A journal on a disk that answers nothing any more."""

    def __init__(self, stuck: Stuck) -> None:
        super().__init__()
        self.stuck = stuck

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        await self.stuck.gate.wait()
        return await super().append(events)


class StuckMetrics:
    """A client whose deadline fails it."""

    def __init__(self, stuck: Stuck) -> None:
        self.stuck = stuck

    async def query(self, expression: str) -> QueryAnswer:
        await self.stuck.gate.wait()
        return QueryAnswer((), ())


@FAKE_TIME
async def test_in_a_healthy_run_no_worker_is_silent(tmp_path: Path) -> None:
    stage = await Stage(World(), MemoryStore(), tmp_path).start()
    for _ in range(LONG_S):
        await asyncio.sleep(1)
        assert silent(stage) == []
    await stage.kill()


@FAKE_TIME
async def test_a_disk_that_hangs_stops_the_guard_and_that_is_told(tmp_path: Path) -> None:
    stuck = Stuck()
    stage = await Stage(World(), StuckStore(stuck), tmp_path).start()
    await asyncio.sleep(30)
    stuck.gate.clear()
    stage.world.values["error_rate"] = 9.0
    await asyncio.sleep(LONG_S)
    assert silent(stage) == [Worker.GUARD]
    stuck.gate.set()
    await asyncio.sleep(30)
    assert silent(stage) == []
    await stage.kill()


@FAKE_TIME
async def test_a_query_that_hangs_stops_the_guard_alone(tmp_path: Path) -> None:
    stuck = Stuck()
    stage = Stage(World(), MemoryStore(), tmp_path, metrics=StuckMetrics(stuck))
    await stage.start()
    stuck.gate.clear()
    await asyncio.sleep(LONG_S)
    assert silent(stage) == [Worker.GUARD]
    await stage.kill()


@FAKE_TIME
async def test_decisions_that_hang_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await Stage(World(), MemoryStore(), tmp_path).start()
    await asyncio.sleep(30)
    monkeypatch.setattr(Session, "_decide", lambda self: asyncio.Event().wait())
    await asyncio.sleep(LONG_S)
    assert silent(stage) == [Worker.DECISIONS]
    await stage.kill()


@FAKE_TIME
async def test_a_lease_that_is_looked_at_no_more_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def deaf(self: FakeLeases) -> LeaseState | None:
        while True:
            try:
                await asyncio.sleep(LONG_S)
            except asyncio.CancelledError:
                if asyncio.current_task() in ending:
                    raise

    ending: set[asyncio.Task[None] | None] = set()
    stage = await Stage(World(), MemoryStore(), tmp_path).start()
    await asyncio.sleep(30)
    monkeypatch.setattr(FakeLeases, "read", deaf)
    await asyncio.sleep(LONG_S)
    assert silent(stage) == [Worker.LEASE]
    ending |= {task for task in asyncio.all_tasks() if task.get_name() == "lease"}
    await stage.kill()
