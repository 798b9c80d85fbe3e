"""A disk that is full stops the way forward and not the way back."""

from __future__ import annotations

import asyncio

from cockpit.model.commands import Advance, RollBack, SetWeight
from cockpit.model.status import RunStatus
from tests.engine.test_session import begin, to_step
from tests.engine.world import Stage
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME


async def test_forward_stops_and_a_rollback_goes_on(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("gate.holding", step="2.1")
    stage.store.problem = "the disk is full"
    await stage.until("journal.degraded", 120)
    await stage.until("escalation.started", 120, cause="The journal cannot be written")
    await stage.until("gate.passed", step="2.1")
    for command in (Advance(), SetWeight(weight=5)):
        refused = await stage.order(command)
        assert "The journal cannot be written: the disk is full" in refused.message
    await asyncio.sleep(3600)
    assert stage.world.effects[-1] == "weight 10"
    assert "decision.opened" not in stage.types()
    assert (await stage.order(RollBack(reason="the disk is full"))).ok
    await stage.until("run.status", 300, status=RunStatus.ROLLED_BACK)
    assert (stage.world.weight, stage.world.canary, stage.world.active) == (0, False, "green")


async def test_the_run_goes_on_when_the_disk_is_well_again(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("gate.holding", step="2.1")
    stage.store.problem = "the disk is full"
    await stage.until("journal.degraded", 120)
    stage.store.problem = ""
    await stage.until("journal.recovered", 120)
    await stage.until("decision.opened", step="2.1")
    assert (await stage.order(Advance())).ok
