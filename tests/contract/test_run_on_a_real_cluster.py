"""Whole runs against a real API server: its own objects are the proof. Prometheus is answered by the simulator."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.model.clock import RunClock
from cockpit.runbook.load import load
from cockpit.runbook.permissions import Role
from cockpit.runbook.rbac import Subject, as_yaml
from cockpit.runbook.shipped import config_path
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook

from .adapters.stage import Stage, plant, until
from .adapters.stage import access as reach
from .rights import apply, trusted

pytestmark = [pytest.mark.kube, pytest.mark.xdist_group("kube")]
ROOT = Path(__file__).resolve().parents[2]


def adapted() -> str:
    """The shipped minimal runbook with the names and colours of the planted objects, in a hurry."""
    return in_a_hurry(unhurried())


def unhurried() -> str:
    """The shipped minimal runbook with the names and colours of the planted objects."""
    text = config_path("runbooks/minimal.yaml").read_text()
    for old, new in (("minimal-active", "web"), ("minimal-", "web-"), ("app=minimal", "app=web")):
        text = text.replace(old, new)
    swap = {"blue": "green", "green": "blue"}
    return re.sub(r"\b(blue|green)\b", lambda found: swap[found[1]], text)


def in_a_hurry(runbook: str) -> str:
    """The runbook with a metrics server that scrapes every second: a changed weight is judged after two."""
    usual = "  interval: 2s\n"
    assert usual in runbook
    return runbook.replace(usual, "  interval: 1s\n  scrape_interval: 1s\n")


@dataclass
class Theatre:
    """A planted namespace, a Prometheus, and the program, which is the user of `context` and has its rights."""

    stage: Stage
    context: str
    runbook: Path
    variables: tuple[str, ...]
    home: Path

    def end(self) -> None:
        """End the engines of this test, whatever became of it."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if os.fsencode(self.home) in entry.read_bytes():
                    os.kill(int(entry.parent.name), signal.SIGKILL)

    async def cockpit(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cockpit", *arguments,
            cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def on_it(self, command: str, *arguments: str) -> asyncio.subprocess.Process:
        """A command that takes the runbook."""
        kubeconfig, _ = self.stage.access.admin
        where = ("--kubeconfig", kubeconfig, "--context", self.context)
        return await self.cockpit(command, str(self.runbook), *where, *self.variables, *arguments)

    async def run(self, *arguments: str) -> asyncio.subprocess.Process:
        return await self.on_it("run", "--headless", "--decide", "auto", "-o", "json", *arguments)

    async def check(self) -> tuple[int | None, dict[str, Any]]:
        """The exit code and the answer of `cockpit check`."""
        process = await self.on_it("check", "-o", "json")
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert out, err.decode()
        return process.returncode, json.loads(out)

    async def objects(self) -> dict[str, Any]:
        """What the API server has."""
        service = await self.stage.workloads.service("web")
        canary = await self.stage.nginx.read()
        green = await self.stage.workloads.deployment("web-green")
        return {
            "active": service.selector["version"],
            "weight": canary.weight,
            "canary": canary.enabled,
            "image": green.image,
            "ready": green.ready,
        }


@pytest.fixture(params=["admin", "commander"])
async def theatre(
    request: pytest.FixtureRequest, real_kubeconfig: Path, tmp_path: Path, home: Path
) -> AsyncIterator[Theatre]:
    """As the cluster's administrator, and as somebody who has what `cockpit rbac` prints and nothing else."""
    runbook = tmp_path / "runbook.yaml"
    runbook.write_text(adapted())
    config = trusted(real_kubeconfig, tmp_path / "kubeconfig")
    access = reach(config, "admin", config, "observer")
    namespace = f"run-{uuid4().hex[:6]}"
    book = load(runbook, {"NAMESPACE": namespace}).runbook
    spec = from_runbook(book)
    async with (
        Simulator(spec, RunClock.starting(datetime.now(UTC), 1.0)) as simulator,
        open_client(*access.admin) as client,
    ):
        stage = Stage(client, namespace, access)
        await plant(stage, 2)
        for role in Role:
            await apply(stage, as_yaml(book, role, [Subject("User", role.value)]))
        for track in ("web-blue", "web-green"):
            await until(partial(stage.workloads.deployment, track), lambda seen: seen.available == 2, 60)
        where = (f"NAMESPACE={namespace}", f"PROMETHEUS_URL={simulator.prometheus_url}")
        variables = (*where, "IMAGE=web", "VERSION=2.0.0")
        words = tuple(word for each in variables for word in ("--var", each))
        made = Theatre(stage, request.param, runbook, words, home)
        yield made
        made.end()
        await stage.delete(Resource("", "v1", "namespaces", "", namespace))


async def finished(run: asyncio.subprocess.Process, seconds: float) -> list[dict[str, Any]]:
    """The rows of a run that ends in time; otherwise the failure shows how far it came."""
    assert run.stdout is not None
    rows: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(seconds):
            async for line in run.stdout:
                rows.append(json.loads(line))
            await run.wait()
    except TimeoutError:
        last = [{key: row[key] for key in row if key not in ("epoch", "measurements")} for row in rows[-12:]]
        pytest.fail(f"the run did not end within {seconds} s: {json.dumps(last, indent=1)}")
    return rows


async def test_a_deployment_from_the_first_step_to_completed(theatre: Theatre) -> None:
    code, looked = await theatre.check()
    assert (code, looked["ok"]) == (0, True), looked
    run = await theatre.run("--var", "GATE_HOLD=4s")
    rows = await finished(run, 90)
    assert run.returncode == 0
    weights = [row["weight"] for row in rows if row["type"] == "traffic.changed"]
    assert weights == [0, 50, 50, 0]
    assert await theatre.objects() == {
        "active": "green",
        "weight": 0,
        "canary": False,
        "image": "web:2.0.0",
        "ready": 2,
    }
    assert rows[-1]["type"] == "run.closed"
    notes = [row["text"] for row in rows if row["type"] == "note" and row["text"].startswith("preflight: ")]
    power = [note for note in notes if "too much power" in note]
    assert (bool(power), "cluster-admin" in "".join(power)) == (theatre.context == "admin",) * 2
    if theatre.context == "commander":
        assert "the cluster knows us as commander (" in notes[0]


async def test_a_rollback_in_the_middle_of_a_gate(theatre: Theatre) -> None:
    run = await theatre.run("--var", "GATE_HOLD=30m")
    await until(theatre.objects, lambda seen: seen["weight"] == 50, 60)
    back = await theatre.cockpit("rollback", "--reason", "a test goes back")
    _, err = await asyncio.wait_for(back.communicate(), 30)
    assert back.returncode == 0, err.decode()
    rows = await finished(run, 60)
    assert run.returncode == 3
    assert [row["succeeded"] for row in rows if row["type"] == "rollback.finished"] == [True]
    seen = await theatre.objects()
    assert (seen["active"], seen["weight"], seen["canary"]) == ("blue", 0, False)
