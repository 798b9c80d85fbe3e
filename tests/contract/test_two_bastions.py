"""Two bastions, one deployment: two homes with engines of their own, and objects that say who wrote them.

One bastion loses its network, or is suspended; the other one takes over; the first comes back. It may change nothing
any more, and says by whom it was replaced.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from ruamel.yaml import YAML

from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.fence import epoch_of, holder_of
from cockpit.adapters.kubernetes.mirror import KubeMirror
from cockpit.adapters.kubernetes.nginx import NginxTraffic
from cockpit.adapters.kubernetes.object_watch import watch_object
from cockpit.adapters.kubernetes.reader import WatchTimes
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.cli.status import read_status
from cockpit.errors import CockpitError
from cockpit.journal.copying import unpack
from cockpit.link.paths import all_runs
from cockpit.model.clock import RunClock
from cockpit.runbook.load import load
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook

from .adapters.stage import CANARY, Stage, hasten, plant, until
from .adapters.stage import access as reach
from .rights import trusted
from .test_run_on_a_real_cluster import ROOT, adapted

pytestmark = pytest.mark.timeout(240)
MIRROR = "cockpit-minimal"


@dataclass
class Wire:
    """A TCP proxy that stands for the network of one bastion."""

    host: str
    port: int
    server: asyncio.Server | None = None
    here: int = 0
    open: set[asyncio.Task[Any]] = field(default_factory=set)

    async def mend(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.here)
        self.here = self.server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self.server is not None
        self.server.close()
        for task in list(self.open):
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            there, back = await asyncio.open_connection(self.host, self.port)
            try:
                with suppress(OSError):
                    await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                back.transport.abort()
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()
            self.open.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@dataclass
class Bastion:
    """A home, and the way from it to the cluster."""

    home: Path
    kubeconfig: Path
    context: str
    started: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cockpit", *arguments,
            cwd=ROOT, env={**os.environ, "COCKPIT_HOME": str(self.home)},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.started.append(process)
        return process

    async def end(self) -> None:
        """End everything that was started here."""
        self.signal(signal.SIGKILL)
        await asyncio.gather(*(process.communicate() for process in self.started if process.returncode is None))

    async def do(self, *arguments: str, seconds: float = 60) -> tuple[int | None, str, str]:
        process = await self.start(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), seconds)
        return process.returncode, out.decode(), err.decode()

    async def status(self) -> dict[str, Any]:
        """What `cockpit status -o json` prints, without a process for each look."""
        (paths,) = all_runs(self.home)
        try:
            found: dict[str, Any] = await asyncio.to_thread(read_status, paths)
        except CockpitError as error:
            return {"error": str(error)}
        return found

    def processes(self) -> list[int]:
        """The processes whose home this is."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"COCKPIT_HOME={self.home}\0".encode() in entry.read_bytes():
                    found.append(int(entry.parent.name))
        return [pid for pid in found if pid != os.getpid()]

    def signal(self, number: int) -> None:
        for pid in self.processes():
            with suppress(OSError):
                os.kill(pid, number)


@dataclass
class Theatre:
    """Two bastions; `revisions` is the route as every write has left it: epoch, signature and weight."""

    client: KubeClient
    namespace: str
    wire: Wire
    first: Bastion
    second: Bastion
    runbook: Path
    variables: tuple[str, ...]
    revisions: list[tuple[int | None, str, int]] = field(default_factory=list)

    async def weight(self) -> int:
        return (await NginxTraffic(self.client, self.namespace, CANARY).read()).share

    async def mirrored_weight(self) -> int | None:
        found = await KubeMirror(self.client, self.namespace, MIRROR).read()
        if found is None:
            return None
        weights = [event.weight for event, _ in unpack(found.copy.journal) if event.type == "traffic.changed"]
        return weights[-1] if weights else None

    async def audit(self) -> None:
        """Note every revision of the route."""
        where = Resource("networking.k8s.io", "v1", "ingresses", self.namespace, CANARY)
        async with aclosing(watch_object(self.client, where, WatchTimes())) as changes:
            async for change in changes:
                if change.object is not None:
                    obj = change.object
                    annotations = obj["metadata"]["annotations"]
                    weight = int(annotations.get("nginx.ingress.kubernetes.io/canary-weight", 0))
                    self.revisions.append((epoch_of(obj), holder_of(obj), weight))


