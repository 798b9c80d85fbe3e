"""Moving the traffic and taking the route out of service: when, how it is proved, and what a rollback skips."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.adapters.programs import Programs
from cockpit.engine.actions.base import ActionFailure, Done, World
from cockpit.engine.actions.canary_off import CanaryOffHandler
from cockpit.engine.actions.traffic import TrafficHandler
from cockpit.engine.core import WallClock
from cockpit.engine.ports import Outside
from cockpit.errors import Conflict, Unreachable
from cockpit.model.cluster import Note, Severity
from cockpit.model.run import RunState, TrafficState
from cockpit.model.verdict import CANDIDATE_SHARE, Measurement, Verdict
from cockpit.runbook.actions import CanaryOff, Traffic
from tests.engine import world as fakes
from tests.fake_time import FAKE_TIME
from tests.printed import nothing_printed

pytestmark = FAKE_TIME

DOWN = Unreachable("Prometheus does not answer", "")
FAULT = Note(text="no primary Ingress serves web.test/", severity=Severity.FAULT, hint="Make one.")
STICKY = Note(text="cookie affinity on web", evades=True)


@dataclass
class Bench:
    """A handler's world over the world in memory."""

    tmp: Path
    truth: fakes.World = field(default_factory=lambda: fakes.World(weight=100, active="blue"))
    said: list[str] = field(default_factory=list)
    share: Callable[[], float | None] = lambda: 100.0

    def world(self, rollback: bool = False) -> World:
        clock = fakes.LoopClock()
        self.truth.clock = clock
        book = fakes.shipped().runbook
        residual = book.monitoring.residual
        assert residual is not None
        others = fakes.FakeOthers(self.truth)
        outside = Outside(
            workloads=fakes.FakeWorkloads(self.truth),
            traffic=fakes.FakeTraffic(self.truth),
            guardian=fakes.FakeGuardian(self.truth),
            leases=fakes.FakeLeases(self.truth),
            metrics=fakes.FakeMetrics(self.truth, {residual.query.split("${window}")[0]: "residual"}, book),
            http=others,
            cdn=others,
            registry=others,
            programs=Programs(self.tmp),
            messengers={},
        )

        async def say(message: str) -> None:
            self.said.append(message)

        def measured(metric: str) -> Measurement | None:
            assert metric == CANDIDATE_SHARE
            value = self.share()
            verdict = Verdict.NORMAL if value is not None else Verdict.NO_DATA
            return Measurement(metric=metric, at=clock.now(), value=value, verdict=verdict, reason="no series")

        return World(
            run="test",
            book=book,
            state=RunState(traffic=TrafficState(100, "blue", True, clock.now())),
            outside=outside,
            clock=WallClock(clock),
            lookup=lambda name: pytest.fail(name),
            pods=lambda: (),
            say=say,
            emit=nothing_printed,
            deadline=60.0,
            context="",
            real_seconds=clock.real_seconds,
            rollback=rollback,
            measured=measured,
        )

    async def off(self, rollback: bool = False, deadline: timedelta = timedelta(minutes=5)) -> Done:
        handler, world = CanaryOffHandler(), self.world(rollback)
        action = CanaryOff(id="off", kind="canary_off", deadline=deadline)
        return await handler.execute(world, action, await handler.plan(world, action))

    async def weight(self, weight: int, rollback: bool = False) -> Done:
        handler, world = TrafficHandler(), self.world(rollback)
        action = Traffic(id="traffic", kind="traffic", weight=weight)
        return await handler.execute(world, action, await handler.plan(world, action))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_route_goes_off_when_nobody_falls_back(bench: Bench) -> None:
    done = await bench.off()

    assert bench.truth.effects == ["canary off"]
    assert done.message == "moshimoshi-ingress-canary is out of service; 0.00 requests/s still reach it"
    assert done.traffic is not None
    assert (done.traffic.weight, done.traffic.canary) == (0, False)


