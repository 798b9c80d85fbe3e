"""From a rollback trigger that is true in a real Prometheus to the first write at the API server, at real speed."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.adapters.open import Endpoints, open_outside
from cockpit.cli.rehearsal import Rewritten, rewrite
from cockpit.engine.ports import Outside
from cockpit.engine.session import Session
from cockpit.model.clock import RunClock
from cockpit.model.commands import Override
from cockpit.runbook.gate import TriggerResponse
from cockpit.runbook.load import load
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.shipped import config_path
from cockpit.simulator.scenario import Ramp, Scenario
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook
from cockpit.simulator.world.world import World
from tests.bench.rollback import until
from tests.contract.prometheus.servers import Server, prometheus
from tests.contract.prometheus.servers import until as holds
from tests.engine.world import MemoryStore

INTERVAL_S = 4.0
"""The runbook's polling interval here; the k-of-n of a trigger would add k - 1 more."""

WINDOW_S = 10
WRITES = ("weight", "canary", "selector")
SICK = Scenario("sick", "A third of the candidate's requests fail.", errors=Ramp(light=33.0, heavy=33.0))


def book_for(url: str, rewritten: Rewritten) -> Rewritten:
    """The rehearsed runbook, measured by the real server, whose first true measurement trips."""
    book = rewritten.loaded.runbook
    monitoring = book.monitoring.model_copy(
        update={
            "prometheus": url,
            "interval": timedelta(seconds=INTERVAL_S),
            "window": timedelta(seconds=WINDOW_S),
            "scrape_interval": timedelta(seconds=1),
        }
    )
    triggers = tuple(
        trigger.model_copy(update={"breaches": 1, "of": 1, "response": TriggerResponse.ROLLBACK})
        for trigger in book.rollback.triggers
    )
    changed = book.model_copy(
        update={"monitoring": monitoring, "rollback": book.rollback.model_copy(update={"triggers": triggers})}
    )
    loaded = type(rewritten.loaded)(
        changed, rewritten.loaded.path, rewritten.loaded.sha256, rewritten.loaded.text, rewritten.loaded.variables
    )
    return Rewritten(loaded, rewritten.environ, rewritten.registry)


async def true_at(server: Server, query: str, above: float) -> float:
    """When the query's value is first above the number, by a look every few milliseconds."""
    while True:
        value = await server.value(query)
        if value is not None and value > above:
            return time.time()
        await asyncio.sleep(0.02)


async def first_write(world: World, after: int) -> float:
    """When the API server takes the first write that is not among the first `after` effects."""
    while True:
        for effect in world.record.all()[after:]:
            if effect.kind in WRITES:
                return effect.at
        await asyncio.sleep(0.005)


async def trigger_seconds() -> float:
    """Seconds from true in Prometheus to the first write."""
    loaded = load(config_path("runbooks/moshimoshi.yaml"), {}, {})
    clock = RunClock.starting(datetime.now(UTC), 1.0)
    store = MemoryStore()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with (
            Simulator(from_runbook(loaded.runbook), clock) as simulator,
            prometheus(directory / "prometheus", {"world": simulator.http_url.removeprefix("http://")}) as server,
        ):
            book = book_for(server.url, rewrite(loaded, simulator.addresses()))
            kubeconfig = str(simulator.write_kubeconfig(directory / "kubeconfig"))
            secrets = SecretStore(book.loaded.runbook.secrets, {**os.environ, **book.environ})
            opened = open_outside(
                book.loaded.runbook,
                secrets,
                kubeconfig=kubeconfig,
                context="simulator",
                endpoints=Endpoints(registry=book.registry),
            )
            async with opened as adapters:
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
                return await _measured(simulator.world, server, book, running)


async def _measured(world: World, server: Server, book: Rewritten, running: asyncio.Task[None]) -> float:
    metric = book.loaded.runbook.monitoring.metrics[0]
    query = metric.query.replace("${window}", f"{WINDOW_S}s")

    async def measured() -> bool:
        return await server.value(query) is not None

    try:
        await holds(measured)
        # The truth comes at no particular moment between two polls.
        await asyncio.sleep(WINDOW_S + random.uniform(0, INTERVAL_S))
        before = len(world.record.all())
        world.use(SICK)
        async with asyncio.timeout(60):
            true, written = await asyncio.gather(true_at(server, query, 5.0), first_write(world, before))
        return written - true
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
