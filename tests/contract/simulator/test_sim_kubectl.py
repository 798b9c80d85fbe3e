"""The real kubectl against the simulator: the commands of the source runbook."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from .conftest import CANARY, WEIGHT, Stage

KUBECTL = shutil.which("kubectl")


@pytest.fixture(autouse=True)
def need_kubectl() -> None:
    if KUBECTL is None:
        reason = "kubectl is not on PATH"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, process: Process, outer: int) -> None:
        self._process = process
        self._outer = outer
        self._seen = ""

    async def reads(self, words: str) -> None:
        """Wait until it shows the words after those that were waited for before."""
        while words not in self._seen:
            self._seen += (await asyncio.to_thread(os.read, self._outer, 4096)).decode()
        self._seen = self._seen.partition(words)[2]

    async def types(self, keys: str) -> None:
        await asyncio.to_thread(os.write, self._outer, keys.encode())

    async def ends(self) -> int:
        return await self._process.wait()


class Kubectl:
    """Runs kubectl with the simulator's kubeconfig."""

    def __init__(self, directory: Path, stage: Stage) -> None:
        self.config = stage.simulator.write_kubeconfig(directory / "kubeconfig")
        self._cache = directory / "cache"
        self._running: list[Process] = []

    async def start(self, *argv: str) -> Process:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._cache), "KUBECONFIG": str(self.config)}
        process = await asyncio.create_subprocess_exec(
            str(KUBECTL), "--cache-dir", str(self._cache), *argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )  # fmt: skip
        self._running.append(process)
        return process

    async def run(self, *argv: str, code: int = 0, given: bytes = b"") -> str:
        process = await self.start(*argv)
        async with asyncio.timeout(20):
            out, err = await process.communicate(given)
        assert process.returncode == code, err.decode()
        return (out + err).decode()

    @asynccontextmanager
    async def on_a_terminal(self, *argv: str) -> AsyncIterator[Terminal]:
        """Runs it with a terminal of its own."""
        outer, inner = os.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._cache), "KUBECONFIG": str(self.config)}
        process = await asyncio.create_subprocess_exec(
            str(KUBECTL), *argv, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True
        )  # fmt: skip
        os.close(inner)
        self._running.append(process)
        try:
            yield Terminal(process, outer)
        finally:
            os.close(outer)

    async def stop(self) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@pytest.fixture
async def kubectl(stage: Stage, tmp_path: Path) -> AsyncIterator[Kubectl]:
    tool = Kubectl(tmp_path, stage)
    yield tool
    await tool.stop()


async def test_the_kubeconfig_is_private_and_names_the_context(stage: Stage, kubectl: Kubectl) -> None:
    assert stat.S_IMODE(kubectl.config.stat().st_mode) == 0o600
    assert (await kubectl.run("config", "current-context")).strip() == "simulator"