@pytest.mark.parametrize(("active", "main"), [("green", "moshimoshi-active"), ("blue", "moshimoshi-green")])
async def test_route_stays_on_when_the_traffic_would_fall_back_to_stable(bench: Bench, active: str, main: str) -> None:
    bench.truth.active, bench.truth.main = active, main

    with pytest.raises(ActionFailure, match=f"all requests would go to service/{main}, which selects green"):
        await bench.off()

    assert bench.truth.effects == []


async def test_route_without_a_share_goes_off_wherever_the_service_points(bench: Bench) -> None:
    bench.truth.active, bench.truth.weight = "green", 0

    await bench.off()

    assert bench.truth.effects == ["canary off"]


async def test_route_waits_for_endpoints_and_then_fails_with_words(bench: Bench) -> None:
    bench.truth.available["blue"] = 0

    with pytest.raises(ActionFailure, match="not taken out of service: service/moshimoshi-active has no ready"):
        await bench.off()

    assert bench.truth.effects == []
    assert bench.said == ["waiting: service/moshimoshi-active has no ready endpoints"]


async def test_route_waits_until_the_observed_share_is_the_commanded_one(bench: Bench) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + 60
    bench.share = lambda: 60.0 if loop.time() < until else 98.0

    await bench.off()

    assert loop.time() >= until
    assert bench.said[0] == "waiting: the observed share is 60.0 %, commanded are 100 % (± 5)"
    assert bench.truth.effects == ["canary off"]


@pytest.mark.parametrize(
    ("share", "words"),
    [(60.0, "the observed share is 60.0 %, commanded are 100 %"), (None, "the observed share is not known: no series")],
)
async def test_route_stays_on_while_the_share_is_another_or_unknown(
    bench: Bench, share: float | None, words: str
) -> None:
    bench.share = lambda: share
    started = asyncio.get_running_loop().time()

    with pytest.raises(ActionFailure, match=words) as failure:
        await bench.off()

    assert asyncio.get_running_loop().time() - started < 300
    assert "override" in failure.value.hint
    assert bench.truth.effects == []


async def test_half_a_share_or_all_of_it_counts_after_the_switch(bench: Bench) -> None:
    bench.truth.weight = 50
    for share in (50.0, 100.0):
        bench.truth.canary, bench.truth.weight = True, 50
        bench.share = lambda share=share: share  # type: ignore[misc]
        await bench.off()
    assert bench.truth.effects == ["canary off", "canary off"]


async def test_old_measurement_does_not_count(bench: Bench) -> None:
    world = bench.world()
    old = Measurement(
        metric=CANDIDATE_SHARE,
        at=world.clock.now() - timedelta(seconds=1),
        value=100.0,
        verdict=Verdict.NORMAL,
    )
    world = replace(world, measured=lambda _: old)
    handler, action = CanaryOffHandler(), CanaryOff(id="off", kind="canary_off")

    with pytest.raises(ActionFailure, match="has not been measured since the traffic was moved"):
        await handler.execute(world, action, await handler.plan(world, action))


async def test_rollback_takes_the_route_off_whatever_is_measured(bench: Bench) -> None:
    bench.truth.active, bench.truth.main = "green", "moshimoshi-green"
    bench.truth.available, bench.truth.residual = {"blue": 0, "green": 0}, DOWN
    bench.share = lambda: None
    started = asyncio.get_running_loop().time()

    done = await bench.off(rollback=True)

    assert asyncio.get_running_loop().time() == started
    assert done.message == "moshimoshi-ingress-canary is out of service"
    assert bench.truth.effects == ["canary off"]


async def test_requests_that_go_on_are_a_failure(bench: Bench) -> None:
    bench.truth.residual = 0.4

    with pytest.raises(ActionFailure, match=r"is out of service, but 0\.40 requests/s still reach the canary route"):
        await bench.off()

    assert bench.truth.effects == ["canary off"]


