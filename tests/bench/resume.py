"""Resuming from a long journal: open, check the chain, parse, fold."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from cockpit.journal.chain import GENESIS, link
from cockpit.journal.store import Journal
from cockpit.model.events import Event, MetricsSampled, Noted, VerdictChanged
from cockpit.model.reduce import replay
from cockpit.model.verdict import Measurement, Verdict
from tests.engine.world import START

EVENTS = 100_000


def _events() -> Iterator[Event]:
    """What a long run is made of: samples of seven metrics, verdicts, notes."""
    for number in range(EVENTS):
        at = START + timedelta(seconds=number)
        measured = tuple(
            Measurement(metric=f"metric_{n}", at=at, value=0.04 * n, verdict=Verdict.NORMAL) for n in range(7)
        )
        header = {"at": at, "actor": "engine", "epoch": 1, "seq": number + 1}
        if number % 10 == 0:
            yield MetricsSampled(measurements=measured, observed_share=50.0, **header)
        elif number % 10 == 5:
            yield VerdictChanged(measurement=measured[0], previous=None, title="Metric", shown="0.04 %", **header)
        else:
            yield Noted(text=f"event {number}", **header)


async def prepare(path: Path) -> None:
    """A journal of 100,000 rows, written in one transaction."""
    await (await Journal.open(path)).close()
    connection, tip = sqlite3.connect(path), GENESIS
    rows = []
    for event in _events():
        body = event.model_dump_json()
        tip = link(tip, body.encode())
        rows.append((event.seq, event.type, body, tip))
    connection.executemany("INSERT INTO events (seq, type, body, hash) VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


async def resume_seconds(path: Path) -> tuple[float, float]:
    """Real seconds until the state is there, and the processor's seconds."""
    started, busy = time.perf_counter(), time.process_time()
    journal = await Journal.open(path)
    state = replay(await journal.replay())
    took, used = time.perf_counter() - started, time.process_time() - busy
    await journal.close()
    if state.seq != EVENTS:
        raise RuntimeError(f"the journal ends at {state.seq}")
    return took, used


def resume(directory: Path) -> tuple[float, float]:
    """The best of three resumes, in real and in processor seconds."""
    path = directory / "long" / "journal.db"
    asyncio.run(prepare(path))
    taken = [asyncio.run(resume_seconds(path)) for _ in range(3)]
    return min(real for real, _ in taken), min(busy for _, busy in taken)