@asynccontextmanager
async def _cluster(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Any, ...]]:
    """A namespace with the objects of the runbook; its kubeconfig and context, and the variables of the run."""
    runbook = tmp_path / "runbook.yaml"
    runbook.write_text(adapted())
    namespace = f"two-{uuid4().hex[:6]}"
    book = load(runbook, {"NAMESPACE": namespace, "IMAGE": "web", "VERSION": "2.0.0"}).runbook
    clock = RunClock.starting(datetime.now(UTC), 1.0)
    async with Simulator(from_runbook(book), clock) as simulator:
        hasten(simulator)
        variables = {"NAMESPACE": namespace, "PROMETHEUS_URL": simulator.prometheus_url, "IMAGE": "web",
                     "VERSION": "2.0.0", "GATE_HOLD": "30m"}  # fmt: skip
        words = tuple(word for key, value in variables.items() for word in ("--var", f"{key}={value}"))
        if kind == "simulator":
            config = simulator.write_kubeconfig(tmp_path / "kubeconfig")
            yield namespace, config, "simulator", runbook, words
            return
        config = trusted(request.getfixturevalue("real_kubeconfig"), tmp_path / "kubeconfig")
        access = reach(config, "admin", config, "observer")
        async with open_client(*access.admin) as client:
            stage = Stage(client, namespace, access)
            await plant(stage, 2)
            for track in ("web-blue", "web-green"):
                await until(lambda track=track: stage.workloads.deployment(track), lambda seen: seen.available == 2, 60)
            yield namespace, config, "admin", runbook, words
            await stage.delete(Resource("", "v1", "namespaces", "", namespace))


@pytest.fixture(params=["simulator", pytest.param("real", marks=(pytest.mark.kube, pytest.mark.xdist_group("kube")))])
async def theatre(request: pytest.FixtureRequest, tmp_path: Path, short_path: Path) -> AsyncIterator[Theatre]:
    async with _cluster(request.param, request, tmp_path) as (namespace, config, context, runbook, words):
        tree = YAML(typ="safe", pure=True).load(config.read_text())
        address = urlsplit(tree["clusters"][0]["cluster"]["server"])
        wire = Wire(address.hostname or "", address.port or 0)
        await wire.mend()
        for entry in tree["clusters"]:
            entry["cluster"]["server"] = f"{address.scheme}://127.0.0.1:{wire.here}"
        through = tmp_path / "through-the-wire"
        through.touch(0o600)
        through.write_text(json.dumps(tree))
        first = Bastion(short_path / "a", through, context)
        second = Bastion(short_path / "b", config, context)
        async with open_client(str(config), context) as client:
            made = Theatre(client, namespace, wire, first, second, runbook, words)
            audit = asyncio.create_task(made.audit())
            try:
                yield made
            finally:
                await first.end()
                await second.end()
                audit.cancel()
                await asyncio.gather(audit, return_exceptions=True)
                await wire.cut()


async def running(theatre: Theatre) -> asyncio.subprocess.Process:
    """The first bastion's run in the middle of its gate, and mirrored so far."""
    first = theatre.first
    where = ("--kubeconfig", str(first.kubeconfig), "--context", first.context)
    run = await first.start(
        "run", str(theatre.runbook), *where, *theatre.variables, "--headless", "--decide", "auto", "-o", "json"
    )
    try:
        await until(theatre.mirrored_weight, lambda weight: weight == 50, 120)
    except AssertionError as error:
        with suppress(ProcessLookupError):
            run.kill()
        out, err = await run.communicate()
        raise AssertionError(f"{error}\n{out.decode()[-3000:]}\n{err.decode()[-3000:]}") from None
    assert await theatre.weight() == 50
    return run


