"""Who commands a run: one terminal, one bastion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.engine.commanding import GRACE_S
from cockpit.errors import Denied, JournalDamaged, NotFound, Unreachable
from cockpit.journal.copying import unpack
from cockpit.model.commanding import Front, Place
from cockpit.model.commands import Advance, Hold, Note, Release, RollBack, SetWeight, Takeover
from cockpit.model.events import CommandTaken, MessageQueued
from cockpit.model.lease import LeaseState
from cockpit.model.mirror import LARGEST
from cockpit.model.status import RunStatus
from cockpit.model.verdict import Verdict
from tests.engine.test_drift import gating
from tests.engine.test_session import accepted, begin, to_step
from tests.engine.world import GUARDED, MemoryStore, Stage
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME
ADA = Front(number=1, person="ada", terminal="pts/1")
ADA_2 = Front(number=2, person="ada", terminal="pts/2")
EVE = Front(number=3, person="eve", terminal="pts/3")


def role(stage: Stage, front: Front) -> str:
    return place(stage, front).role


def place(stage: Stage, front: Front) -> Place:
    assert stage.session is not None
    return stage.session.feed.place(front)


async def join(stage: Stage, *fronts: Front) -> None:
    assert stage.session is not None
    for front in fronts:
        await stage.session.feed.join(front)


async def test_the_second_terminal_watches_and_is_told_who_commands(stage: Stage) -> None:
    await stage.start()
    await join(stage, ADA, ADA_2, EVE)
    assert [role(stage, front) for front in (ADA, ADA_2, EVE)] == ["commander", "observer", "observer"]
    seen = place(stage, EVE)
    assert (seen.commander, seen.terminal, seen.since) == ("ada", "pts/1", stage.store.events[0].at)
    assert stage.session is not None
    for front in (ADA_2, EVE):
        refused = await stage.session.feed.order(front.person, Hold(), front)
        assert (refused.ok, refused.outranked) == (False, True)
        assert refused.message.startswith("ada at pts/1 commands this run since ")
    assert "run.held" not in stage.types()
    assert "command.taken" not in stage.types()


async def test_a_takeover_moves_the_command_and_both_are_told(stage: Stage) -> None:
    await stage.start()
    await join(stage, ADA, EVE)
    assert stage.session is not None
    feed = stage.session.feed
    assert not (await feed.order("eve", Takeover(reason="  "), EVE)).ok
    assert (await feed.order("eve", Takeover(reason="ada is off shift"), EVE)).ok
    taken = next(event for event in stage.store.events if isinstance(event, CommandTaken))
    assert (taken.actor, taken.previous, taken.terminal, taken.reason) == ("eve", "ada", "pts/3", "ada is off shift")
    told = place(stage, ADA)
    assert (told.role, told.commander, told.terminal, told.since, told.reason) == (
        "observer", "eve", "pts/3", taken.at, "ada is off shift",
    )  # fmt: skip
    assert role(stage, EVE) == "commander"
    assert feed.snapshot().header.commander == "eve"
    assert (await feed.order("ada", Hold(), ADA)).outranked
    assert (await feed.order("ada", Hold())).outranked
    assert (await feed.order("eve", Hold())).ok


async def test_a_rollback_by_another_person_takes_over_in_one_step(stage: Stage) -> None:
    await gating(stage)
    await join(stage, ADA)
    reply = await stage.order(RollBack(reason="errors in the shop"), "eve")
    assert reply.ok
    at = stage.types().index("rollback.started")
    taken = stage.store.events[at - 1]
    assert isinstance(taken, CommandTaken)
    assert (taken.actor, taken.reason, stage.store.events[at].actor) == ("eve", "errors in the shop", "eve")
    assert role(stage, ADA) == "observer"
    again = await stage.order(RollBack(reason="again"), "bob")
    assert not again.ok
    assert [event.actor for event in stage.store.events if event.type == "command.taken"] == ["eve"]


async def test_a_hang_up_keeps_the_command_for_its_person_for_a_while(stage: Stage) -> None:
    await stage.start()
    await join(stage, ADA)
    assert stage.session is not None
    feed = stage.session.feed
    await feed.leave(ADA)
    await join(stage, EVE)
    assert role(stage, EVE) == "observer"
    await join(stage, ADA_2)
    assert role(stage, ADA_2) == "commander"
    await feed.leave(ADA_2)
    await asyncio.sleep(GRACE_S)
    await join(stage, EVE)
    assert role(stage, EVE) == "commander"
    assert [event.actor for event in stage.store.events if event.type == "command.taken"] == ["eve"]


async def test_who_detaches_leaves_the_command_also_over_an_engines_death(stage: Stage) -> None:
    await stage.start()
    await join(stage, ADA)
    assert stage.session is not None
    assert (await stage.session.feed.order("ada", Release(), ADA)).ok
    await stage.kill()
    later = await Stage(stage.world, stage.store, stage.tmp).start()
    await join(later, EVE)
    assert role(later, EVE) == "commander"
    assert later.session is not None
    assert later.session.feed.snapshot().header.commander == "eve"
    await later.kill()


async def test_a_stale_decision_is_told_what_changed_the_worst_first(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "1.2")
    await stage.until("step.finished", step="1.2")
    assert stage.session is not None
    seen = stage.session.feed.snapshot().situation
    stage.world.values |= {"error_rate": 0.5, "p95_latency": 900.0, "cpu": 99.0}
    await stage.until("metric.verdict", previous=Verdict.NORMAL)
    await asyncio.sleep(60)
    stage.world.active = "blue"
    await stage.until("drift.found", 10)
    refused = await stage.order(Advance(expected_seq=seen))
    first, *others = refused.message.removeprefix("The situation has changed since you looked: ").split("; ")
    assert "service/moshimoshi-active" in refused.message
    assert len(others) == 2
    assert ", and " in others[-1]
    assert "WARNING" not in first


async def test_a_lapsed_lease_stops_forward_and_not_a_rollback(stage: Stage) -> None:
    await gating(stage)
    assert stage.world.refusal is not None
    assert stage.world.refusal() == ""
    stage.world.lease_fault = Unreachable("the Lease does not answer", "")
    await stage.until("lease.changed", 30, command="lapsed")
    assert "could not be renewed" in stage.world.refusal()
    assert stage.session is not None
    assert "could not be renewed" in stage.session.feed.snapshot().next.blocked
    assert stage.session.feed.snapshot().header.lease == "lapsed"
    await stage.order(SetWeight(weight=5))
    await asyncio.sleep(30)
    assert stage.world.weight == 10
    await accepted(stage, RollBack(reason="blind"))
    assert stage.world.refusal() == ""
    await stage.until("run.status", 120, status=RunStatus.ROLLED_BACK)


async def test_a_lease_that_comes_back_goes_on_by_itself(stage: Stage) -> None:
    await gating(stage)
    stage.world.lease_fault = Unreachable("the Lease does not answer", "")
    await stage.until("lease.changed", 30, command="lapsed")
    stage.world.lease_fault = None
    await asyncio.sleep(10)
    assert [event.command for event in stage.store.events if event.type == "lease.changed"] == [
        "held",
        "lapsed",
        "held",
    ]
    await stage.until("gate.passed", step="2.1")


async def test_a_lease_deleted_by_hand_is_taken_again_by_a_person(stage: Stage) -> None:
    await gating(stage)
    stage.world.lease = None
    await stage.until("lease.changed", 10, command="lost")
    await asyncio.sleep(60)
    assert stage.world.lease is None
    assert "deleted or edited by hand" in (await stage.order(Advance())).message
    await accepted(stage, Takeover(reason="the platform team cleaned up"))
    await asyncio.sleep(6)
    assert stage.world.lease is not None
    assert [event.command for event in stage.store.events if event.type == "lease.changed"] == ["held", "lost", "held"]


async def test_who_takes_the_lease_parks_the_run(stage: Stage) -> None:
    await gating(stage)
    stage.world.lease = LeaseState("moshimoshi-test eve@there/b", 9, "x", "x")
    fenced = await stage.until("run.fenced", 10)
    assert fenced.by == "moshimoshi-test eve@there/b"
    assert stage.world.refusal is not None
    assert "holds the Lease" in stage.world.refusal()
    written = stage.world.leases_written
    stage.world.lease = LeaseState("", 9, "y", "y")
    await asyncio.sleep(60)
    assert stage.world.leases_written == written


@pytest.mark.parametrize("answers_after", [None, 4.0], ids=["never", "soon"])
async def test_a_new_run_takes_nothing_while_nobody_knows_who_holds_the_lease(
    stage: Stage, answers_after: float | None
) -> None:
    """Somebody else may be at work on the objects, and the Lease that would say so cannot be read."""
    theirs = dict.fromkeys(GUARDED[1:], (3, "another-run eve@there"))
    if answers_after is None:
        stage.world.stamps |= theirs
    stage.world.lease_fault = Unreachable("the Lease does not answer", "")
    await begin(stage)
    if answers_after is None:
        failed = await stage.until("action.failed", 120)
        assert "in time" in failed.message
        await asyncio.sleep(60)
        assert (stage.world.effects, stage.world.stamps) == ([], theirs)
        return
    await asyncio.sleep(answers_after)
    stage.world.lease_fault = None
    await stage.until("action.succeeded", 120)
    assert len(stage.world.effects) == 1
    assert "action.failed" not in stage.types()


async def test_without_the_right_to_a_lease_the_run_is_marked(stage: Stage) -> None:
    stage.world.lease_fault = Denied("leases.coordination.k8s.io is forbidden", "")
    await gating(stage)
    assert stage.session is not None
    header = stage.session.feed.snapshot().header
    assert (header.lease, header.lease_problem) == ("local", "leases.coordination.k8s.io is forbidden")


async def test_the_run_is_mirrored_soon_after_what_matters(stage: Stage) -> None:
    await gating(stage)
    await stage.until("gate.holding", step="2.1")
    await asyncio.sleep(4.5)
    copy = stage.world.copy
    assert copy is not None
    about = copy.copy.about
    assert (about.run, about.commander, about.status, about.closed) == ("moshimoshi-test", "ada", "running", False)
    assert (copy.epoch, copy.copy.runbook.decode()) == (stage.world.epoch, stage.book.text)
    assert len(copy.copy.journal) < LARGEST
    found = [event for event, _ in unpack(copy.copy.journal)]
    assert found == stage.store.events[: len(found)]
    assert "gate.holding" in [event.type for event in found]
    text = copy.copy.about.model_dump_json()
    assert not any(secret in text for secret in ("slack.invalid",))


async def test_a_mirror_that_may_not_be_written_is_said_once(stage: Stage) -> None:
    stage.world.mirror_fault = Denied("configmaps is forbidden", "")
    await gating(stage)
    await asyncio.sleep(300)
    notes = [event for event in stage.store.events if event.type == "note" and "not mirrored" in event.text]
    assert len(notes) == 1
    assert stage.session is not None
    assert stage.session.feed.snapshot().header.mirror_problem == "configmaps is forbidden"
    stage.world.mirror_fault = None
    await asyncio.sleep(60)
    assert stage.world.copy is not None
    assert stage.session.feed.snapshot().header.mirror_problem == ""


async def test_a_copy_that_was_lost_is_written_again_without_news(stage: Stage) -> None:
    await gating(stage)
    await stage.until("gate.holding", step="2.1")
    await asyncio.sleep(5)
    stage.world.mirror_fault = NotFound("configmaps is not there", "")
    await accepted(stage, Note(text="something that matters"))
    await asyncio.sleep(60)
    stage.world.mirror_fault = stage.world.copy = None
    # From here on there are only measurements.
    await asyncio.sleep(120)
    assert "gate.passed" not in stage.types()
    assert stage.world.copy is not None
    assert "something that matters" in str(unpack(stage.world.copy.copy.journal))


async def test_from_a_copy_without_room_nobody_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await gating(stage)
    await asyncio.sleep(5)
    assert stage.world.copy is not None
    assert unpack(stage.world.copy.copy.journal)
    monkeypatch.setattr("cockpit.engine.mirroring.LARGEST", len(stage.book.text.encode()) + 100)
    await accepted(stage, Note(text="one row too many"))
    await asyncio.sleep(5)
    with pytest.raises(JournalDamaged, match="too large for a ConfigMap"):
        unpack(stage.world.copy.copy.journal)
    assert stage.session is not None
    assert "too large" in stage.session.feed.snapshot().header.mirror_problem


async def test_a_replaced_engine_that_starts_again_is_parked_before_anything_else(stage: Stage) -> None:
    await gating(stage)
    await stage.kill()
    replaced = len(stage.store.events)
    stage.world.stamps = {key: (9, "moshimoshi-test eve@there/b") for key in stage.world.stamps}
    stage.world.lease = LeaseState("moshimoshi-test eve@there/b", 9, "x", "x")
    queued = MessageQueued(
        seq=replaced + 1, at=stage.store.events[-1].at, actor="engine", message="started", channel="slack", text="x"
    )
    stage.store.events.append(queued)
    sent = len(stage.world.sent)
    later = await Stage(stage.world, stage.store, stage.tmp).start()
    await later.until("run.fenced", 10)
    assert later.types()[replaced + 1 :][:2] == ["engine.started", "run.fenced"]
    await asyncio.sleep(60)
    assert len(stage.world.sent) == sent
    await later.kill()


@pytest.fixture
async def other(stage: Stage, tmp_path: Path) -> AsyncIterator[Stage]:
    """The same run on another bastion: it starts from the mirror."""
    made = Stage(replace(stage.world), MemoryStore(), tmp_path, instance="b")
    yield made
    if made.task is not None:
        await made.kill()


async def test_another_bastion_goes_on_from_the_mirror(stage: Stage, other: Stage) -> None:
    """The first one is gone; its stamps are replaced, whatever their epoch, and the interrupted step goes on."""
    await gating(stage)
    await asyncio.sleep(5)
    copy, first = stage.world.copy, stage.world.epoch
    assert copy is not None
    assert first is not None
    await stage.kill()
    rows = [event for event, _ in unpack(copy.copy.journal)]
    taken = CommandTaken(
        seq=len(rows) + 1, at=rows[-1].at, actor="eve", epoch=copy.epoch, previous="ada",
        reason="the bastion is gone", replaces=copy.holder,
    )  # fmt: skip
    other.world, other.store = stage.world, MemoryStore([*rows, taken])
    stage.world.lease = None
    await other.start()
    claimed = await other.until("epoch.claimed", 20, claimed=first + 1)
    assert claimed.seq > taken.seq
    assert "run.fenced" not in other.types()
    assert other.session is not None
    header = other.session.feed.snapshot().header
    assert (header.commander, header.epoch) == ("eve", first + 1)
    await asyncio.sleep(5)
    assert stage.world.copy is not None
    assert stage.world.copy.epoch == first + 1
    await other.until("gate.passed", step="2.1")
    reply = await other.order(RollBack(reason="enough"), "eve")
    assert reply.ok
    await other.until("run.status", 120, status=RunStatus.ROLLED_BACK)
