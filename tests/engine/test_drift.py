"""What somebody else does to the guarded objects while a run goes on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cockpit.model.commands import Adopt, Advance, Close, Command, Restore, RollBack, SetWeight
from cockpit.model.status import RunStatus
from tests.engine.test_session import accepted, begin, to_step
from tests.engine.world import Stage
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME
ROUTE, SERVICE = "ingress/moshimoshi-ingress-canary", "service/moshimoshi-active"


async def gating(stage: Stage) -> Stage:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("gate.holding", step="2.1")
    return stage


async def test_the_first_effect_comes_after_the_claim(stage: Stage) -> None:
    await begin(stage)
    await stage.until("action.intended", action="deploy-blue")
    types = stage.types()
    assert types.index("epoch.claimed") < types.index("action.intended")
    assert {epoch for epoch, _ in stage.world.stamps.values()} == {stage.world.epoch}
    assert set(stage.world.stamps) == {SERVICE, ROUTE, "deployment/moshimoshi-blue"}


async def test_a_drift_is_named_and_stops_the_run_and_nothing_else(stage: Stage) -> None:
    await gating(stage)
    stage.world.manager, stage.world.weight = "argocd", 30
    found = await stage.until("drift.found", 5, object=ROUTE)
    assert (found.expected, found.found, found.manager) == ({"weight": "10"}, {"weight": "30"}, "argocd")
    await stage.until("gate.broke", 60, step="2.1")
    await asyncio.sleep(3 * 3600)
    assert "gate.passed" not in stage.types()
    assert stage.types().count("drift.found") == 1
    assert stage.session is not None
    snapshot = stage.session.feed.snapshot()
    assert [(entry.object, entry.found, entry.manager) for entry in snapshot.drift.entries] == [
        (ROUTE, "weight 30 %", "argocd")
    ]
    assert "changed by argocd" in snapshot.next.blocked
    for command in (Advance(), SetWeight(weight=5)):
        refused = await stage.order(command)
        assert "changed by argocd" in refused.message
    reply = await stage.order(RollBack(reason="argocd fights us"))
    assert reply.ok
    await stage.until("run.status", 120, status=RunStatus.ROLLED_BACK)
    assert (stage.world.weight, stage.world.canary, stage.world.active) == (0, False, "green")


async def test_an_adopted_weight_is_the_commanded_one(stage: Stage) -> None:
    await gating(stage)
    stage.world.weight = 30
    await stage.until("drift.found", object=ROUTE)
    assert not (await stage.order(Adopt(reason=" "))).ok
    await accepted(stage, Adopt(reason="the team lead did it"))
    changed = await stage.until("traffic.changed", weight=30)
    assert changed.by == "adopted"
    assert changed.actor == "ada"
    await stage.until("gate.holding", step="2.1")
    await asyncio.sleep(120)
    assert stage.types().count("drift.found") == 1
    assert "weight 10" in stage.world.effects
    assert "weight 30" not in stage.world.effects


async def test_an_adopted_service_is_the_commanded_one_too(stage: Stage) -> None:
    await gating(stage)
    stage.world.active, stage.world.weight = "blue", 30
    await stage.until("drift.found", object=SERVICE)
    await stage.until("drift.found", object=ROUTE)
    await accepted(stage, Adopt(reason="the platform team has switched by hand"))
    changed = await stage.until("traffic.changed", weight=30)
    assert (changed.active, changed.by) == ("blue", "adopted")
    assert stage.types().count("traffic.changed") == 3, "once for both, after the run's start and its own 10 %"


async def test_a_restored_weight_is_written_back_once(stage: Stage) -> None:
    await gating(stage)
    stage.world.weight = 30
    await stage.until("drift.found", object=ROUTE)
    await accepted(stage, Restore(reason="not now"))
    await stage.until("drift.ended", 30, object=ROUTE, how="restored")
    await asyncio.sleep(120)
    assert stage.world.weight == 10
    assert stage.world.effects.count("weight 10") == 2
    assert stage.types().count("drift.found") == 1
    intent = next(event for event in stage.store.events if event.type == "action.intended" and event.kind == "restore")
    assert (intent.before, intent.after) == ({"weight": "30"}, {"weight": "10", "enabled": "true"})


async def test_a_drift_that_goes_away_by_itself_is_over(stage: Stage) -> None:
    await gating(stage)
    stage.world.active = "blue"
    await stage.until("drift.found", object=SERVICE)
    stage.world.active = "green"
    ended = await stage.until("drift.ended", 5, object=SERVICE, how="gone")
    # What is measured next has a window that reaches back into the drift, which no look may have seen.
    await stage.until(
        "gate.broke",
        30,
        step="2.1",
        reason=f"warming up after the weight change until {ended.at + timedelta(seconds=30):%H:%M:%S}",
    )
    await asyncio.sleep(60)
    held = [event for event in stage.store.events if event.type == "gate.holding"][-1]
    assert held.at - ended.at >= stage.book.runbook.monitoring.shortest_window


async def test_a_deleted_object_cannot_be_adopted_or_restored(stage: Stage) -> None:
    await gating(stage)
    stage.world.deleted.add(SERVICE)
    await stage.until("drift.found", 5, object=SERVICE)
    commands: tuple[Command, ...] = (Adopt(reason="x"), Restore())
    for command in commands:
        refused = await stage.order(command)
        assert refused.message == f"{SERVICE} does not exist any more"


async def test_the_engines_own_writes_are_no_drift(stage: Stage) -> None:
    stage.automatic = True
    await stage.start()
    await stage.until("run.status", status=RunStatus.COMPLETED, seconds=20_000)
    assert "drift.found" not in stage.types()
    assert "run.fenced" not in stage.types()


async def test_a_lost_answer_is_no_drift(stage: Stage) -> None:
    stage.world.lose_answers = 1
    await begin(stage)
    await to_step(stage, "2.2")
    await stage.until("gate.holding", step="2.2")
    assert "drift.found" not in stage.types()


async def test_a_replaced_engine_parks_and_says_by_whom(stage: Stage) -> None:
    await gating(stage)
    assert stage.world.epoch is not None
    stage.world.stamps[SERVICE] = (stage.world.epoch + 1, "other-run eve@bastion-2")
    fenced = await stage.until("run.fenced", 10)
    assert fenced.by == "other-run eve@bastion-2"
    effects = list(stage.world.effects)
    for command in (Advance(), RollBack(reason="go back"), SetWeight(weight=5)):
        refused = await stage.order(command)
        assert "other-run eve@bastion-2 commands" in refused.message
    stage.world.values["error_rate"] = 9.0
    await asyncio.sleep(600)
    assert stage.world.effects == effects
    assert "rollback.started" not in stage.types()
    assert not (await stage.order(Close())).ok
    await accepted(stage, Close(reason="the other run goes on"))


async def test_a_later_life_claims_again_and_finds_what_changed_meanwhile(stage: Stage) -> None:
    await gating(stage)
    first = stage.world.epoch
    await stage.kill()
    stage.world.weight = 30
    later = Stage(stage.world, stage.store, stage.tmp)
    await later.start()
    await later.until("drift.found", 30, object=ROUTE)
    await accepted(later, Restore())
    await later.until("drift.ended", 30, object=ROUTE, how="restored")
    assert stage.world.weight == 10
    assert stage.world.epoch == (first or 0) + 1


async def test_an_object_that_lost_its_stamp_is_stamped_again(stage: Stage) -> None:
    await gating(stage)
    del stage.world.stamps[ROUTE]
    found = await stage.until("drift.found", 10, object=ROUTE)
    assert found.found == {"epoch": ""}
    await accepted(stage, Adopt(reason="kubectl replace by the platform team"))
    await stage.until("epoch.claimed", 10, claimed=(stage.world.epoch or 0))
    await asyncio.sleep(30)
    assert ROUTE in stage.world.stamps
    assert stage.types().count("drift.found") == 1


async def test_the_own_stamp_is_no_drift_before_its_row_is_written(stage: Stage) -> None:
    await gating(stage)
    assert stage.world.epoch is not None
    _, holder = stage.world.stamps[SERVICE]
    stage.world.stamps[SERVICE] = (stage.world.epoch + 1, holder)
    await asyncio.sleep(10)
    assert "drift.found" not in stage.types()
    assert "run.fenced" not in stage.types()