async def take_over(theatre: Theatre) -> str:
    """The second bastion's takeover; returns what it said."""
    second = theatre.second
    where = ("--kubeconfig", str(second.kubeconfig), "--context", second.context)
    code, _, err = await second.do(
        "takeover", "--from", f"{theatre.namespace}/{MIRROR}", *where, "--reason", "bastion a is gone", seconds=120
    )
    assert code == 0, err
    return err


async def goes_on(theatre: Theatre) -> None:
    """The first one has come back: it is parked by the second one, which goes on and alone writes."""
    first, second = theatre.first, theatre.second
    claimed = await until(second.status, lambda seen: bool(seen.get("mirror", {}).get("at")), 60)
    assert claimed["lease"]["command"] == "held"
    parked = await until(first.status, lambda seen: bool(seen.get("fenced_by")), 60)
    assert parked["fenced_by"] != "somebody else"
    assert datetime.fromisoformat(parked["fenced_at"]) <= datetime.now(UTC)
    assert parked["run"] == claimed["run"]
    code, _, err = await first.do("rollback", "--reason", "the old one tries")
    assert code == 1
    assert parked["fenced_by"] in err
    assert await theatre.weight() == 50
    code, _, err = await second.do("rollback", "--reason", "the new one decides")
    assert code == 0, err
    await until(second.status, lambda seen: seen.get("status") == "rolled_back", 60)
    assert await theatre.weight() == 0
    one_writer_per_epoch(theatre)


def one_writer_per_epoch(theatre: Theatre) -> None:
    stamped = [(epoch, holder) for epoch, holder, _ in theatre.revisions if epoch is not None]
    assert [epoch for epoch, _ in stamped] == sorted(epoch for epoch, _ in stamped), theatre.revisions
    writers: dict[int, set[str]] = {}
    for epoch, holder in stamped:
        writers.setdefault(epoch, set()).add(holder)
    assert all(len(holders) == 1 for holders in writers.values()), writers
    assert len({holder for holders in writers.values() for holder in holders}) == 2, writers


async def test_a_bastion_that_lost_its_network_is_replaced(theatre: Theatre) -> None:
    await running(theatre)
    await theatre.wire.cut()
    said = await take_over(theatre)
    assert "commanded by" in said
    assert "silent for" in said
    lapsed = await until(theatre.first.status, lambda seen: seen.get("lease", {}).get("command") == "lapsed", 30)
    assert lapsed["fenced_by"] is None
    await theatre.wire.mend()
    await goes_on(theatre)


async def test_a_suspended_bastion_is_replaced(theatre: Theatre) -> None:
    await running(theatre)
    theatre.first.signal(signal.SIGSTOP)
    await take_over(theatre)
    theatre.first.signal(signal.SIGCONT)
    await goes_on(theatre)


async def test_a_living_holder_is_not_replaced_unless_at_once(theatre: Theatre) -> None:
    await running(theatre)
    second = theatre.second
    where = ("--kubeconfig", str(second.kubeconfig), "--context", second.context)
    source = ("takeover", "--from", f"{theatre.namespace}/{MIRROR}", *where, "--reason", "now")
    code, _, err = await second.do(*source, seconds=90)
    assert code == 1
    assert "is alive: it renews its Lease" in err
    code, _, err = await second.do(
        "run", str(theatre.runbook), *where, *theatre.variables, "--headless", "-o", "json", seconds=90
    )
    assert code == 5
    assert "commands this deployment" in err
    code, _, err = await second.do(*source, "--now", "--yes")
    assert code == 0, err
    await goes_on(theatre)
