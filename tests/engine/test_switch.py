"""The switch action: ready pods before, and endpoints that are the target's pods after."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from cockpit.engine.actions.base import ActionFailure, Found, TrafficChange
from cockpit.errors import Conflict, Unreachable
from cockpit.model.cluster import Endpoint, PodPlace, ServiceState
from tests.fake_time import FAKE_TIME

from .actors import Actor, actor

pytestmark = FAKE_TIME
BLUE = {"app": "moshimoshi", "version": "blue"}


def behind(track: str, count: int = 3) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(f"moshimoshi-{track}-{number}", f"10.9.{track}.{number}") for number in range(count))


def active_has(act: Actor, *endpoints: Endpoint) -> None:
    """From now on the active Service has these endpoints."""

    def seen(service: ServiceState) -> ServiceState:
        active = service.name == "moshimoshi-active" and service.endpoints is not None
        return replace(service, endpoints=endpoints) if active else service

    act.workloads.as_service = seen


async def test_selector_is_replaced_whole_and_proved() -> None:
    act = actor()

    done = await act.perform("switch-blue")

    assert act.world.effects == ["switch blue"]
    assert done.message == "service/moshimoshi-active points at blue, 3 endpoints ready"
    assert (json.loads(done.facts["selector"]), done.traffic) == (BLUE, TrafficChange(active="blue"))
    assert act.told == []


async def test_second_time_writes_nothing() -> None:
    act = actor()
    await act.perform("switch-blue")

    done = await act.perform("switch-blue")

    assert act.world.effects == ["switch blue"]
    assert done.facts["selector"] == json.dumps(BLUE)


async def test_missing_pods_are_named_before_anything_changes() -> None:
    act = actor()
    act.world.available["blue"] = 2

    with pytest.raises(ActionFailure) as failed:
        await act.perform("switch-blue")

    assert str(failed.value) == (
        "blue cannot take the traffic yet: app=moshimoshi,version=blue has 2 of 3 pods ready "
        "(moshimoshi-blue-2 Running 0/1); nothing was changed"
    )
    assert act.world.effects == []


async def test_pods_that_the_tracks_own_service_does_not_reach() -> None:
    act = actor()

    def seen(service: ServiceState) -> ServiceState:
        return replace(service, endpoints=()) if service.name == "moshimoshi-blue" else service

    act.workloads.as_service = seen
    with pytest.raises(ActionFailure, match="service/moshimoshi-blue has no ready endpoints"):
        await act.perform("switch-blue")


async def test_pods_on_their_way_out_do_not_count() -> None:
    act = actor()

    def leaving(places: tuple[PodPlace, ...]) -> tuple[PodPlace, ...]:
        first = places[0].pod.model_copy(update={"status": "Terminating"})
        return (PodPlace(first, places[0].address), *places[1:])

    act.workloads.as_pods = leaving
    with pytest.raises(ActionFailure, match="2 of 3 pods ready"):
        await act.perform("switch-blue")


async def test_endpoints_of_the_other_track_are_no_proof() -> None:
    act = actor()
    active_has(act, *behind("green"))
    task = asyncio.create_task(act.perform("switch-blue"))
    await asyncio.sleep(20)
    assert not task.done()
    active_has(act, *behind("blue", 2), behind("green")[0])
    await asyncio.sleep(20)
    assert not task.done()
    active_has(act, *behind("blue"))

    assert (await task).traffic == TrafficChange(active="blue")
    assert [text.partition(";")[2] for text in act.told] == [
        " its endpoints are not all of blue yet: moshimoshi-green-0, moshimoshi-green-1, moshimoshi-green-2",
        " its endpoints are not all of blue yet: moshimoshi-green-0",
    ]


async def test_too_few_endpoints_are_named_when_time_is_up() -> None:
    act = actor()
    active_has(act, *behind("blue", 1))

    with pytest.raises(ActionFailure, match=r"not done within .*do not have moshimoshi-blue-1, moshimoshi-blue-2 yet"):
        await act.perform("switch-blue", seconds=30)


async def test_pods_that_share_an_address_share_an_endpoint() -> None:
    act = actor()
    act.workloads.as_pods = lambda places: tuple(PodPlace(place.pod, "10.0.0.1") for place in places)
    active_has(act, Endpoint("moshimoshi-blue-0", "10.0.0.1"))

    assert (await act.perform("switch-blue")).message.endswith("3 endpoints ready")


async def test_an_address_that_somebody_wrote_is_a_stranger() -> None:
    act = actor()
    active_has(act, *behind("blue"), Endpoint("", "192.0.2.1"))

    with pytest.raises(ActionFailure, match=r"not all of blue yet: 192\.0\.2\.1"):
        await act.perform("switch-blue", seconds=30)


async def test_the_way_back_does_not_wait_for_every_pod() -> None:
    act = actor()
    await act.perform("switch-blue")
    act.world.available["green"] = 1

    done = await act.perform("back-switch", rollback=True)

    assert done.message == "service/moshimoshi-active points at green, 1 endpoints ready"
    assert act.world.effects == ["switch blue", "switch green"]


async def test_the_way_back_writes_before_it_waits_for_pods() -> None:
    act = actor()
    await act.perform("switch-blue")
    act.world.available["green"] = 0

    with pytest.raises(ActionFailure, match="green has 0 of 1 pods ready"):
        await act.perform("back-switch", rollback=True, seconds=20)
    assert act.world.active == "green"


async def test_another_writer_is_a_conflict_before_and_while_it_waits() -> None:
    act = actor()
    planned = await act.plan("switch-blue")
    act.world.active = "red"
    act.world.available["red"] = 3
    with pytest.raises(Conflict, match=r'selects .*"red"'):
        await act.execute("switch-blue", planned)

    act = actor()
    active_has(act, *behind("green"))
    task = asyncio.create_task(act.perform("switch-blue"))
    await asyncio.sleep(5)
    act.world.active = "green"
    with pytest.raises(Conflict, match="again, expected"):
        await task


async def test_a_lost_answer_is_read_back_and_a_silence_is_waited_out() -> None:
    act = actor()
    act.world.lose_answers = 1
    quiet = [True, True]

    def seen(service: ServiceState) -> ServiceState:
        if act.world.active == "blue" and service.endpoints is not None and quiet:
            quiet.pop()
            raise Unreachable("the API server does not answer", "")
        return service

    act.workloads.as_service = seen
    await act.perform("switch-blue")

    assert act.world.effects == ["switch blue"]
    assert act.told[0] == "no answer to the write; reading back"
    assert len([text for text in act.told if "cannot be seen" in text]) == 1


@pytest.mark.parametrize(("active", "found"), [("green", Found.SAFE), ("blue", Found.SAFE), ("red", Found.UNKNOWN)])
async def test_what_an_interrupted_switch_finds(active: str, found: Found) -> None:
    act = actor()
    planned = await act.plan("switch-blue")
    act.world.active = active

    assert await act.recover("switch-blue", planned) is found
