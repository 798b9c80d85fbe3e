"""The workloads action: every difference in words, and a short summary when all is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cockpit.engine.actions.base import ActionFailure
from cockpit.errors import NotFound
from cockpit.model.cluster import CanaryState, DeploymentState, Endpoint, Pod, PodPlace, RouteState, ServiceState
from tests.fake_time import FAKE_TIME

from .actors import Actor, actor
from .world import FakeTraffic

pytestmark = FAKE_TIME
IMAGE = "moshi:1.0.0"
ROUTES = (
    RouteState("moshimoshi-ingress", (), "Ingress", ("moshimoshi-active",)),
    RouteState("moshimoshi-ingress-canary", (), "Ingress", ("moshimoshi-blue",)),
)


def validated() -> Actor:
    """A run in its validation: deployed, switched, canary off."""
    act = actor()
    act.world.active, act.world.canary, act.world.images["blue"] = "blue", False, IMAGE
    act.done("deploy-blue", image=IMAGE)
    act.done("switch-blue", selector='{"app": "moshimoshi", "version": "blue"}')
    act.commanded(0, "blue", canary=False)
    act.workloads.listed = ROUTES
    return act


async def differences(act: Actor, action: str = "workloads-blue", rollback: bool = False) -> list[str]:
    with pytest.raises(ActionFailure) as failed:
        await act.perform(action, rollback)
    assert "kubectl -n production get deployments" in failed.value.hint
    return str(failed.value).split("; ")


async def test_all_is_well() -> None:
    done = await validated().perform("workloads-blue")

    assert done.message == (
        f"blue 3/3 pods ready, blue runs {IMAGE}, 3 services, moshimoshi-active points at blue, "
        "2 of 2 expected routes, canary off"
    )


async def test_everything_that_differs_is_named_at_once() -> None:
    act = validated()
    act.world.available["blue"] = 1
    act.world.canary, act.world.weight = True, 30
    act.workloads.listed = ROUTES[1:]

    assert await differences(act) == [
        "blue: 1 of 3 pods ready (moshimoshi-blue-1 Running 0/1, moshimoshi-blue-2 Running 0/1)",
        "deployment/moshimoshi-blue has not finished its rollout: 3 of 3 updated, 1 available, 3 in all",
        "route moshimoshi-ingress is missing",
        "moshimoshi-ingress-canary is still on with weight 30 %, but it should be out of service",
    ]


def pod(name: str, track: str, status: str = "Running", ready: int = 1, restarts: int = 0) -> PodPlace:
    return PodPlace(
        Pod(name=name, track=track, ready=ready, containers=1, status=status, restarts=restarts), "10.1.1.1"
    )


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (pod("old-1", "red"), "pods of no track: old-1 (version=red)"),
        (pod("old-1", ""), "pods of no track: old-1 (version=none)"),
        (pod("x", "blue", "CrashLoopBackOff", 0, 7), "blue: x CrashLoopBackOff 0/1, 7 restarts"),
        (pod("x", "blue", "ImagePullBackOff", 0), "blue: x ImagePullBackOff 0/1"),
    ],
)
async def test_pods(extra: PodPlace, words: str) -> None:
    act = validated()
    act.workloads.as_pods = lambda places: (*places, extra)

    assert await differences(act) == [words]


@pytest.mark.parametrize(
    "extra",
    [
        pod("job-1", "", "Completed", 0),
        pod("old-1", "red", "Terminating", 0),
        pod("x", "green", "CrashLoopBackOff", 0),
        pod("x", "blue", "Pending", 0),
    ],
)
async def test_pods_that_are_nobodys_business(extra: PodPlace) -> None:
    """Work that is done, the track that is not checked, and a pod more than the runbook asks for."""
    act = validated()
    act.workloads.as_pods = lambda places: (*places, extra)

    await act.perform("workloads-blue")


DEPLOYMENTS: list[tuple[Callable[[DeploymentState], DeploymentState], str]] = [
    (lambda seen: replace(seen, image="moshi:0.9"), f"runs moshi:0.9, but this run deployed {IMAGE}"),
    (
        lambda seen: replace(seen, wanted=2, replicas=2, updated=2, available=2),
        "asks for 2 pods, the runbook for 3",
    ),
    (lambda seen: replace(seen, paused=True), "is paused (spec.paused)"),
    (lambda seen: replace(seen, problem="FailedCreate: exceeded quota"), "says FailedCreate: exceeded quota"),
    (
        lambda seen: replace(seen, updated=1, replicas=4),
        "has not finished its rollout: 1 of 3 updated, 3 available, 4 in all",
    ),
]


@pytest.mark.parametrize(("change", "words"), DEPLOYMENTS)
async def test_deployments(change: Any, words: str) -> None:
    act = validated()
    act.workloads.as_deployment = change

    assert await differences(act) == [f"deployment/moshimoshi-blue {words}"]


async def test_missing_deployment() -> None:
    def gone(_: DeploymentState) -> DeploymentState:
        raise NotFound("it does not exist")

    act = validated()
    act.workloads.as_deployment = gone

    assert await differences(act) == ["deployment/moshimoshi-blue is missing"]


async def test_image_counts_only_when_this_run_deployed_it() -> None:
    act = actor()
    act.workloads.listed = ROUTES
    act.world.active = "blue"

    assert "blue runs app:old" in (await act.perform("workloads-blue")).message


SERVICES: list[tuple[Callable[[ServiceState], ServiceState], list[str]]] = [
    (
        lambda seen: replace(seen, name="other") if seen.name == "moshimoshi-green" else seen,
        ["service/moshimoshi-green is missing"],
    ),
    (
        lambda seen: replace(seen, endpoints=()) if seen.name == "moshimoshi-blue" else seen,
        ["service/moshimoshi-blue has no ready endpoints"],
    ),
    (
        lambda seen: (
            replace(seen, selector={"app": "other", "version": "blue"}) if seen.name == "moshimoshi-active" else seen
        ),
        [
            'service/moshimoshi-active selects {"app": "other", "version": "blue"}, '
            'but this run wrote {"app": "moshimoshi", "version": "blue"}'
        ],
    ),
    (
        lambda seen: (
            replace(seen, endpoints=(*(seen.endpoints or ()), Endpoint("moshimoshi-green-0", "10.0.1.0")))
            if seen.name == "moshimoshi-active"
            else seen
        ),
        ["service/moshimoshi-active still has endpoints that are not of blue: moshimoshi-green-0"],
    ),
]


@pytest.mark.parametrize(("change", "words"), SERVICES)
async def test_services(change: Any, words: list[str]) -> None:
    act = validated()
    act.workloads.as_service = change

    assert await differences(act) == words


async def test_active_service_that_points_elsewhere() -> None:
    act = validated()
    act.world.active = "green"

    assert await differences(act) == ["service/moshimoshi-active points at green, expected blue"]


async def test_track_that_is_not_checked_may_have_no_endpoints() -> None:
    act = validated()
    act.world.available["green"] = 0

    await act.perform("workloads-blue")


@pytest.mark.parametrize("kind", ["Ingress", "HTTPRoute"])
async def test_route_to_a_service_that_is_not_there(kind: str) -> None:
    act = validated()
    act.workloads.listed = (replace(ROUTES[0], kind=kind, backends=("web", "moshimoshi-active")), ROUTES[1])

    words = f"{kind} moshimoshi-ingress sends requests to service/web, which does not exist"
    assert await differences(act) == [words]


async def test_route_of_somebody_else_is_not_judged() -> None:
    act = validated()
    act.workloads.listed = (*ROUTES, RouteState("theirs", (), "Ingress", ("absent",)))

    await act.perform("workloads-blue")


async def test_share_that_this_run_did_not_set() -> None:
    act = validated()
    act.commanded(50, "green", canary=True)
    act.world.canary, act.world.weight = True, 30

    assert await differences(act) == ["moshimoshi-ingress-canary has weight 30 %, but this run set 50 %"]


async def test_route_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_: FakeTraffic) -> CanaryState:
        raise NotFound("ingress moshimoshi-ingress-canary does not exist")

    monkeypatch.setattr(FakeTraffic, "read", gone)
    act = validated()
    await act.perform("workloads-blue")
    act.commanded(50, "green", canary=True)

    assert await differences(act) == ["the candidate's route is gone"]


async def test_on_the_way_back_the_candidate_may_be_in_any_state() -> None:
    act = validated()
    act.world.active, act.world.available["blue"] = "green", 0
    act.workloads.as_pods = lambda places: (*places, pod("old-1", "red"))

    assert (await act.perform("back-workloads-green", rollback=True)).message.endswith("canary off")
    act.world.canary, act.world.weight = True, 10
    act.commanded(10, "green", canary=True)
    assert await differences(act, "back-workloads-green", rollback=True) == [
        "moshimoshi-ingress-canary is still on with weight 10 %, but it should be out of service"
    ]
