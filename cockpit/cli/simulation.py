"""A simulator in a process of its own, for as long as its rehearsal lasts."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from cockpit.cli.settings import RunSettings, load_settings
from cockpit.errors import JournalError
from cockpit.journal.lock import RunLock
from cockpit.link.paths import RunPaths, write_private
from cockpit.runbook.load import load
from cockpit.simulator.derive import from_runbook
from cockpit.simulator.server import Simulator
from cockpit.simulator.web.control import world_state

ALONE_FOR = 600.0
"""Real seconds without an engine after which the simulator ends."""
_LAST_SECONDS = 1.0
_LOOK_EVERY = 0.5


async def run_simulator(directory: Path) -> None:
    """Serve the world of the rehearsal in `directory` until its run is closed, or left without an engine for long."""
    paths = RunPaths(directory)
    settings = load_settings(paths)
    lock = RunLock.take(directory / "simulator.lock")
    try:
        simulator = rehearsal_world(paths, settings)
        async with simulator:
            simulator.write_kubeconfig(Path(settings.kubeconfig or directory / "kubeconfig"))
            write_private(directory / "simulator.json", json.dumps(simulator.addresses(), indent=2) + "\n")
            await _until_over(paths)
            write_private(directory / "simulator-record.json", json.dumps(record_of(simulator), indent=1) + "\n")
    finally:
        lock.release()


def record_of(simulator: Simulator) -> dict[str, Any]:
    """The world's own truth at the end: its state, and every effect it saw, in order."""
    world = simulator.world
    return {"state": world_state(world), "effects": [effect.as_json() for effect in world.record.all()]}


def rehearsal_world(paths: RunPaths, settings: RunSettings) -> Simulator:
    """The simulator of a rehearsal; raises JournalError when the run is none."""
    if settings.rehearsal is None:
        raise JournalError(f"{settings.run} is not a rehearsal", "Only a rehearsal has a simulator.")
    loaded = load(paths.runbook, settings.variables, {})
    return Simulator(from_runbook(loaded.runbook), settings.clock.clock(), settings.rehearsal.scenario)


async def _until_over(paths: RunPaths) -> None:
    seen = time.monotonic()
    while not paths.closed.exists() and time.monotonic() - seen < ALONE_FOR:
        if paths.engine_pid is not None:
            seen = time.monotonic()
        await asyncio.sleep(_LOOK_EVERY)
    await asyncio.sleep(_LAST_SECONDS)
