"""The stamp on guarded objects and the watch of them, the same against the simulator and a real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import pytest

from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.fence import EPOCH, HOLDER
from cockpit.adapters.kubernetes.guarded_objects import guarded_objects
from cockpit.adapters.kubernetes.guardian import KubeGuardian
from cockpit.adapters.kubernetes.nginx import PREFIX, NginxTraffic
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.errors import Conflict, Denied, Fenced
from cockpit.model.guarded import GuardedChanged
from cockpit.runbook.cluster import Cluster

from .stage import CANARY, Stage, until

SERVICE, ROUTE = "service/web", f"ingress/{CANARY}"
CANDIDATE, STABLE = "deployment/web-green", "deployment/web-blue"


def cluster_of(stage: Stage) -> Cluster:
    tracks = {
        name: {"deployment": f"web-{name}", "service": f"web-{name}", "selector_value": name, "replicas": 1}
        for name in ("blue", "green")
    }
    return Cluster.model_validate(
        {
            "namespace": stage.namespace,
            "app_label": "app=web",
            "tracks": tracks,
            "candidate": "green",
            "stable": "blue",
            "active_service": {"name": "web"},
            "traffic": {"backend": "nginx", "canary_ingress": CANARY},
        }
    )


@dataclass(frozen=True)
class Engine:
    """The adapters of one engine, over a client of its own."""

    client: KubeClient
    guardian: KubeGuardian
    traffic: NginxTraffic
    workloads: KubeWorkloads


@asynccontextmanager
async def engine(stage: Stage) -> AsyncIterator[Engine]:
    async with open_client(*stage.access.admin) as client:
        traffic = NginxTraffic(client, stage.namespace, CANARY)
        guardian = KubeGuardian(client, guarded_objects(cluster_of(stage), traffic))
        yield Engine(client, guardian, traffic, KubeWorkloads(client, stage.namespace))


async def annotations(stage: Stage) -> dict[str, tuple[str | None, str | None]]:
    found = {}
    for key, resource in (
        (SERVICE, stage.at("", "services", "web")),
        (ROUTE, stage.ingress),
        (CANDIDATE, stage.at("apps", "deployments", "web-green")),
        (STABLE, stage.at("apps", "deployments", "web-blue")),
    ):
        known = (await stage.client.get(resource))["metadata"].get("annotations", {})
        found[key] = known.get(EPOCH), known.get(HOLDER)
    return found


async def test_look_tells_the_facts_of_every_guarded_object(stage: Stage) -> None:
    async with engine(stage) as ours:
        seen = {each.key: dict(each.facts) for each in await ours.guardian.look()}
    assert seen == {
        SERVICE: {"selector": '{"app": "web", "version": "blue"}'},
        ROUTE: {"weight": "0", "enabled": "true"},
        CANDIDATE: {"image": "web:1.0.0"},
        STABLE: {"image": "web:1.0.0"},
    }


async def test_a_stamp_is_on_all_that_is_written_and_rolls_nothing_out(stage: Stage) -> None:
    deployment = stage.at("apps", "deployments", "web-green")
    before = await stage.client.get(deployment)
    async with engine(stage) as ours:
        await ours.guardian.stamp(7, "run ada@one")
    assert await annotations(stage) == {
        SERVICE: ("7", "run ada@one"),
        ROUTE: ("7", "run ada@one"),
        CANDIDATE: ("7", "run ada@one"),
        STABLE: (None, None),
    }
    after = await stage.client.get(deployment)
    assert after["spec"] == before["spec"]
    # An annotation of a Deployment makes a new generation, and no new ReplicaSet.
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1


async def test_the_same_stamp_again_writes_nothing(stage: Stage) -> None:
    async with engine(stage) as ours:
        await ours.guardian.stamp(7, "run ada@one")
        first = (await stage.client.get(stage.ingress))["metadata"]["resourceVersion"]
        await ours.guardian.stamp(7, "run ada@one")
    assert (await stage.client.get(stage.ingress))["metadata"]["resourceVersion"] == first


async def test_a_replaced_engine_can_write_none_of_the_guarded_objects(stage: Stage) -> None:
    async with engine(stage) as old, engine(stage) as new:
        await old.guardian.stamp(7, "run ada@one")
        seen = await old.traffic.read()
        service = await old.workloads.service("web")
        deployment = await old.workloads.deployment("web-green")
        await new.guardian.stamp(8, "run eve@two")
        writes = (
            old.traffic.set_weight(seen, 10),
            old.traffic.disable(seen),
            old.workloads.set_selector(service, {"app": "web", "version": "green"}),
            old.workloads.set_image(deployment, "web:2.0.0"),
            old.guardian.confirm(),
            old.guardian.stamp(7, "run ada@one"),
            old.traffic.set_weight(seen, 10, dry_run=True),
        )
        for write in writes:
            with pytest.raises(Fenced, match="commanded by run eve@two since epoch 8") as error:
                await write
            assert (error.value.by, error.value.epoch) == ("run eve@two", 8)
        assert {each.key: dict(each.facts) for each in await new.guardian.look()} == {
            SERVICE: {"selector": '{"app": "web", "version": "blue"}'},
            ROUTE: {"weight": "0", "enabled": "true"},
            CANDIDATE: {"image": "web:1.0.0"},
            STABLE: {"image": "web:1.0.0"},
        }
        await new.traffic.set_weight(seen, 10)
        await new.guardian.confirm()
    assert (await stage.nginx.read()).weight == 10


async def test_of_two_engines_with_one_epoch_only_one_stamps(stage: Stage) -> None:
    async with engine(stage) as first, engine(stage) as second:
        await first.guardian.stamp(7, "run ada@one")
        with pytest.raises(Fenced):
            await second.guardian.stamp(7, "run eve@two")


async def test_a_lost_stamp_is_a_conflict_and_not_a_fence(stage: Stage) -> None:
    async with engine(stage) as ours:
        await ours.guardian.stamp(7, "run ada@one")
        seen = await ours.traffic.read()
        await stage.write_as("kubectl-replace", stage.ingress, {"metadata": {"annotations": {EPOCH: None}}})
        with pytest.raises(Conflict, match="no epoch, expected 7") as error:
            await ours.traffic.set_weight(seen, 10)
        assert not isinstance(error.value, Fenced)
        await ours.guardian.stamp(7, "run ada@one")
        await ours.traffic.set_weight(await ours.traffic.read(), 10)
    assert (await stage.nginx.read()).weight == 10


async def test_others_annotations_stay(stage: Stage) -> None:
    await stage.write_as("team", stage.ingress, {"metadata": {"annotations": {"team/note": "hands off"}}})
    async with engine(stage) as ours:
        await ours.guardian.stamp(7, "run ada@one")
    found = (await stage.client.get(stage.ingress))["metadata"]["annotations"]
    assert found["team/note"] == "hands off"
    assert found[PREFIX + "canary"] == "true"


async def test_the_watch_tells_of_each_object_and_names_the_writer(stage: Stage) -> None:
    async with engine(stage) as ours, aclosing(ours.guardian.watch()) as watch:
        latest: dict[str, GuardedChanged] = {}

        async def follow() -> dict[str, GuardedChanged]:
            change = await anext(watch)
            latest[change.key] = change
            return latest

        await until(follow, lambda seen: len(seen) == 4)
        weight = {"metadata": {"annotations": {PREFIX + "canary-weight": "30"}}}
        await stage.write_as("argocd", stage.ingress, weight)
        seen = (await until(follow, lambda known: _fact(known[ROUTE], "weight") == "30"))[ROUTE].seen
        assert seen is not None
        assert seen.managers["weight"] == "argocd"
        await stage.delete(stage.at("", "services", "web"))
        await until(follow, lambda known: known[SERVICE].seen is None)
        assert await ours.guardian.read(SERVICE) is None


async def test_without_the_right_to_patch_there_is_no_stamp(stage: Stage) -> None:
    async with stage.as_observer() as observer:
        guardian = KubeGuardian(observer.client, guarded_objects(cluster_of(stage), observer.nginx))
        with pytest.raises(Denied):
            await guardian.stamp(7, "run mallory@three")
    assert set((await annotations(stage)).values()) == {(None, None)}


def _fact(change: GuardedChanged, name: str) -> str:
    return change.seen.facts[name] if change.seen else ""
