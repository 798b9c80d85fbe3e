"""Deployments, Services, Jobs and pods, the same against the simulator and a real API server."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import aclosing

import pytest

from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.errors import Conflict, Denied, NotFound
from cockpit.model.cluster import PodPlace, RouteState, ServiceState

from .stage import CANARY, MAIN, Stage, http_route, until


async def test_deployment_tells_its_image_and_rolls_out(staffed: Stage) -> None:
    state = await until(lambda: staffed.workloads.deployment("web-blue"), lambda state: state.rolled_out)

    assert (state.name, state.container, state.image) == ("web-blue", "web", "web:1.0.0")
    assert (state.wanted, state.replicas, state.updated, state.available, state.ready) == (3, 3, 3, 3, 3)
    assert state.problem == ""


async def test_named_container_is_found_and_another_is_not(stage: Stage) -> None:
    assert (await stage.workloads.deployment("web-blue", "web")).container_index == 0
    with pytest.raises(NotFound, match="sidecar"):
        await stage.workloads.deployment("web-blue", "sidecar")


async def test_absent_objects_are_not_found(stage: Stage) -> None:
    for ask in (stage.workloads.deployment, stage.workloads.service, stage.workloads.jobs.state):
        with pytest.raises(NotFound):
            await ask("nobody")


async def test_new_image_rolls_out(staffed: Stage) -> None:
    before = await until(lambda: staffed.workloads.deployment("web-green"), lambda state: state.rolled_out)

    await staffed.workloads.set_image(before, "web:2.0.0")

    after = await staffed.workloads.deployment("web-green")
    assert (after.image, after.generation) == ("web:2.0.0", before.generation + 1)
    await until(lambda: staffed.workloads.deployment("web-green"), lambda state: state.rolled_out)


async def test_image_that_is_there_already_is_left_alone(stage: Stage) -> None:
    before = await stage.workloads.deployment("web-green")
    await stage.workloads.set_image(before, "web:2.0.0")
    written = await stage.workloads.deployment("web-green")

    await stage.workloads.set_image(before, "web:2.0.0")

    assert (await stage.workloads.deployment("web-green")).generation == written.generation


async def test_stale_image_is_a_conflict_that_names_the_other_writer(stage: Stage) -> None:
    before = await stage.workloads.deployment("web-green")
    container = {"name": "web", "image": "web:other"}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    await stage.write_as("argocd", stage.at("apps", "deployments", "web-green"), patch)

    with pytest.raises(Conflict, match=r"runs web:other, expected web:1\.0\.0, written by argocd"):
        await stage.workloads.set_image(before, "web:2.0.0")

    assert (await stage.workloads.deployment("web-green")).image == "web:other"


async def test_dry_run_changes_nothing(stage: Stage) -> None:
    deployment, service = await stage.workloads.deployment("web-green"), await stage.workloads.service("web")

    await stage.workloads.set_image(deployment, "web:2.0.0", dry_run=True)
    await stage.workloads.set_selector(service, {"app": "web", "version": "green"}, dry_run=True)

    assert (await stage.workloads.deployment("web-green")).image == "web:1.0.0"
    assert (await stage.workloads.service("web")).selector == service.selector


async def test_dry_run_of_what_the_server_refuses_is_refused(stage: Stage) -> None:
    before = await stage.workloads.deployment("web-green")

    with pytest.raises(Conflict):
        await stage.workloads.set_image(before, "", dry_run=True)


async def test_selector_is_replaced_whole(stage: Stage) -> None:
    before = await stage.workloads.service("web")

    await stage.workloads.set_selector(before, {"version": "green"})

    assert (await stage.workloads.service("web")).selector == {"version": "green"}


async def test_stale_selector_is_a_conflict_that_names_the_other_writer(stage: Stage) -> None:
    before = await stage.workloads.service("web")
    await stage.write_as("flux", stage.at("", "services", "web"), {"spec": {"selector": {"version": "red"}}})

    with pytest.raises(Conflict, match=r"selector is app=web,version=red, expected app=web,version=blue.*by flux"):
        await stage.workloads.set_selector(before, {"app": "web", "version": "green"})


async def test_ready_endpoints_follow_the_selector(staffed: Stage) -> None:
    def look() -> Awaitable[ServiceState]:
        return staffed.workloads.service("web", endpoints=True)

    # All hollow pods of the throwaway control plane have one address, which counts once.
    service = await until(look, lambda seen: (seen.ready_endpoints or 0) >= 1)
    assert (await staffed.workloads.service("web")).ready_endpoints is None

    await staffed.workloads.set_selector(service, {"app": "nobody"})

    await until(look, lambda seen: seen.ready_endpoints == 0)


async def test_endpoints_and_pods_name_each_other(staffed: Stage) -> None:
    def look() -> Awaitable[tuple[PodPlace, ...]]:
        return staffed.workloads.pods("app=web", "version")

    places = await until(look, lambda seen: len(seen) == 6 and all(each.pod.healthy for each in seen))
    assert sorted({(place.pod.name[:9], place.pod.track) for place in places}) == [
        ("web-blue-", "blue"),
        ("web-green", "green"),
    ]
    blue = {place.pod.name: place.address for place in places if place.pod.track == "blue"}
    assert all(blue.values())
    only = await staffed.workloads.pods("app=web,version=blue")
    assert [(place.pod.name, place.pod.track, place.address) for place in only] == [
        (name, "", address) for name, address in sorted(blue.items())
    ]

    service = await until(
        lambda: staffed.workloads.service("web", endpoints=True),
        lambda seen: {each.address for each in seen.endpoints or ()} == set(blue.values()),
    )
    assert all(blue[endpoint.pod] == endpoint.address for endpoint in service.endpoints or ())
    every = {each.name: each for each in await staffed.workloads.services(endpoints=True)}
    assert every["web"].endpoints == service.endpoints
    assert {each.pod for each in every["web-green"].endpoints or ()}.isdisjoint(blue)


async def test_services_and_routes_are_listed(stage: Stage) -> None:
    services = await stage.workloads.services()
    assert {service.name for service in services} == {"web", "web-blue", "web-green"}
    assert {service.endpoints for service in services} == {None}
    assert {service.endpoints for service in await stage.workloads.services(endpoints=True)} == {()}
    routes = await stage.workloads.routes()
    assert [(route.name, route.hosts, route.kind) for route in routes] == [
        (CANARY, ("web.test",), "Ingress"),
        (MAIN, ("web.test",), "Ingress"),
    ]
    assert routes[0].backends == ("web-green",)


async def test_http_routes_are_listed_with_their_backends(stage: Stage) -> None:
    if not await stage.http_routes_served():
        await stage.define_http_routes()
        await until(stage.http_routes_served, bool)
    route = http_route((50, 50))
    route["spec"]["rules"][0]["backendRefs"].append({"name": "far", "namespace": "elsewhere", "port": 80})
    async with open_client(*stage.access.admin) as client:
        workloads = KubeWorkloads(client, stage.namespace)
        await client.create(stage.at("gateway.networking.k8s.io", "httproutes"), route)
        found = [each for each in await workloads.routes() if each.kind == "HTTPRoute"]

    assert found == [RouteState("web", ("web.test",), "HTTPRoute", ("web", "web-green"))]


async def test_observer_is_denied_with_the_missing_right(stage: Stage) -> None:
    seen = await stage.workloads.deployment("web-green")
    async with stage.as_observer() as observer:
        with pytest.raises(Denied, match=r"patch deployments\.apps web-green") as denied:
            await observer.workloads.set_image(seen, "web:2.0.0")

    assert denied.value.hint == f"Grant the verb patch on deployments.apps in namespace {stage.namespace}."


async def test_pods_are_watched_from_birth_to_end(staffed: Stage) -> None:
    async with aclosing(staffed.workloads.watch_pods("app=web", "version")) as changes:
        async for change in changes:
            assert change.stale_since is None, change.problem
            if len(change.pods) == 6 and all(pod.healthy and pod.status == "Running" for pod in change.pods):
                break
        assert sorted(pod.track for pod in change.pods) == ["blue"] * 3 + ["green"] * 3
        assert all(pod.created is not None and pod.restarts == 0 for pod in change.pods)

        victim = change.pods[0]
        await staffed.delete(staffed.at("", "pods", victim.name))
        async for change in changes:
            names = {pod.name for pod in change.pods}
            if victim.name not in names and len(names) == 6:
                break
        assert change.stale_since is None
