"""A closer look, the same at the simulator and a real API server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from cockpit.adapters.kubernetes.goals import pod_is_ready
from cockpit.adapters.kubernetes.lens import KubeLens, open_lens
from cockpit.adapters.kubernetes.logs import LogTimes
from cockpit.errors import Conflict, Denied, NotFound
from cockpit.model.lens import Described, DescribedKind, LogQuery
from cockpit.simulator.server import Simulator
from cockpit.tui.lens import Lens

from .stage import CANARY, Stage, http_route, until

TIMES = LogTimes(waiting=0.05, settle=0.05, pause=0.05)


@asynccontextmanager
async def looking(stage: Stage, namespace: str = "", who: tuple[str, str] | None = None) -> AsyncIterator[KubeLens]:
    config, context = who or stage.access.admin
    async with open_lens(config, context, namespace or stage.namespace, times=TIMES) as lens:
        same: Lens = lens
        assert same is lens
        yield lens


def rows(described: Described, title: str) -> dict[str, str]:
    return dict(next(section for section in described.sections if section.title == title).rows)


def lines(described: Described, title: str) -> tuple[str, ...]:
    return next(section for section in described.sections if section.title == title).lines


async def some_pod(stage: Stage) -> str:
    async def look() -> list[str]:
        pods = await stage.client.all_of(stage.at("", "pods"), {"labelSelector": "version=blue"})
        return sorted(pod["metadata"]["name"] for pod in pods if pod_is_ready(pod))

    return (await until(look, lambda names: len(names) == 3))[0]


async def test_pod_is_described(staffed: Stage) -> None:
    name = await some_pod(staffed)
    async with looking(staffed) as lens:
        found = await lens.describe("pod", name)
        assert await lens.containers(name) == ("web",)

    assert (found.kind, found.name) == ("pod", name)
    status, web = rows(found, "Status"), rows(found, "Container web")
    assert status["Phase"] == "Running"
    assert status["Node"] != "none yet"
    assert status["Owner"].startswith("ReplicaSet/web-blue-")
    assert "version=blue" in status["Labels"]
    assert web["Image"] == "web:1.0.0"
    assert web["State"].startswith("running for ")
    assert (web["Ready"], web["Restarts"], web["Ports"]) == ("yes", "0", "8080/TCP")
    assert any(line.startswith("Ready") and "True" in line for line in lines(found, "Conditions"))
    assert any("Scheduled" in line and "×1" in line for line in lines(found, "Events"))


async def test_deployment_is_described_with_both_replica_sets(staffed: Stage) -> None:
    before = await until(lambda: staffed.workloads.deployment("web-green"), lambda state: state.rolled_out)
    await staffed.workloads.set_image(before, "web:2.0.0")
    await until(lambda: staffed.workloads.deployment("web-green"), lambda state: state.rolled_out)
    async with looking(staffed) as lens:
        found = await lens.describe("deployment", "web-green")

    status = rows(found, "Status")
    assert status["Replicas"].startswith("3 desired, 3 updated, 3 ready, 3 available")
    assert status["Strategy"].startswith("RollingUpdate, ")
    assert status["Selector"] == "app=web, version=green"
    head, new, old = lines(found, "ReplicaSets")
    assert head.split() == ["NAME", "REVISION", "READY", "AGE", "IMAGE"]
    assert new.split()[0] == "new"
    assert new.split()[2:4] == ["2", "3/3"]
    assert new.endswith("web:2.0.0")
    assert old.split()[0] == "old"
    assert old.split()[2:4] == ["1", "0/0"]
    assert old.endswith("web:1.0.0")
    assert rows(found, "Container web")["Image"] == "web:2.0.0"
    assert any("ScalingReplicaSet" in line for line in lines(found, "Events"))


async def test_service_and_ingress_are_described(staffed: Stage) -> None:
    async with looking(staffed) as lens:
        service = await until(
            lambda: lens.describe("service", "web-blue"), lambda seen: rows(seen, "Endpoints")["Ready"] != "0"
        )
        ingress = await lens.describe("ingress", CANARY)

    assert rows(service, "Status")["Type"] == "ClusterIP"
    assert rows(service, "Status")["Selector"] == "app=web, version=blue"
    assert lines(service, "Ports")[1].split() == ["-", "80", "8080", "-", "TCP"]
    assert "web-blue-" in lines(service, "Endpoints")[0]
    assert lines(ingress, "Rules")[1].split() == ["web.test", "/", "Prefix", "web-green:80"]
    assert rows(ingress, "nginx annotations") == {"canary": "true", "canary-weight": "0"}


async def test_http_route_is_described(stage: Stage) -> None:
    if not await stage.http_routes_served():
        await stage.define_http_routes()
    await until(stage.http_routes_served, bool)
    await stage.client.create(stage.at("gateway.networking.k8s.io", "httproutes"), http_route((10, 90)))
    async with looking(stage) as lens:
        found = await lens.describe("httproute", "web")
        listed = await lens.workloads()

    assert rows(found, "Status")["Hosts"] == "web.test"
    assert rows(found, "Status")["Parents"] == "Gateway/edge"
    blue, green = lines(found, "Rule 1")
    assert (blue.split(), green.split()) == (
        ["web:80", "weight", "90", "90", "%"],
        ["web-green:80", "weight", "10", "10", "%"],
    )
    assert ("httproute", "web", "web 90, web-green 10") in [(row.kind, row.name, row.state) for row in listed]


async def test_job_is_described(stage: Stage) -> None:
    await stage.create_job()
    async with looking(stage) as lens:
        found = await until(lambda: lens.describe("job", "undo"), lambda seen: lines(seen, "Pods") != ("none",))
    assert rows(found, "Status")["Retries"] == "0"
    assert rows(found, "Container job")["Image"] == "busybox:1.36"
    assert lines(found, "Pods")[1].startswith("undo-")


async def test_workloads_are_listed_with_their_state(staffed: Stage) -> None:
    await until(lambda: staffed.workloads.deployment("web-blue"), lambda state: state.rolled_out)
    await staffed.write_as("test", staffed.at("", "services", "web-green"), {"spec": {"selector": {"app": "nobody"}}})
    async with looking(staffed) as lens:

        async def look() -> dict[tuple[str, str], tuple[str, bool]]:
            return {(row.kind, row.name): (row.state, row.healthy) for row in await lens.workloads()}

        found = await until(look, lambda seen: not seen["service", "web-green"][1])
    assert found["deployment", "web-blue"] == ("3/3 ready", True)
    assert found["service", "web-green"] == ("ClusterIP, 0 ready endpoints", False)
    assert found["ingress", CANARY] == ("canary, weight 0, web.test", True)


KINDS: tuple[DescribedKind, ...] = ("pod", "deployment", "service", "ingress", "job")


async def test_absent_objects_are_not_found(stage: Stage) -> None:
    async with looking(stage) as lens:
        for kind in KINDS:
            with pytest.raises(NotFound):
                await lens.describe(kind, "nobody")
        with pytest.raises(NotFound):
            await lens.containers("nobody")
        with pytest.raises(NotFound):
            await anext(lens.logs(LogQuery("nobody")))
        with pytest.raises(NotFound, match="no ready pod"):
            await lens.forward("deployment/web-blue", 8080)
        with pytest.raises(NotFound, match="No ready pod"):
            await lens.forward("service/web-blue", 80)
        with pytest.raises(NotFound, match="no port 81"):
            await lens.forward("service/web-blue", 81)
        assert lens.forwards() == ()


async def test_missing_rights_are_named(world: object, stage: Stage, request: pytest.FixtureRequest) -> None:
    if "simulator" in request.node.callspec.id:
        pytest.skip("the simulator's observer may read everything")
    async with looking(stage, who=stage.access.observer) as lens:
        for kind in KINDS:
            with pytest.raises(Denied) as denied:
                await lens.describe(kind, "web-blue")
            assert denied.value.hint.startswith("Grant the verb get on ")
        with pytest.raises(Denied):
            await lens.workloads()
        with pytest.raises(Denied):
            await anext(lens.logs(LogQuery("web")))


async def test_shell_and_environment_name_this_cluster(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.test/secret")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    config, context = stage.access.admin
    async with looking(stage) as lens:
        argv, environment = lens.shell("web-1", "web", ("/bin/bash", "-l")), lens.environment()
    assert argv == (
        "kubectl", "--kubeconfig", config, "--context", context, "-n", stage.namespace,
        "exec", "-it", "web-1", "-c", "web", "--", "/bin/bash", "-l",
    )  # fmt: skip
    assert environment["KUBECONFIG"] == config
    assert (environment["PATH"], environment["AWS_PROFILE"]) == (os.environ["PATH"], "prod")
    assert "SLACK_WEBHOOK_URL" not in environment


async def test_several_kubeconfigs_go_by_the_environment(stage: Stage, tmp_path: Path) -> None:
    config, context = stage.access.admin
    other = tmp_path / "other"
    other.write_text("{}")
    both = f"{config}{os.pathsep}{other}"
    async with open_lens(both, context, "n") as lens:
        assert lens.shell("web-1")[:5] == ("env", f"KUBECONFIG={both}", "kubectl", "--context", context)
        assert lens.environment()["KUBECONFIG"] == both


@asynccontextmanager
async def at_simulator(tmp_path: Path, scenario: str = "healthy") -> AsyncIterator[tuple[Simulator, KubeLens, str]]:
    """A simulator, a lens on its namespace, and a pod of blue."""
    async with Simulator(scenario=scenario) as simulator:
        config = simulator.write_kubeconfig(tmp_path / "kubeconfig")
        async with open_lens(str(config), None, "production", times=TIMES) as lens:
            yield simulator, lens, (await lens._forwards._goals.find("deployment/moshimoshi-blue", 1)).pod


async def test_log_is_followed_over_a_line_that_breaks(tmp_path: Path) -> None:
    async with at_simulator(tmp_path) as (simulator, lens, pod):
        await break_log(simulator)
        found: list[str] = []
        async with asyncio.timeout(30), aclosing(lens.logs(LogQuery(pod, tail=20))) as batches:
            async for batch in batches:
                found += batch
                if len(found) >= 22:
                    break
        notes = [text for text in found if text.startswith("──")]
        texts = [text for text in found if not text.startswith("──")]
        assert "trying to read on" in notes[0]
        assert notes[1] == "── reading on ──"
        assert len(set(texts)) == len(texts) == 20
        plain = [text async for batch in lens.logs(LogQuery(pod, follow=False, tail=40)) for text in batch]
        assert " ".join(texts) in " ".join(plain)


async def break_log(simulator: Simulator) -> None:
    """Let the next log end in the middle of a line, and those after it be whole."""
    async with httpx.AsyncClient() as http:
        fault = {"surface": "log", "mode": "close"}
        assert (await http.post(f"{simulator.http_url}/sim/fault", json=fault)).status_code == 200

    async def heal() -> None:
        struck = simulator.world.faults.strike
        hits = 0

        def strike(surface: str, now: float) -> object:
            nonlocal hits
            hits += surface == "log"
            return struck(surface, now) if surface != "log" or hits <= 1 else None

        simulator.world.faults.strike = strike  # type: ignore[assignment,method-assign]

    await heal()


async def test_crashed_container_has_a_previous_log(tmp_path: Path) -> None:
    async with at_simulator(tmp_path) as (_, lens, pod):
        with pytest.raises(NotFound, match="previous terminated container"):
            await anext(lens.logs(LogQuery(pod, previous=True)))


async def test_application_is_reached_through_a_forward(tmp_path: Path) -> None:
    async with at_simulator(tmp_path) as (simulator, lens, pod), httpx.AsyncClient() as http:
        state = await lens.forward("deployment/moshimoshi-blue", 3000)
        for place in ("version", "health"):
            assert (await http.get(f"http://127.0.0.1:{state.local_port}/{place}")).status_code == 200
        assert (state.pod, state.state, state.remote_port) == (pod, "listening", 3000)
        with pytest.raises(Conflict):
            await lens.forward(pod, 3000, state.local_port)
        (now,) = lens.forwards()
        assert (now.connections, now.problem) == (1, "")

        wrong = await lens.forward(pod, 3999)
        with pytest.raises(httpx.TransportError):
            await http.get(f"http://127.0.0.1:{wrong.local_port}/health")
        assert "connection refused" in lens.forwards()[1].problem

        await lens.stop_forward(state.id)
        await lens.stop_forward("nobody")
        assert [each.id for each in lens.forwards()] == [wrong.id]
        with pytest.raises(httpx.TransportError):
            await http.get(f"http://127.0.0.1:{state.local_port}/health")
        assert simulator.world.record.count("portforward") >= 3
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", wrong.local_port)


async def test_forward_finds_another_pod_when_its_own_is_gone(tmp_path: Path) -> None:
    async with at_simulator(tmp_path) as (simulator, lens, _), httpx.AsyncClient() as http:
        state = await lens.forward("service/moshimoshi-blue", 80)
        url = f"http://127.0.0.1:{state.local_port}/health"
        gone = f"{simulator.kube_url}/api/v1/namespaces/production/pods/{state.pod}?gracePeriodSeconds=0"
        assert (await http.delete(gone)).status_code == 200

        async def look() -> int:
            return (await http.get(gone.split("?")[0])).status_code

        await until(look, lambda code: code == 404)
        async with httpx.AsyncClient() as fresh:
            assert (await fresh.get(url)).status_code == 200
        assert lens.forwards()[0].pod not in ("", state.pod)
