"""What acts outside the traffic path, in whole runs: consent after a look, programs, the Job of the way back."""

from __future__ import annotations

import asyncio

import pytest

from cockpit.model.commands import Advance, Consent, RollBack
from cockpit.model.snapshot import ActionView
from cockpit.model.status import RunStatus
from tests.engine.test_session import accepted, begin, to_step
from tests.engine.world import MemoryStore, Stage
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME


async def to_flush(stage: Stage) -> Stage:
    """Go on to where the flush asks for its word."""
    await begin(stage)
    await to_step(stage, "3.1")
    await stage.until("step.finished", step="3.1")
    await accepted(stage, Advance())
    await stage.until("action.succeeded", action="purge-cdn")
    return stage


def view_of(stage: Stage, action: str) -> ActionView:
    assert stage.session is not None
    phases = stage.session.feed.snapshot().plan.phases
    return next(each for phase in phases for step in phase.steps for each in step.actions if each.id == action)


class TestLook:
    async def test_the_commander_reads_what_would_be_deleted_before_the_word(self, stage: Stage) -> None:
        await to_flush(stage)
        assert stage.session is not None
        looked = await stage.until("action.looked", action="flush-redis")
        assert looked.message.startswith("redis-0: role master · 1 234 keys in db0")
        assert looked.facts["keys"] == "1234"
        view = view_of(stage, "flush-redis")
        assert (view.consent, view.looking, view.message) == ("FLUSHALL", False, looked.message)
        assert "flush" not in stage.world.effects
        await accepted(stage, Consent(action="flush-redis", word="FLUSHALL"))
        done = await stage.until("action.succeeded", action="flush-redis")
        assert "Redis has counted it: 0 keys now, 1 234 before" in done.message

    async def test_no_word_is_taken_while_it_is_being_read(self, stage: Stage) -> None:
        await begin(stage)
        await to_step(stage, "3.1")
        await stage.until("step.finished", step="3.1")
        waits = asyncio.Event()
        stage.world.redis_waits = waits
        await accepted(stage, Advance())
        await stage.until("action.succeeded", action="purge-cdn")
        assert view_of(stage, "flush-redis").looking
        refused = await stage.order(Consent(action="flush-redis", word="FLUSHALL"))
        assert refused.message == "What flush-redis would do is still being read"
        waits.set()
        await stage.until("action.looked", action="flush-redis")
        await accepted(stage, Consent(action="flush-redis", word="FLUSHALL"))

    async def test_a_target_that_cannot_be_read_is_said_and_the_commander_decides(self, stage: Stage) -> None:
        await begin(stage)
        await to_step(stage, "3.1")
        await stage.until("step.finished", step="3.1")
        stage.world.redis_down = True
        await accepted(stage, Advance())
        looked = await stage.until("action.looked", action="flush-redis")
        assert looked.message == "what it would do cannot be read: the connection to redis-0 broke"
        stage.world.redis_down = False
        await accepted(stage, Consent(action="flush-redis", word="FLUSHALL"))
        await stage.until("action.succeeded", action="flush-redis")

    async def test_a_replica_is_refused_before_anybody_is_asked(self, stage: Stage) -> None:
        stage.world.redis_role = "slave"
        await to_flush(stage)
        failed = await stage.until("action.failed", action="flush-redis")
        assert "is a replica" in failed.message
        assert "flush" not in stage.world.effects
        # It is optional: the step goes on without it.
        await stage.until("step.finished", step="3.2")

    async def test_without_a_person_it_is_looked_at_all_the_same(self, stage: Stage) -> None:
        stage.automatic = True
        await stage.start()
        await stage.until("run.status", status=RunStatus.COMPLETED, seconds=20_000)
        types = [event.type for event in stage.store.events if getattr(event, "action", "") == "flush-redis"]
        assert types[:3] == ["action.looked", "action.consent", "action.intended"]

    async def test_a_rollback_neither_looks_nor_flushes(self, stage: Stage) -> None:
        await begin(stage)
        await to_step(stage, "2.1")
        await accepted(stage, RollBack(reason="back"))
        await stage.until("rollback.finished")
        assert "action.looked" not in stage.types()
        assert "flush" not in stage.world.effects
        skipped = await stage.until("action.skipped", action="back-flush-redis")
        assert "never given inside a rollback" in skipped.reason


@pytest.mark.parametrize("carried_out", [True, False])
async def test_an_engine_killed_in_a_flush_reads_what_became_of_it(stage: Stage, carried_out: bool) -> None:
    await to_flush(stage)
    await stage.until("action.looked", action="flush-redis")
    stage.world.flush_waits = True
    await accepted(stage, Consent(action="flush-redis", word="FLUSHALL"))
    await stage.until("action.intended", action="flush-redis")
    await stage.kill()
    stage.world.flush_waits = False
    stage.world.flushed += carried_out
    again = Stage(stage.world, MemoryStore(stage.store.events), stage.tmp)
    await again.start()
    try:
        done = await again.until("action.succeeded", action="flush-redis")
    finally:
        await again.kill()
    assert again.world.flushed == 1
    assert ("action.reoffered" in again.types()) is not carried_out
    if carried_out:
        assert done.message == "Redis has counted it: 0 keys now, 1 234 before"


class TestJob:
    async def test_the_way_back_keeps_the_end_of_the_jobs_log(self, stage: Stage) -> None:
        await begin(stage)
        await to_step(stage, "2.1")
        await accepted(stage, RollBack(reason="orders are gone", trigger="database-corruption"))
        output = await stage.until("action.output", action="back-database")
        assert output.stream == "log"
        assert output.lines[-2:] == ("restored", "COMMIT")
        done = await stage.until("action.succeeded", action="back-database")
        assert done.message.endswith("is complete: 0 active, 1 succeeded, 0 failed · log: COMMIT")

    async def test_a_failed_job_is_not_run_twice(self, stage: Stage) -> None:
        stage.world.job_fails = True
        await begin(stage)
        await to_step(stage, "2.1")
        await accepted(stage, RollBack(reason="orders are gone", trigger="database-corruption"))
        finished = await stage.until("rollback.finished")
        assert not finished.succeeded
        assert len(stage.world.jobs) == 1
        failed = await stage.until("action.failed", action="back-database")
        assert "BackoffLimitExceeded" in failed.message
        assert "It is not run twice: delete job/" in failed.hint
        # The steps after it, which do not need it, are carried out.
        assert (await stage.until("rollback.step_finished", step="rollback-validate")).status == "done"
