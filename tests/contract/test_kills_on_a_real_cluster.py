"""SIGKILL of real engines on a real API server: each change is accepted once, and its objects end as undisturbed ones.

All that engines ask goes through a proxy that keeps every accepted write; the API server's own watch tells each state
that the objects have been in.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.reader import Asked, Reader, WatchTimes
from cockpit.adapters.kubernetes.resource import Json, Resource
from cockpit.cli.status import read_state, read_status
from cockpit.errors import CockpitError, EngineUnreachable
from cockpit.link.once import give_order
from cockpit.link.paths import RunPaths, all_runs
from cockpit.model.clock import RunClock
from cockpit.model.commands import Close, RollBack
from cockpit.model.status import RunStatus
from cockpit.runbook.load import load
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook
from tests.told import told

from .adapters.stage import Stage, access, plant, until
from .fault_proxy import FaultProxy, Seen, proxy_before
from .test_run_on_a_real_cluster import ROOT, adapted

pytestmark = [pytest.mark.kube, pytest.mark.xdist_group("kube")]
FORWARD = (
    "before-append:action.intended", "before-effect:deploy", "after-effect:deploy", "before-effect:traffic",
    "after-append:action.reoffered", "after-effect:traffic", "before-append:action.succeeded", "before-effect:switch",
    "after-effect:switch", "before-effect:canary_off", "after-effect:canary_off",
)  # fmt: skip
BACK = (
    "after-append:rollback.started", "before-effect:switch", "before-append:action.reoffered", "after-effect:switch",
    "before-effect:canary_off", "after-effect:canary_off", "after-append:rollback.step_finished",
)  # fmt: skip
PATIENCE_S = 40
PREFIX = "nginx.ingress.kubernetes.io/"


def after_the_switch(hold: str) -> str:
    """The runbook with a gate between the switch and the end of the canary route, and one way back after the other."""
    gate = f"        gate: {{hold: {hold}, conditions: [{{metric: error_rate, below: 0.5}}]}}\n"
    following = '      - id: "2.3"\n        title: The end of the canary\n        actions:\n'
    text, off, parallel = adapted(), "          - {id: canary-off", "      parallel: true\n"
    assert off in text
    assert parallel in text
    return text.replace(parallel, "").replace(off, f"{gate}{following}{off}")


@dataclass
class Scene:
    """One planted namespace with one run. `states` is what the API server has shown of each object, in order."""

    stage: Stage
    proxy: FaultProxy
    home: Path
    words: tuple[str, ...]
    states: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def paths(self) -> RunPaths:
        (found,) = all_runs(self.home)
        return found

    async def start(self, *arguments: str, dying_at: str = "") -> asyncio.subprocess.Process:
        environ = {**os.environ, "COCKPIT_HOME": str(self.home), "COCKPIT_CRASH_AT": dying_at}
        with (self.home.parent / f"{self.home.name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "cockpit", *arguments,
                cwd=ROOT, env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def engine(self, dying_at: str = "") -> int:
        """Take up the run in an engine of its own; returns its exit code."""
        process = await self.start("engine", str(self.paths.directory), dying_at=dying_at)
        try:
            return await asyncio.wait_for(process.wait(), PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"it lives past {dying_at or 'its end'}:\n{await told(self.paths)}") from None

    async def die(self, front: asyncio.subprocess.Process, points: tuple[str, ...]) -> None:
        """The run's first engine dies, and each later one at its point."""
        await until(self._died, bool, 60)
        # It would wait for its engine to come back.
        front.kill()
        await front.wait()
        for point in points:
            assert await self.engine(point) == -signal.SIGKILL, point

    async def _died(self) -> bool:
        return any((run.directory / "lock").exists() and run.engine_pid is None for run in all_runs(self.home))

    async def end(self, status: RunStatus) -> None:
        """The last life: until the run has that status, and then to its end."""
        last = asyncio.create_task(self.engine())
        await until(self.status, lambda seen: seen == status.value, 60)
        assert (await give_order(self.paths.sockets().control, Close(reason="over"))).ok
        assert await last == 0

    async def status(self) -> str:
        """Where the run stands; empty while its engine is on its way."""
        with suppress(CockpitError):
            return str((await asyncio.to_thread(read_status, self.paths))["status"])
        return ""

    async def watch(self, name: str, resource: Resource, show: Callable[[Any], Any]) -> None:
        """Note what each revision of an object shows."""
        kept = EveryRevision(self.stage.client, resource, show, self.states.setdefault(name, []))
        async with aclosing(Reader(self.stage.client, kept, WatchTimes()).changes()) as changes:
            async for _ in changes:
                pass

    def kill(self) -> None:
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"COCKPIT_HOME={self.home}\0".encode() in entry.read_bytes():
                    os.kill(int(entry.parent.name), signal.SIGKILL)


class EveryRevision:
    """What every revision of one object shows. `watch_object` tells only the last of those that come together."""

    size = 1

    def __init__(self, client: KubeClient, resource: Resource, show: Callable[[Any], Any], shown: list[Any]) -> None:
        self._client, self._show, self._shown = client, show, shown
        query = {"fieldSelector": f"metadata.name={resource.name}"}
        self.asked = Asked(str(resource), resource.named(""), query, "application/json")

    async def read(self) -> str:
        # Its items come again only after a lost version, when states in between are lost as well.
        assert not self._shown, f"the watch of {self.asked.what} was lost"
        page = await self._client.get(self.asked.collection, self.asked.query)
        self._shown.extend(self._show(item) for item in page["items"])
        return str(page["metadata"]["resourceVersion"])

    async def same(self) -> bool:
        return True

    def take(self, kind: str, obj: Json) -> None:
        if kind in ("ADDED", "MODIFIED"):
            self._shown.append(self._show(obj))


