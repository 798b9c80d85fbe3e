"""Whole runs over a line that loses every answer to a write, in both worlds: each change is made, and made once."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from cockpit.adapters.kubernetes.client import open_client
from cockpit.link.paths import all_runs
from cockpit.model.clock import RunClock
from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook

from .adapters.stage import CANARY, Stage, access, hasten, plant, until
from .fault_proxy import FaultProxy, Seen, proxy_before
from .faults import lost_answer
from .test_run_on_a_real_cluster import Theatre, adapted, finished, in_a_hurry


@dataclass
class Lossy:
    """A theatre whose engine reaches its API server through the proxy. `canary` names the route there."""

    theatre: Theatre
    proxy: FaultProxy
    canary: str


def spoken(seen: Seen) -> bool:
    """A patch that changes a guarded object. Losing every answer about the Lease is losing the Lease."""
    guarded = any(f"/{kind}/" in seen.path for kind in ("services", "deployments", "ingresses"))
    return seen.verb == "patch" and guarded and "dryRun" not in seen.query


@pytest.fixture(params=["simulator", pytest.param("real", marks=(pytest.mark.kube, pytest.mark.xdist_group("kube")))])
async def lossy(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> AsyncIterator[Lossy]:
    real = request.param == "real"
    runbook = tmp_path / "runbook.yaml"
    runbook.write_text(adapted() if real else in_a_hurry(config_path("runbooks/minimal.yaml").read_text()))
    namespace = f"bad-{uuid4().hex[:6]}"
    spec = from_runbook(load(runbook, {"NAMESPACE": namespace}).runbook)
    async with Simulator(spec, RunClock.starting(datetime.now(UTC), 1.0)) as simulator:
        hasten(simulator)
        config = request.getfixturevalue("real_kubeconfig") if real else simulator.write_kubeconfig(tmp_path / "sim")
        context = "admin" if real else "simulator"
        reach = access(config, context, config, context)
        async with open_client(*reach.admin) as client, proxy_before(reach.admin) as proxy:
            stage = Stage(client, namespace, reach)
            if real:
                await plant(stage, 2)
                for track in ("web-blue", "web-green"):
                    await until(
                        lambda track=track: stage.workloads.deployment(track), lambda seen: seen.available == 2, 60
                    )
            through = Stage(client, namespace, access(proxy.kubeconfig(tmp_path), "proxied", config, context))
            variables = [f"NAMESPACE={namespace}", f"PROMETHEUS_URL={simulator.prometheus_url}", "GATE_HOLD=4s"]
            variables += ["IMAGE=web", "VERSION=2.0.0"] if real else []
            theatre = Theatre(
                through, "proxied", runbook, tuple(word for each in variables for word in ("--var", each)), home
            )
            yield Lossy(theatre, proxy, CANARY if real else "minimal-canary")
            for run in all_runs(home):
                if (pid := run.engine_pid) is not None:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(300)
async def test_a_run_whose_every_answer_to_a_write_is_lost_completes_with_each_change_made_once(lossy: Lossy) -> None:
    lossy.proxy.on(spoken, lost_answer, times=999)

    run = await lossy.theatre.run()
    rows = await finished(run, 200)

    assert run.stderr is not None
    assert run.returncode == 0, f"{json.dumps(rows[-5:])} {(await run.stderr.read()).decode()}"
    changes = [seen for seen in lossy.proxy.applied() if spoken(seen)]
    assert all(seen.status == 200 for seen in changes)
    told = Counter(seen.body for seen in changes)
    assert set(told.values()) == {1}
    weights = [row["weight"] for row in rows if row["type"] == "traffic.changed"]
    assert weights == [0, 50, 50, 0]