async def test_requests_that_end_late_are_waited_for(bench: Bench) -> None:
    bench.truth.residual = 12.0
    asyncio.get_running_loop().call_later(90, setattr, bench.truth, "residual", 0.05)

    done = await bench.off()

    assert done.message.endswith("; 0.05 requests/s still reach it")


@pytest.mark.parametrize("silence", [None, DOWN])
async def test_silence_about_the_residual_is_reported_and_no_failure(bench: Bench, silence: Unreachable | None) -> None:
    bench.truth.residual = silence

    done = await bench.off()

    reason = "Prometheus does not answer" if silence else "no series: nothing was measured"
    assert done.message.endswith(f"; residual requests not measured: {reason}")


async def test_weight_is_done_when_its_controller_has_put_it_in_force(bench: Bench) -> None:
    bench.truth.weight, bench.truth.pending = 10, "gateway edge has not looked at the newest route yet"
    loop = asyncio.get_running_loop()
    loop.call_later(40, setattr, bench.truth, "pending", "")
    started = loop.time()

    await bench.weight(50)

    assert loop.time() - started >= 40
    assert bench.said == ["waiting: gateway edge has not looked at the newest route yet"]


@pytest.mark.parametrize("rollback", [False, True])
async def test_refused_route_fails_with_the_controllers_words(bench: Bench, rollback: bool) -> None:
    bench.truth.rejected = "gateway edge does not accept the route: NoMatchingListener: no such host"

    with pytest.raises(ActionFailure, match="NoMatchingListener: no such host"):
        await (bench.off(rollback=True) if rollback else bench.weight(50))

    assert bench.truth.effects == ["canary off" if rollback else "weight 50"]


async def test_silent_controller_fails_a_step_in_words_and_holds_no_rollback_up(bench: Bench) -> None:
    bench.truth.pending = "gateway edge has not taken the route yet"
    with pytest.raises(ActionFailure, match="is written, but not in force: gateway edge has not taken the route yet"):
        await bench.weight(50)
    started = asyncio.get_running_loop().time()

    done = await bench.off(rollback=True)

    assert asyncio.get_running_loop().time() - started <= 30
    assert done.message.endswith("; not confirmed: gateway edge has not taken the route yet")


async def test_somebody_else_moves_while_the_controller_works(bench: Bench) -> None:
    bench.truth.pending = "gateway edge has not taken the route yet"
    asyncio.get_running_loop().call_later(10, setattr, bench.truth, "weight", 70)

    with pytest.raises(Conflict, match="was set to 70 % meanwhile"):
        await bench.weight(50)


async def test_faulty_route_gets_no_more_traffic_and_may_get_less(bench: Bench) -> None:
    bench.truth.weight, bench.truth.notes = 50, (STICKY, FAULT)

    with pytest.raises(ActionFailure, match="no primary Ingress serves") as failure:
        await bench.weight(60)
    await bench.weight(40)
    await bench.weight(0, rollback=True)

    assert failure.value.hint == "Make one."
    assert bench.truth.effects == ["weight 40", "canary off"]


@pytest.mark.parametrize(
    ("rollback", "notes", "evicts", "effect"),
    [
        (False, (STICKY,), True, "weight 0"),
        (True, (), True, "weight 0"),
        (True, (STICKY,), True, "canary off"),
        (True, (STICKY,), False, "weight 0"),
    ],
)
async def test_weight_0_of_a_rollback_evicts_everyone(
    bench: Bench, rollback: bool, notes: tuple[Note, ...], evicts: bool, effect: str
) -> None:
    bench.truth.weight, bench.truth.notes, bench.truth.evicts = 50, notes, evicts

    done = await bench.weight(0, rollback)

    assert bench.truth.effects == [effect]
    assert done.traffic is not None
    assert done.traffic.canary is (False if effect == "canary off" else None)


async def test_lost_answer_to_taking_the_route_off_is_read_back(bench: Bench) -> None:
    bench.truth.lose_answers = 1

    await bench.off()

    assert bench.truth.effects == ["canary off"]
    assert bench.said[0] == "no answer to the write; reading back"
