"""Deploy, switch and comparison through the real adapters: the objects of the cluster are the proof."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from cockpit.adapters.registry import ImageRegistry
from cockpit.adapters.web import web_client
from cockpit.engine.actions.base import ActionFailure, Done
from cockpit.engine.actions.base import World as ActionWorld
from cockpit.engine.actions.registry import HANDLERS
from cockpit.engine.core import port
from cockpit.engine.plan import find_action
from cockpit.engine.ports import Outside
from cockpit.errors import NotFound
from cockpit.model.clock import RunClock
from cockpit.model.run import ActionState, RunState, TrafficState
from cockpit.model.status import ActionStatus
from cockpit.runbook.load import load
from cockpit.runbook.schema import Runbook
from tests.printed import nothing_printed

from ..test_run_on_a_real_cluster import adapted
from .registries import REPOSITORY, docker_registry, push
from .stage import CANARY, Stage, until
from .test_rollout import change, ghosts, real, template, write_status

SPEED = 20.0


@dataclass
class Actor:
    """Carries out actions of the minimal runbook on a stage, twenty times faster than the clock on the wall."""

    stage: Stage
    book: Runbook
    registry: Any = None
    state: RunState = field(default_factory=RunState)
    told: list[str] = field(default_factory=list)
    clock: RunClock = field(default_factory=lambda: RunClock.starting(datetime.now(UTC), SPEED))

    async def perform(self, name: str, seconds: float = 60.0, rollback: bool = False) -> Done:
        """Plan and execute within so many real seconds; a success is remembered as the engine would."""
        action = find_action(self.book, name)
        assert action is not None
        handler, world = HANDLERS[action.kind], self._world(seconds, rollback)
        done: Done = await handler.execute(world, action, await handler.plan(world, action))
        known = ActionState(ActionStatus.DONE, ended_at=datetime.now(UTC), facts=done.facts)
        self.state = replace(self.state, actions={**self.state.actions, name: known})
        return done

    def commanded(self, weight: int, active: str, canary: bool) -> None:
        self.state = replace(self.state, traffic=TrafficState(weight, active, canary, datetime.now(UTC)))

    def _world(self, seconds: float, rollback: bool) -> ActionWorld:
        async def say(message: str) -> None:
            self.told.append(message)

        outside = {name: None for name in Outside.__dataclass_fields__}
        parts = {"workloads": self.stage.workloads, "traffic": self.stage.nginx, "registry": self.registry}
        return ActionWorld(
            run="test",
            book=self.book,
            state=self.state,
            outside=Outside(**cast(Any, outside | parts)),
            clock=port(self.clock),
            lookup=lambda name: SecretStr(name),
            pods=lambda: (),
            say=say,
            emit=nothing_printed,
            deadline=seconds or 60.0,
            context="",
            real_seconds=lambda seconds: seconds / SPEED,
            rollback=rollback,
            ends=asyncio.get_running_loop().time() + seconds if seconds else math.inf,
        )


@pytest.fixture
def act(staffed: Stage, tmp_path: Path) -> Actor:
    return actor(staffed, tmp_path)


def actor(stage: Stage, directory: Path, edit: Callable[[str], str] = lambda text: text) -> Actor:
    path = directory / "runbook.yaml"
    path.write_text(edit(adapted()))
    variables = {"NAMESPACE": stage.namespace, "IMAGE": "web", "VERSION": "2.0.0"}
    return Actor(stage, load(path, variables).runbook)


async def ready(stage: Stage, tracks: Sequence[str] = ("web-blue", "web-green")) -> None:
    for track in tracks:
        await until(partial(stage.workloads.deployment, track), lambda seen: seen.rolled_out, 60)


async def versions(stage: Stage, *resources: Any) -> list[str]:
    return [(await stage.client.get(each))["metadata"]["resourceVersion"] for each in resources]


async def test_deploy_to_its_end_and_a_second_one_that_writes_nothing(act: Actor) -> None:
    await ready(act.stage)

    done = await act.perform("deploy-green")

    assert done.message == "3/3 ready with web:2.0.0"
    pods = await act.stage.client.all_of(act.stage.at("", "pods"), {"labelSelector": "version=green"})
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    assert [pod["spec"]["containers"][0]["image"] for pod in alive] == ["web:2.0.0"] * 3
    assert act.told
    assert len(act.told) == len(set(act.told))
    written = (await act.stage.workloads.deployment("web-green")).generation

    assert (await act.perform("deploy-green")).message == done.message
    assert (await act.stage.workloads.deployment("web-green")).generation == written


async def test_deploy_to_a_paused_deployment_changes_nothing(act: Actor) -> None:
    await change(act.stage, {"spec": {"paused": True}})

    with pytest.raises(ActionFailure, match="is paused"):
        await act.perform("deploy-green")
    assert (await act.stage.workloads.deployment("web-green")).image == "web:1.0.0"


@real
async def test_deploy_that_cannot_be_scheduled_ends_with_the_schedulers_words(act: Actor) -> None:
    await ready(act.stage, ("web-green",))
    await change(act.stage, template(nodeSelector={"disk": "none-such"}))

    with pytest.raises(ActionFailure, match=r"not done within .* cannot be scheduled: 0/\d+ nodes") as failed:
        await act.perform("deploy-green", 8)

    assert "node selector" in failed.value.hint
    assert (await act.stage.workloads.deployment("web-green")).image == "web:2.0.0"


@real
async def test_deploy_against_a_quota_ends_when_it_does_not_heal(act: Actor) -> None:
    await ready(act.stage)
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "6"}}}
    await act.stage.client.create(act.stage.at("", "resourcequotas"), quota)
    where = act.stage.at("", "resourcequotas", "few")
    await until(partial(act.stage.client.get, where), lambda seen: seen.get("status", {}).get("used") == {"pods": "6"})

    with pytest.raises(ActionFailure, match=r"deployment/web-green: FailedCreate: .*exceeded quota: few"):
        await act.perform("deploy-green")
    assert any("exceeded quota" in text for text in act.told)


@real
async def test_deploy_of_a_version_that_crashes_ends_with_its_exit_code(stage: Stage, tmp_path: Path) -> None:
    act = actor(stage, tmp_path, lambda text: text.replace('image: "${IMAGE}:${VERSION}"', "image: web:1.0.0"))
    for name in await ghosts(stage, 2):
        waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
        ended = {"terminated": {"exitCode": 3, "reason": "Error"}}
        await write_status(stage, name, state=waiting, lastState=ended, restartCount=2)

    with pytest.raises(ActionFailure, match=r"and 1 more: container web ends again and again: exit code 3 \(Error\)"):
        await act.perform("deploy-green")


@real
async def test_deploy_looks_its_image_up_in_the_registry(staffed: Stage, tmp_path: Path) -> None:
    await ready(staffed, ("web-green",))
    async with docker_registry(tmp_path) as host, web_client() as client:
        digest = await push(host, "2.0.0")
        for tag in ("2.0.1", "2.0.0"):
            image = f"{host}/{REPOSITORY}:{tag}"

            def edit(text: str, image: str = image) -> str:
                return text.replace('image: "${IMAGE}:${VERSION}", verify_image: false', f'image: "{image}"')

            act = actor(staffed, tmp_path, edit)
            act.registry = ImageRegistry(client, environ={"HOME": str(tmp_path)})
            if tag == "2.0.1":
                with pytest.raises(NotFound, match=r"2\.0\.1 does not exist"):
                    await act.perform("deploy-green")
                assert (await staffed.workloads.deployment("web-green")).image == "web:1.0.0"
        action = find_action(act.book, "deploy-green")
        planned = await HANDLERS["deploy"].plan(act._world(10, False), action)
        assert f"({digest[:19]})" in planned.request
        assert (await act.perform("deploy-green")).facts == {"image": image}


async def test_switch_is_proved_by_the_pods_and_a_second_one_writes_nothing(act: Actor) -> None:
    await ready(act.stage)
    service = act.stage.at("", "services", "web")

    done = await act.perform("switch-green")

    assert done.message == "service/web points at green, 3 endpoints ready"
    assert (await act.stage.client.get(service))["spec"]["selector"] == {"app": "web", "version": "green"}
    seen = await act.stage.workloads.service("web", endpoints=True)
    assert seen.endpoints
    assert all(endpoint.pod.startswith("web-green-") for endpoint in seen.endpoints)
    written = await versions(act.stage, service)

    assert (await act.perform("switch-green")).message == done.message
    assert await versions(act.stage, service) == written

    back = await act.perform("back-switch", rollback=True)
    assert back.message == "service/web points at blue, 3 endpoints ready"


async def test_switch_to_pods_that_are_not_there_changes_nothing(act: Actor) -> None:
    await ready(act.stage)
    await change(act.stage, {"spec": {"replicas": 1}})
    await until(
        partial(act.stage.workloads.pods, "app=web,version=green"),
        lambda places: sum(place.pod.status == "Running" for place in places) == 1,
    )

    with pytest.raises(ActionFailure, match="app=web,version=green has 1 of 2 pods ready"):
        await act.perform("switch-green")
    assert (await act.stage.workloads.service("web")).selector == {"app": "web", "version": "blue"}


async def test_comparison_after_a_whole_run(act: Actor) -> None:
    await ready(act.stage)
    await act.perform("deploy-green")
    await act.perform("switch-green")
    await act.perform("canary-off")
    act.commanded(0, "green", canary=False)

    done = await act.perform("workloads-green")

    assert done.message == (
        "green 3 pods ready, green runs web:2.0.0, 3 services, web points at green, 1 of 1 expected routes, canary off"
    )


async def test_comparison_names_what_others_have_done(act: Actor) -> None:
    await ready(act.stage)
    await act.perform("deploy-green")
    await act.perform("switch-green")
    await act.perform("canary-off")
    act.commanded(0, "green", canary=False)
    stage = act.stage
    await stage.write_as("kubectl", stage.ingress, {"metadata": {"annotations": CANARY_ON}})
    await stage.delete(stage.at("", "services", "web-green"))
    await change(stage, {"spec": {"paused": True, **template(terminationGracePeriodSeconds=1)["spec"]}})
    container = {"name": "web", "image": "web:1.0.0", "ports": [{"containerPort": 8080}]}
    await change(stage, template(containers=[container]))
    await stage.write_as("flux", stage.at("", "services", "web"), {"spec": {"selector": {"version": "blue"}}})

    with pytest.raises(ActionFailure) as failed:
        await act.perform("workloads-green")

    words = str(failed.value).split("; ")
    assert "deployment/web-green runs web:1.0.0, but this run deployed web:2.0.0" in words
    assert "deployment/web-green is paused (spec.paused)" in words
    assert "service/web-green is missing" in words
    assert "service/web points at blue, expected green" in words
    assert f"Ingress {CANARY} sends requests to service/web-green, which does not exist" in words
    assert f"{CANARY} is still on with weight 30 %, but it should be out of service" in words


CANARY_ON = {
    "nginx.ingress.kubernetes.io/canary": "true",
    "nginx.ingress.kubernetes.io/canary-weight": "30",
}
