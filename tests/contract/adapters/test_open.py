"""All adapters at once, opened from the shipped runbook against the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from cockpit.adapters.open import Adapters, Endpoints, open_outside
from cockpit.engine.ports import Outside
from cockpit.errors import NotFound, SecretMissing, UsageError
from cockpit.model.clock import RunClock
from cockpit.model.outside import Message, Purge
from cockpit.runbook.load import load
from cockpit.runbook.schema import Runbook
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.shipped import config_path
from cockpit.simulator.derive import from_runbook
from cockpit.simulator.server import Simulator

MESSAGE = Message("run-1/update-1", "Deployment <started>", "10 % of the traffic & counting")


@pytest.fixture
def runbook() -> Runbook:
    return load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook


@pytest.fixture
async def simulator(runbook: Runbook) -> AsyncIterator[Simulator]:
    clock = RunClock.starting(datetime.now(UTC), speed=20.0)
    async with Simulator(from_runbook(runbook), clock) as simulator:
        yield simulator


@pytest.fixture
async def adapters(runbook: Runbook, simulator: Simulator, tmp_path: Path) -> AsyncIterator[Adapters]:
    at = simulator.addresses()
    values = {"SLACK_WEBHOOK_URL": at["slack"], "STATUSPAGE_API_KEY": "key", "CLOUDFLARE_API_TOKEN": "token"}
    where = Endpoints(
        prometheus=at["prometheus"], registry=at["registry"], statuspage=at["statuspage"], smtp=at["smtp"]
    )
    config = simulator.write_kubeconfig(tmp_path / "kubeconfig")
    async with open_outside(
        runbook,
        SecretStore(runbook.secrets, values),
        kubeconfig=str(config),
        context="simulator",
        endpoints=where,
    ) as adapters:
        yield adapters


async def test_adapters_are_what_the_engine_asks_for(adapters: Adapters, simulator: Simulator) -> None:
    outside = Outside(
        workloads=adapters.workloads,
        traffic=adapters.traffic,
        guardian=adapters.guardian,
        leases=adapters.leases,
        metrics=adapters.metrics,
        http=adapters.http,
        cdn=adapters.cdn,
        registry=adapters.registry,
        programs=adapters.programs,
        messengers=adapters.messengers,
    )

    assert await outside.workloads.server() == simulator.kube_url
    assert outside.traffic.backend == "nginx"
    assert (await outside.traffic.read()).share == 0


async def test_every_query_of_the_runbook_has_an_answer(adapters: Adapters, runbook: Runbook) -> None:
    for metric in runbook.monitoring.metrics:
        answer = await adapters.metrics.query(metric.query.replace("${window}", "2m").replace("${track}", "blue"))
        assert len(answer.samples) == 1, metric.query


async def test_messages_arrive_through_every_channel_but_the_phone(adapters: Adapters, simulator: Simulator) -> None:
    assert set(adapters.messengers) == {"slack", "email", "status-page"}

    for messenger in adapters.messengers.values():
        assert await messenger.send(MESSAGE)

    assert [simulator.world.record.count(kind) for kind in ("slack", "mail", "incident")] == [1, 1, 1]


async def test_cache_is_purged_and_images_are_found(adapters: Adapters, simulator: Simulator) -> None:
    async def quiet(_: str) -> None:
        return None

    api = simulator.addresses()["cloudflare"]
    assert await adapters.cdn.purge(api, "z0", SecretStr("token"), Purge(), 10.0, quiet)
    assert (await adapters.registry.digest(simulator.spec.candidate_image)).startswith("sha256:")
    with pytest.raises(NotFound):
        await adapters.registry.digest(simulator.spec.candidate_image + "-absent")


async def test_command_in_a_pod_and_a_check_through_the_proxy(
    adapters: Adapters, simulator: Simulator, runbook: Runbook
) -> None:
    app, key = runbook.cluster.app_label, runbook.cluster.active_service.selector_key
    async with aclosing(adapters.workloads.watch_pods(app, key)) as changes:
        async for change in changes:
            if change.pods and all(pod.healthy for pod in change.pods):
                break
    assert runbook.cluster.redis is not None

    done = await adapters.workloads.run_in_pod(runbook.cluster.redis, ["redis-cli", "PING"], 5.0)
    assert (done.exit_code, done.stdout.strip(), done.stderr) == (0, "PONG", "")

    stable = runbook.cluster.tracks[runbook.cluster.stable]
    answer = await adapters.workloads.get_through_proxy(stable.service, stable.port, "/health", 5.0)
    assert answer.status == 200


async def test_context_and_secrets_are_asked_for_by_name(
    runbook: Runbook, simulator: Simulator, tmp_path: Path
) -> None:
    config = str(simulator.write_kubeconfig(tmp_path / "kubeconfig"))
    secrets = SecretStore(runbook.secrets, {})
    with pytest.raises(UsageError, match="no context 'production-1'"):
        async with open_outside(runbook, secrets, kubeconfig=config, context="production-1"):
            pass
    async with open_outside(runbook, secrets, kubeconfig=config, context="simulator") as adapters:
        with pytest.raises(SecretMissing, match="SLACK_WEBHOOK_URL"):
            await adapters.messengers["slack"].send(MESSAGE)
