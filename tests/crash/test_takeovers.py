"""A bastion dies anywhere and another one goes on from its copy, which is up to two seconds old."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cockpit.engine import rollback
from cockpit.engine.authority import signature
from cockpit.engine.lease import LeaseKeeper
from cockpit.journal.copying import unpack
from cockpit.model.commands import RollBack
from cockpit.model.events import CommandTaken, Event
from cockpit.model.lease import LeaseState
from cockpit.model.outside import Emit, Program, ProgramResult
from cockpit.model.status import RunStatus
from cockpit.runbook.actions import Verify
from tests.crash.fragile import EFFECT_OF, Doom, FragilePrograms, FragileStore, FragileWorld, Play, every_kind
from tests.crash.test_matrix import ONCE, undisturbed
from tests.engine.world import SECRETS, MemoryStore, Stage
from tests.fake_time import FAKE_TIME

pytestmark = [FAKE_TIME, pytest.mark.usefixtures("one_thread")]
RUN = "moshimoshi-test"
EVERY = 60
"""Of the points at which nothing goes on that cannot be read back, every so-manieth."""


@dataclass
class Relay(Play):
    """A run whose second life is on another bastion, which knows nothing but the copy in the cluster."""

    taken: bool = False

    async def _live(self) -> None:
        if len(self.lives) > 1 and not self.taken:
            self._take_over()
        await super()._live()

    def _take_over(self) -> None:
        """As `cockpit takeover` begins: the Lease is ours, and the journal is the copy with one more row."""
        copy, lease = self.world.copy, self.world.lease
        if copy is None or lease is None:
            return
        rows = [event for event, _ in unpack(copy.copy.journal)]
        row = CommandTaken(
            seq=len(rows) + 1, at=rows[-1].at, actor="ada", epoch=copy.epoch, previous="ada", reason="it is gone",
            replaces=copy.holder,
        )  # fmt: skip
        broken, alarm_at = self.store.broken, self.store.alarm_at
        self.store = FragileStore(self.doom, [*rows, row])
        self.store.broken, self.store.alarm_at = broken, alarm_at
        self.instance, self.taken = "b", True
        holder = signature(RUN, "ada", "b")
        self.world.__dict__["lease"] = LeaseState(holder, lease.epoch + 1, renewed="b", version="b")


def deaths(reference: Play) -> list[int]:
    """The points while something is under way that cannot be read back, and some of the others."""
    passed, mirrored = reference.lives[0].passed, False
    chosen = []
    for number, point in enumerate(passed, 1):
        mirrored = mirrored or point == "after effect image app:1.0.0"
        nearby = passed[max(0, number - 3) : number + 2]
        unreadable = any(name.endswith(tuple(EFFECT_OF.values())) for name in nearby)
        if mirrored and (unreadable or number % EVERY == 0):
            chosen.append(number)
    return chosen


@pytest.mark.parametrize("place", ["", "warm-up"], ids=["forward", "back"])
async def test_another_bastion_repeats_nothing(
    short_path: Path, place: str, record_property: pytest.RecordProperty
) -> None:
    reference = await undisturbed(short_path, place)
    most = Counter(reference.world.effects)
    taken = 0
    for at in deaths(reference):
        play = await Relay(short_path, place, (at,)).run()
        told = f"{place or 'to its end'}, killed {play.lives[0].passed[-1]!r} ({at})"
        if not play.taken:
            continue
        taken += 1
        assert play.broken == [], told
        counted = Counter(play.world.effects)
        twice = {effect: counted[effect] for effect in ONCE if counted[effect] > max(1, most[effect])}
        assert twice == {}, told
        assert counted["flush"] <= 1 + bool(place), told
        assert (play.world.active, play.world.canary) == (reference.world.active, reference.world.canary), told
        assert play.state.status in (reference.state.status, RunStatus.ROLLBACK_FAILED if place else None), told
    assert taken > 10
    record_property("takeovers", taken)


class Orphaned(FragilePrograms):
    """A program that outlived the engine that started it."""

    def __init__(self, world: FragileWorld) -> None:
        super().__init__(world)
        self.ended: list[str] = []

    async def run(self, program: Program, emit: Emit) -> ProgramResult:
        await asyncio.Event().wait()
        raise AssertionError("it does not end")

    async def end_left_behind(self, environ: Mapping[str, str]) -> tuple[int, ...]:
        self.ended.append(environ["COCKPIT_ACTION"])
        return (4711,)


class Replaced(FragilePrograms):
    """A program that is looked at just before another bastion takes the Lease."""

    def inspect(self, argv: Sequence[str]) -> str:
        self.world.__dict__["lease"] = LeaseState("other engine", 70, renewed="x", version="x")
        return super().inspect(argv)


class Nap(MemoryStore):
    """The machine is suspended for a minute as soon as an INTENT is durable."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.keeper: LeaseKeeper | None = None

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        numbered = await super().append(events)
        if self.keeper and any(e.type == "action.intended" and e.action == self.action for e in numbered):
            clock, self.keeper = self.keeper.clock, None
            self.asleep.clock = lambda: clock() + 60
        return numbered

    def watch(self, keeper: LeaseKeeper) -> None:
        self.keeper = self.asleep = keeper