def effects(seen: list[Seen]) -> list[str]:
    """Every accepted change of a guarded object but the stamps, in order."""
    return [
        effect for each in seen if "dryRun" not in each.query and each.method == "PATCH" for effect in _changes(each)
    ]


def _changes(seen: Seen) -> Iterator[str]:
    names = {"selector": "switch", "image": "image", "canary": "canary", "canary-weight": "weight"}
    for operation in json.loads(seen.body):
        name = operation["path"].replace("~1", "/").rpartition("/")[2]
        if operation["op"] != "test" and name in names:
            yield f"{names[name]} {json.dumps(operation.get('value'))}"


@asynccontextmanager
async def scene(real_kubeconfig: Path, directory: Path, home: Path, text: str) -> AsyncIterator[Scene]:
    runbook = directory / f"{home.name}.yaml"
    runbook.write_text(text)
    namespace = f"kill-{uuid4().hex[:6]}"
    variables = {"NAMESPACE": namespace, "IMAGE": "localhost:1/web", "VERSION": "2.0.0", "GATE_HOLD": "1s"}
    reach = access(real_kubeconfig, "admin", real_kubeconfig, "admin")
    spec = from_runbook(load(runbook, variables).runbook)
    async with (
        Simulator(spec, RunClock.starting(datetime.now(UTC), 1.0)) as simulator,
        open_client(*reach.admin) as client,
        proxy_before(reach.admin) as proxy,
    ):
        stage = Stage(client, namespace, reach)
        await plant(stage, 2)
        variables["PROMETHEUS_URL"] = simulator.prometheus_url
        words = tuple(word for key, value in variables.items() for word in ("--var", f"{key}={value}"))
        where = ("--kubeconfig", str(proxy.kubeconfig(directory)), "--context", "proxied")
        made = Scene(stage, proxy, home, (str(runbook), *where, *words))
        for track in ("web-blue", "web-green"):
            await until(partial(stage.workloads.deployment, track), lambda seen: seen.available == 2, 60)
        watches = [
            asyncio.create_task(made.watch("switch", stage.at("", "services", "web"), _selector)),
            asyncio.create_task(made.watch("route", stage.ingress, _route)),
            asyncio.create_task(made.watch("image", stage.at("apps", "deployments", "web-green"), _image)),
        ]
        try:
            yield made
        finally:
            made.kill()
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
            await stage.delete(Resource("", "v1", "namespaces", "", namespace))


def _selector(service: Any) -> Any:
    return service["spec"]["selector"]["version"]


def _route(ingress: Any) -> Any:
    found = ingress["metadata"]["annotations"]
    return found.get(f"{PREFIX}canary"), found.get(f"{PREFIX}canary-weight")


def _image(deployment: Any) -> Any:
    """The image, and how many templates the Deployment has had."""
    template, annotations = deployment["spec"]["template"], deployment["metadata"]["annotations"]
    return template["spec"]["containers"][0]["image"], annotations.get("deployment.kubernetes.io/revision")


def course(scene: Scene) -> dict[str, list[Any]]:
    """The different states of each object, in order."""
    return {name: [state for state, _ in groupby(states)] for name, states in scene.states.items()}


async def forward(played: Scene, lives: tuple[str, ...]) -> None:
    """A run to its end whose engines die at these points."""
    front = await played.start("run", *played.words, "--headless", "--decide", "auto", dying_at=(*lives, "")[0])
    if lives:
        await played.die(front, lives[1:])
        await played.end(RunStatus.COMPLETED)
    else:
        assert await asyncio.wait_for(front.wait(), 90) == 0


async def back(played: Scene, lives: tuple[str, ...]) -> None:
    """A run that is told to go back after its switch, and whose engines die at these points."""
    front = await played.start("run", *played.words, "--headless", "--decide", "auto", dying_at=(*lives, "")[0])

    async def switched() -> str:
        return str((await played.stage.workloads.service("web")).selector["version"])

    await until(switched, lambda seen: seen == "green", 60)
    with suppress(EngineUnreachable):  # it may die before it answers
        await give_order(played.paths.sockets().control, RollBack(reason="told to"))
    if lives:
        await played.die(front, lives[1:])
        await played.end(RunStatus.ROLLED_BACK)
    else:
        assert await asyncio.wait_for(front.wait(), 60) == 3


PLAYS = {"forward": (forward, FORWARD, "1s", RunStatus.COMPLETED), "back": (back, BACK, "30m", RunStatus.ROLLED_BACK)}


@pytest.mark.parametrize("way", PLAYS)
async def test_killed_engines_change_the_objects_as_one_that_lives(
    real_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory, short_path: Path, way: str
) -> None:
    play, lives, hold, status = PLAYS[way]
    text = after_the_switch(hold)
    async with (
        scene(real_kubeconfig, tmp_path_factory.mktemp("killed"), short_path / "k", text) as killed,
        scene(real_kubeconfig, tmp_path_factory.mktemp("undisturbed"), short_path / "u", text) as undisturbed,
    ):
        await asyncio.gather(play(killed, lives), play(undisturbed, ()))
        assert effects(killed.proxy.applied()) == effects(undisturbed.proxy.applied())
        await until(partial(asyncio.to_thread, course, killed), lambda seen: seen == course(undisturbed))
        state = await read_state(killed.paths)
        assert state.status is status
        assert state.closed
