"""A rollback on the simulator, over the real adapters, at real speed: half of the traffic and the switch are undone."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from cockpit.adapters.open import Endpoints, open_outside
from cockpit.cli.rehearsal import rewrite
from cockpit.engine.ports import Outside
from cockpit.engine.session import Session
from cockpit.model.clock import RunClock
from cockpit.model.commands import Override, RollBack
from cockpit.runbook.load import load
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.shipped import config_path
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook
from tests.engine.world import MemoryStore


async def until(store: MemoryStore, type_: str) -> float:
    """The first event's `took_s`, or 0 for events that have none."""
    async with asyncio.timeout(120):
        while True:
            for event in store.events:
                if event.type == type_:
                    return float(getattr(event, "took_s", 0.0))
            await asyncio.sleep(0.01)


async def rollback_seconds() -> float:
    """How many seconds the way back took, from the order to the completion proof."""
    loaded = load(config_path("runbooks/moshimoshi.yaml"), {}, {})
    clock = RunClock.starting(datetime.now(UTC), 1.0)
    store = MemoryStore()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with Simulator(from_runbook(loaded.runbook), clock) as simulator:
            book = rewrite(loaded, simulator.addresses())
            kubeconfig = str(simulator.write_kubeconfig(directory / "kubeconfig"))
            secrets = SecretStore(book.loaded.runbook.secrets, {**os.environ, **book.environ})
            endpoints = Endpoints(registry=book.registry)
            opened = open_outside(
                book.loaded.runbook, secrets, kubeconfig=kubeconfig, context="simulator", endpoints=endpoints
            )
            async with opened as adapters:
                service = await adapters.workloads.service("moshimoshi-active")
                await adapters.workloads.set_selector(service, {**service.selector, "version": "blue"})
                await adapters.traffic.set_weight(await adapters.traffic.read(), 50)
                outside = Outside(**{field.name: getattr(adapters, field.name) for field in fields(Outside)})
                session = await Session.open(
                    "bench", book.loaded, store, outside, clock, secrets,
                    automatic=False, commander="bench", context="simulator", run_dir=directory,
                )  # fmt: skip
                running = asyncio.create_task(session.run())
                await until(store, "readiness.changed")
                await session.feed.order("bench", Override(reason="bench"))
                await until(store, "action.intended")
                await session.feed.order("bench", RollBack(reason="bench"))
                took = await until(store, "rollback.finished")
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
    return took
