"""A run whose critical alerts come from a real Alertmanager: what fires stops a gate, what is silenced does not."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from cockpit.adapters.alertmanager import AlertmanagerAlerts
from cockpit.model.clock import RunClock
from cockpit.model.status import GateStatus
from cockpit.model.verdict import ALERTS_CRITICAL, Verdict
from cockpit.runbook.gate import Alertmanager
from cockpit.runbook.load import LoadedRunbook
from tests.contract.prometheus.reaching import gate_open
from tests.contract.prometheus.servers import Server, alertmanager, binary, until
from tests.engine.world import MemoryStore, Stage, World, shipped


def alerts_book(url: str) -> LoadedRunbook:
    """The shipped runbook, looking four times a second, with an Alertmanager and a gate that nothing else stops."""
    loaded = shipped()
    book = loaded.runbook
    monitoring = book.monitoring.model_copy(
        update={
            "interval": timedelta(milliseconds=250),
            "scrape_interval": timedelta(milliseconds=250),
            "warmup": timedelta(seconds=1),
            "alerts_critical": None,
            "alertmanager": Alertmanager(url=url),
        }
    )
    return replace(loaded, runbook=book.model_copy(update={"monitoring": monitoring}))


class Watch:
    """A run at its first gate, and the Alertmanager that it asks."""

    def __init__(self, stage: Stage, server: Server) -> None:
        self.stage = stage
        self.server = server

    async def gate(self, status: GateStatus, verdict: Verdict, reason: str) -> None:
        """Wait until the gate stands so for that reason."""

        async def stands() -> bool:
            assert self.stage.session is not None
            core = self.stage.session._core
            gate, seen = core.state.steps["2.1"].gate, core.seen.measurements.get(ALERTS_CRITICAL)
            if gate is None or seen is None:
                return False
            assert gate.status is not GateStatus.PASSED
            said = f"{gate.reason} {seen.reason} {seen.value}"
            return gate.status is status and seen.verdict is verdict and reason in said

        await until(stands, 20)

    async def fire(self, name: str, severity: str = "critical") -> None:
        """Let an alert fire."""
        async with httpx.AsyncClient(trust_env=False, base_url=self.server.url) as client:
            posted = [{"labels": {"alertname": name, "severity": severity}}]
            (await client.post("/api/v2/alerts", json=posted)).raise_for_status()

    async def silence(self, name: str) -> None:
        """Silence an alert, as a person does."""
        amtool = [binary("amtool"), f"--alertmanager.url={self.server.url}", "silence", "add", "--comment=known"]
        await asyncio.to_thread(
            subprocess.run, [*amtool, "--author=ada", f"alertname={name}"], check=True, capture_output=True
        )


async def test_what_fires_stops_the_gate_and_silences_and_silence_are_told_apart(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(alertmanager(tmp_path))
        alerts = AlertmanagerAlerts(server.url, ('severity="critical"',), timeout=1.0)
        stack.push_async_callback(alerts.close)
        clock = RunClock.starting(datetime.now(UTC), 1.0)
        book = alerts_book(server.url)
        stage = Stage(World(rollout_s=0.0), MemoryStore(), tmp_path, book, clock=clock, alerts=alerts)
        await stage.start()
        stack.push_async_callback(stage.kill)
        await gate_open(stage)
        watch = Watch(stage, server)

        await watch.fire("Chatty", "warning")
        await watch.gate(GateStatus.HOLDING, Verdict.NORMAL, "0.0")
        await watch.fire("DiskFull")
        await watch.gate(GateStatus.WAITING, Verdict.NORMAL, "No critical alerts: 1 firing")
        await watch.silence("DiskFull")
        await watch.gate(GateStatus.HOLDING, Verdict.NORMAL, "0.0")
        await watch.fire("HighLatency")
        await watch.gate(GateStatus.WAITING, Verdict.NORMAL, "No critical alerts: 1 firing")
        await watch.silence("HighLatency")
        await watch.gate(GateStatus.HOLDING, Verdict.NORMAL, "0.0")
        server.stop()
        await watch.gate(GateStatus.WAITING, Verdict.BROKEN, "Alertmanager cannot be reached")

        types = set(stage.types())
        assert not types & {"gate.passed", "rollback.started", "trigger.tripped", "decision.made"}
        assert stage.world.weight == 10
        assert stage.session is not None
        snapshot = stage.session.feed.snapshot()
        assert snapshot.gate is not None
        assert snapshot.gate.verdict is Verdict.BROKEN
        seen = stage.session._core.seen.measurements[ALERTS_CRITICAL]
        assert seen.query.startswith(f"{server.url}/api/v2/alerts?active=true&silenced=false&inhibited=false")