async def test_an_engine_that_slept_begins_nothing(short_path: Path) -> None:
    """No write to a CDN tests the stamp, and somebody else may have taken over meanwhile."""
    world, store = FragileWorld(Doom()), Nap("purge-cdn")
    stage = Stage(world, store, short_path, every_kind(), automatic=True, programs=FragilePrograms(world))
    await stage.start()
    assert stage.session is not None
    store.watch(stage.session._authority._keeper)
    failed = await stage.until("action.failed", action="purge-cdn")
    assert failed.message == "Not begun: the Lease could not be renewed for 10 s"
    assert "purge" not in world.effects[: world.effects.index("switch green")]
    await stage.kill()


async def test_a_rollback_repeats_nothing_whose_target_is_silent(short_path: Path) -> None:
    """The engine is killed in a command that only a person may repeat, and then the pod does not answer in time."""
    loaded = every_kind()
    steps = []
    for step in loaded.runbook.rollback.steps:
        changed = {"verify": Verify(argv=("count",), expect="0")} if step.id == "rollback-caches" else {}
        steps.append(step.model_copy(update={"actions": tuple(a.model_copy(update=changed) for a in step.actions)}))
    back = loaded.runbook.rollback.model_copy(update={"steps": tuple(steps)})
    book = replace(loaded, runbook=loaded.runbook.model_copy(update={"rollback": back}))
    world = FragileWorld(Doom())
    stage = Stage(world, MemoryStore(), short_path, book, automatic=True, programs=FragilePrograms(world))
    await stage.start()
    await stage.until("action.intended", action="traffic-50")
    assert (await stage.order(RollBack(reason="told to"))).ok
    await stage.until("action.intended", action="back-flush")
    await stage.kill()
    flushed = world.effects.count("flush")
    world.redis_waits = asyncio.Event()
    later = Stage(world, stage.store, short_path, book, automatic=True, programs=FragilePrograms(world))
    await later.start()
    await later.until("action.ambiguous", 60, action="back-flush")
    world.redis_waits.set()
    await asyncio.sleep(120)
    assert "action.reoffered" not in [e.type for e in later.store.events if getattr(e, "action", "") == "back-flush"]
    assert world.effects.count("flush") == flushed
    await later.kill()


async def test_a_program_that_a_killed_engine_left_is_ended_before_the_way_back(short_path: Path) -> None:
    world = FragileWorld(Doom())
    programs = Orphaned(world)
    stage = Stage(world, MemoryStore(), short_path, every_kind(), automatic=True, programs=programs)
    await stage.start()
    await stage.until("action.intended", action="warm-up")
    await stage.kill()
    back = rollback.start(every_kind().runbook, stage.store.events[-1].at, "ada", "told to")
    stage.store.events.append(back.model_copy(update={"seq": len(stage.store.events) + 1}))
    later = await Stage(world, stage.store, short_path, every_kind(), automatic=True, programs=programs).start()
    failed = await later.until("action.failed", action="warm-up")
    said = [e.message for e in later.store.events if e.type == "action.progressed" and e.action == "warm-up"]
    assert said == ["it still ran and was ended: process 4711"]
    assert failed.message == "interrupted; the run goes back"
    assert programs.ended == ["warm-up"]
    await later.kill()


async def test_a_later_engine_says_which_secrets_it_lacks(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = FragileWorld(Doom())
    stage = Stage(world, MemoryStore(), short_path, every_kind(), programs=FragilePrograms(world))
    await stage.start()
    await stage.kill()
    assert "note" not in stage.types()
    monkeypatch.delitem(SECRETS, "CLOUDFLARE_API_TOKEN")
    later = Stage(world, stage.store, short_path, every_kind(), programs=FragilePrograms(world))
    await later.start()
    told = await later.until("note", 5)
    assert told.text.startswith("Secrets without a value where this engine was started: CLOUDFLARE_API_TOKEN.")
    await later.kill()


@pytest.mark.parametrize("back", [False, True], ids=["forward", "back"])
async def test_an_engine_that_was_replaced_a_moment_ago_starts_no_program(short_path: Path, back: bool) -> None:
    """Between two renewals it does not know, and the objects are not stamped yet: the other one may do the same."""
    world = FragileWorld(Doom())
    programs = Replaced(world)
    stage = Stage(world, MemoryStore(), short_path, every_kind(), automatic=True, programs=programs)
    await stage.start()
    if back:
        await stage.until("action.intended", action="traffic-50")
        assert (await stage.order(RollBack(reason="told to"))).ok
    fenced = await stage.until("run.fenced")
    assert fenced.by == "other engine"
    assert [effect for effect in world.effects if effect.startswith("script")] == []
    await asyncio.sleep(60)
    assert [effect for effect in world.effects if effect.startswith("script")] == []
    await stage.kill()