async def test_get_shows_pods_workloads_services_and_ingresses(kubectl: Kubectl) -> None:
    pods = await kubectl.run("get", "pods", "-n", "production")
    assert pods.splitlines()[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert pods.count("1/1     Running   0          3d") == 7
    others = await kubectl.run("get", "deploy,svc,ingress", "-n", "production")
    canary = "ingress.networking.k8s.io/moshimoshi-ingress-canary"
    for name in ("deployment.apps/moshimoshi-blue", "service/moshimoshi-active", canary):
        assert name in others
    names = await kubectl.run("get", "pods", "-l", "version=blue", "-o", "jsonpath={.items[*].metadata.name}")
    assert len(names.split()) == 3


async def test_get_watch_sees_a_change(stage: Stage, kubectl: Kubectl) -> None:
    process = await kubectl.start("get", "pods", "-n", "production", "-w")
    assert process.stdout is not None
    async with asyncio.timeout(20):
        for _ in range(8):
            await process.stdout.readline()
        await stage.deploy("gcr.io/moshimoshi-prod/moshimoshi:1.0.0")
        stage.forward(5)
        seen = b""
        while b"ContainerCreating" not in seen:
            seen += await process.stdout.readline()
    assert b"Pending" in seen


async def test_describe_shows_a_deployment_with_its_events(stage: Stage, kubectl: Kubectl) -> None:
    await stage.deploy("gcr.io/moshimoshi-prod/moshimoshi:1.0.0")
    stage.forward(5)
    text = await kubectl.run("describe", "deployment", "moshimoshi-blue", "-n", "production")
    assert "RollingUpdateStrategy:  0 max unavailable, 1 max surge" in text
    assert "3 desired | 1 updated | 4 total | 3 available | 1 unavailable" in text
    assert "Scaled up replica set" in text


async def test_the_patches_of_the_source_runbook(stage: Stage, kubectl: Kubectl) -> None:
    ingress = ("patch", "ingress", "moshimoshi-ingress-canary", "-n", "production", "-p")
    for weight in ("10", "50", "100"):
        await kubectl.run(*ingress, json.dumps({"metadata": {"annotations": {WEIGHT: weight}}}))
        assert (await stage.state())["weight"] == int(weight)
    service = ("patch", "service", "moshimoshi-active", "-n", "production", "-p")
    assert "patched" in await kubectl.run(*service, '{"spec":{"selector":{"version":"blue"}}}')
    await kubectl.run(*ingress, json.dumps({"metadata": {"annotations": {CANARY: "false"}}}))
    state = await stage.state()
    assert (state["active"], state["canary_enabled"]) == ("blue", False)
    assert [effect.detail["manager"] for effect in stage.world.record.all()] == ["kubectl-patch"] * 5


async def test_a_failed_json_patch_is_told(kubectl: Kubectl) -> None:
    operations = json.dumps([{"op": "test", "path": "/spec/selector/version", "value": "blue"}])
    text = await kubectl.run("patch", "service", "moshimoshi-active", "--type=json", "-p", operations, code=1)
    assert "the server rejected our request due to an error in our request" in text.lower()


async def test_logs_and_exec(stage: Stage, kubectl: Kubectl) -> None:
    logs = await kubectl.run("logs", "-n", "production", "-l", "app=moshimoshi", "--tail=2")
    assert len(logs.splitlines()) == 12
    flushed = await kubectl.run("exec", "-n", "production", "deployment/redis", "--", "redis-cli", "FLUSHALL")
    assert flushed.strip() == "OK"
    assert (await stage.state())["redis_flushes"] == 1
    missing = await kubectl.run("exec", "deployment/redis", "--", "nothing", code=127)
    assert "exit code 127" in missing
    shell = await kubectl.run("exec", "-i", "deployment/moshimoshi-blue", "--", "/bin/sh", given=b"echo hello\n")
    assert "hello" in shell


async def test_followed_logs_of_a_selector(stage: Stage, kubectl: Kubectl) -> None:
    """The source runbook's command; kubectl itself follows at most five pods unless told otherwise."""
    follow = ("logs", "-n", "production", "-l", "app=moshimoshi", "--tail=100", "-f")
    assert "maximum allowed concurrency is 5" in await kubectl.run(*follow, code=1)
    process = await kubectl.start(*follow, "--max-log-requests=10", "--prefix")
    assert process.stdout is not None
    async with asyncio.timeout(30):
        for _ in range(600):
            await process.stdout.readline()
        stage.forward(5)
        fresh = [await process.stdout.readline() for _ in range(6)]
    assert len({line.split(b"/")[1] for line in fresh}) == 6


async def test_port_forward_to_a_deployment(stage: Stage, kubectl: Kubectl) -> None:
    process = await kubectl.start("port-forward", "-n", "production", "deployment/moshimoshi-blue", ":3000")
    assert process.stdout is not None
    async with asyncio.timeout(20):
        said = (await process.stdout.readline()).decode()
        assert said.startswith("Forwarding from 127.0.0.1:")
        url = f"http://127.0.0.1:{said.split(':')[1].split()[0]}"
        for place, answer in (("version", {"version": "0.9.4"}), ("health", {"status": "ok"})):
            assert await stage.get(f"{url}/{place}") == answer
    wrong = await kubectl.start("port-forward", "-n", "production", "deployment/moshimoshi-blue", ":3999")
    assert wrong.stdout is not None
    assert wrong.stderr is not None
    async with asyncio.timeout(20):
        port = (await wrong.stdout.readline()).decode().split(":")[1].split()[0]
        with pytest.raises(aiohttp.ClientError):
            await stage.get(f"http://127.0.0.1:{port}/health")
        seen = b""
        while b"connection refused" not in seen:
            seen += await wrong.stderr.readline()


async def test_interactive_shell_on_a_terminal(kubectl: Kubectl) -> None:
    shell = ("exec", "-it", "-n", "production", "deployment/moshimoshi-blue", "--", "/bin/sh")
    async with asyncio.timeout(30), kubectl.on_a_terminal(*shell) as terminal:
        await terminal.reads("/ $ ")
        for typed, shown in (
            ("hostname\r", "moshimoshi-blue-"),
            ("lsx\x7f\r", "srv"),
            ("nonsense\x03", "^C"),
            ("vi\r", "/bin/sh: vi: not found"),
            ("wget -qO- localhost:3000/version\r", '{"version": "0.9.4"}'),
        ):
            await terminal.types(typed)
            await terminal.reads(shown)
            await terminal.reads("/ $ ")
        await terminal.types("exit 3\r")
        assert await terminal.ends() == 3


async def test_descriptions_of_all_that_a_run_works_on(kubectl: Kubectl) -> None:
    for what, words in (
        (
            "pods",
            ("Liveness:   http-get http://:3000/health delay=0s timeout=1s period=10s", "Container ID:   contain"),
        ),
        ("service/moshimoshi-active", ("Selector:", "version=green", "Endpoints:")),
        ("ingress/moshimoshi-ingress-canary", ("canary-weight: 0", "moshimoshi-blue:80 (10.42.")),
    ):
        text = await kubectl.run("describe", what, "-n", "production")
        for word in words:
            assert word in text


async def test_create_scale_rollout_and_delete(stage: Stage, kubectl: Kubectl) -> None:
    notes = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}, "data": {"a": "b"}}
    await kubectl.run("create", "-f", "-", given=json.dumps(notes).encode())
    assert (await kubectl.run("get", "cm", "notes", "-o", "jsonpath={.data.a}")) == "b"
    changed = {**notes, "data": {"a": "c"}}
    await kubectl.run("apply", "-f", "-", given=json.dumps(changed).encode())
    assert (await kubectl.run("get", "cm", "notes", "-o", "jsonpath={.data.a}")).endswith("c")
    await kubectl.run("delete", "configmap", "notes")
    await kubectl.run("scale", "deployment/moshimoshi-blue", "--replicas=4")
    stage.forward(60)
    assert "successfully rolled out" in await kubectl.run("rollout", "status", "deployment/moshimoshi-blue")
    assert (await stage.state())["tracks"]["blue"]["ready"] == 4


async def test_a_rollout_is_undone_to_the_replica_set_before_it(stage: Stage, kubectl: Kubectl) -> None:
    await stage.deploy("gcr.io/moshimoshi-prod/moshimoshi:1.0.0")
    stage.forward(200)
    await kubectl.run("rollout", "undo", "deployment/moshimoshi-blue")
    stage.forward(200)
    assert (await stage.state())["tracks"]["blue"]["image"].endswith(":0.9.4")
    sets = await kubectl.run("get", "rs", "-l", "version=blue", "--no-headers")
    assert len(sets.splitlines()) == 2
