"""How a run in real time comes to its first gate."""

from __future__ import annotations

import asyncio

from cockpit.model.commands import Advance, Override, Tick
from tests.engine.world import Stage


async def gate_open(stage: Stage) -> None:
    """Tick, advance and override until the gate of the first traffic step is open; the gate is never overridden."""
    assert stage.session is not None
    session = stage.session
    await stage.until("readiness.changed", 60)
    for entry in session.feed.snapshot().checklist.lists:
        for item in entry.items if entry.stage == "before" else ():
            await stage.order(Tick(item=item.id))
    reached = asyncio.create_task(stage.until("gate.opened", 60, step="2.1"))
    while not reached.done():
        if not (await stage.order(Advance())).ok and "gate.opened" not in stage.types():
            await stage.order(Override(reason="the tests go on"))
        await asyncio.wait([reached], timeout=0.3)
    await reached
