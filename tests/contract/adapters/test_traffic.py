"""Both traffic backends, the same against the simulator and a real API server."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from cockpit.adapters.kubernetes.nginx import PREFIX
from cockpit.errors import BadAnswer, Conflict, Denied, NotFound
from cockpit.model.cluster import CanaryState

from .stage import CANARY, Stage, http_route, until


async def written(stage: Stage) -> dict[str, str]:
    found = await stage.client.get(stage.ingress)
    return {key.removeprefix(PREFIX): value for key, value in found["metadata"].get("annotations", {}).items()}


async def annotate(stage: Stage, manager: str, values: Mapping[str, str | None]) -> None:
    named = {PREFIX + key: value for key, value in values.items()}
    await stage.write_as(manager, stage.ingress, {"metadata": {"annotations": named}})


async def by_hand(command: str, kubeconfig: str, cache: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    argv = [*shlex.split(command), "--kubeconfig", kubeconfig, "--cache-dir", str(cache)]
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 0, said


async def test_weight_is_written_and_read_back(stage: Stage) -> None:
    traffic = stage.nginx
    assert await traffic.read() == CanaryState(CANARY, 0, True)

    await traffic.set_weight(await traffic.read(), 10)
    await traffic.set_weight(await traffic.read(), 50)

    assert await traffic.read() == CanaryState(CANARY, 50, True)
    assert await written(stage) == {"canary": "true", "canary-weight": "50"}


async def test_weight_can_be_written_again_without_reading(stage: Stage) -> None:
    traffic = stage.nginx
    await traffic.set_weight(CanaryState(CANARY, 0, True), 10)
    await traffic.set_weight(CanaryState(CANARY, 10, True), 100)

    assert (await traffic.read()).share == 100


async def test_disabled_canary_gets_nothing_and_can_be_enabled(stage: Stage) -> None:
    traffic = stage.nginx
    await traffic.set_weight(await traffic.read(), 100)

    await traffic.disable(await traffic.read())

    off = await traffic.read()
    assert (off.enabled, off.share) == (False, 0)
    assert await written(stage) == {"canary": "false", "canary-weight": "0"}
    await traffic.set_weight(off, 10)
    assert (await traffic.read()).share == 10


@pytest.mark.parametrize("present", [{}, {"canary": "true"}, {"canary-weight": "30"}])
async def test_absent_annotations_are_added(stage: Stage, present: dict[str, str]) -> None:
    await annotate(stage, "kubectl", {key: present.get(key) for key in ("canary", "canary-weight")})

    await stage.nginx.set_weight(await stage.nginx.read(), 20)

    assert await written(stage) == {"canary": "true", "canary-weight": "20"}


async def test_stale_weight_is_a_conflict_that_names_the_other_writer(stage: Stage) -> None:
    traffic = stage.nginx
    seen = await traffic.read()
    await annotate(stage, "kubectl-patch", {"canary-weight": "77"})

    with pytest.raises(Conflict, match="on at weight 77, expected on at weight 0, written by kubectl-patch"):
        await traffic.set_weight(seen, 10)

    assert (await traffic.read()).weight == 77


async def test_weight_that_is_there_already_is_no_conflict(stage: Stage) -> None:
    traffic = stage.nginx
    seen = await traffic.read()
    await annotate(stage, "kubectl-patch", {"canary-weight": "10"})

    await traffic.set_weight(seen, 10)

    assert (await traffic.read()).weight == 10


async def test_dry_run_of_a_weight_changes_nothing(stage: Stage) -> None:
    traffic = stage.nginx
    seen = await traffic.read()

    await traffic.set_weight(seen, 50, dry_run=True)
    await traffic.disable(seen, dry_run=True)

    assert await traffic.read() == seen


async def test_notes_tell_what_overrides_the_weight(stage: Stage) -> None:
    rules = {"canary-by-header": "X-Beta", "canary-by-cookie": "beta", "affinity": "cookie"}
    await annotate(stage, "kubectl", {**rules, "canary-weight-total": "200"})
    traffic = stage.nginx

    await traffic.set_weight(await traffic.read(), 25)

    state = await traffic.read()
    assert state.weight == 25
    assert (await written(stage))["canary-weight"] == "50"
    assert [note.split()[0] for note in state.notes] == [
        "canary-by-header=X-Beta",
        "canary-by-cookie=beta",
        "canary-weight",
        "session",
    ]


async def test_commands_do_by_hand_what_the_adapter_does(stage: Stage, tmp_path: Path) -> None:
    path, _ = stage.access.admin
    for weight, share in ((30, 30), (0, 0)):
        (command,) = stage.nginx.commands(weight)
        await by_hand(command, path, tmp_path)
        assert (await stage.nginx.read()).share == share


async def test_absent_ingress_is_not_found_and_observer_denied(stage: Stage) -> None:
    seen = await stage.nginx.read()
    async with stage.as_observer() as observer:
        with pytest.raises(Denied):
            await observer.nginx.set_weight(seen, 10)
    await stage.delete(stage.ingress)
    with pytest.raises(NotFound):
        await stage.nginx.read()


@pytest.mark.parametrize(("weights", "now"), [((None, None), 50), ((0, 100), 0), ((None, 3), 25)])
async def test_route_weights_always_sum_to_100(
    gateway: Stage, weights: tuple[int | None, int | None], now: int
) -> None:
    await gateway.client.create(gateway.at("gateway.networking.k8s.io", "httproutes"), http_route(weights))
    traffic = gateway.gateway
    seen = await traffic.read()
    assert seen.weight == now

    await traffic.set_weight(seen, 10)

    route = await gateway.client.get(gateway.at("gateway.networking.k8s.io", "httproutes", "web"))
    (rule,) = route["spec"]["rules"]
    assert [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]] == [("web-blue", 90), ("web-green", 10)]
    assert rule["timeouts"] == {"request": "10s"}
    assert (await traffic.read()).share == 10


async def test_route_is_taken_out_of_service_with_both_weights(gateway: Stage) -> None:
    await gateway.client.create(gateway.at("gateway.networking.k8s.io", "httproutes"), http_route((50, 50)))
    traffic = gateway.gateway
    seen = await traffic.read()

    await traffic.disable(seen, dry_run=True)
    assert (await traffic.read()).share == 50
    await traffic.disable(seen)

    assert (await traffic.read()).enabled is False
    with pytest.raises(Conflict, match="weight is 0, expected 50"):
        await traffic.set_weight(seen, 10)


async def test_route_without_both_backends_is_refused(gateway: Stage) -> None:
    route = http_route((0, 100))
    route["spec"]["rules"][0]["backendRefs"].pop()
    await gateway.client.create(gateway.at("gateway.networking.k8s.io", "httproutes"), route)

    with pytest.raises(BadAnswer, match="web-green and web-blue"):
        await gateway.gateway.read()


async def test_routes_list_both_kinds(gateway: Stage) -> None:
    await gateway.client.create(gateway.at("gateway.networking.k8s.io", "httproutes"), http_route((0, 100)))

    assert [route.name for route in await gateway.workloads.routes()] == [CANARY, "web"]


async def test_commands_of_a_route_do_by_hand_what_the_adapter_does(gateway: Stage, tmp_path: Path) -> None:
    await gateway.client.create(gateway.at("gateway.networking.k8s.io", "httproutes"), http_route((0, 100)))
    traffic = gateway.gateway
    await traffic.read()
    (command,) = traffic.commands(40)

    path, _ = gateway.access.admin
    await by_hand(command, path, tmp_path)

    assert (await traffic.read()).share == 40


@pytest.fixture
async def gateway(stage: Stage) -> Stage:
    """The stage, with the HTTPRoute resource known to the API server."""
    if "v1" not in await stage.client.versions("gateway.networking.k8s.io"):
        await stage.define_http_routes()
    await until(lambda: stage.http_routes_served(), bool)
    return stage
