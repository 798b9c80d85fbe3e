"""Random orders, faults and deaths in fake time, and what must hold all the while.

CI plays the same scripts each time; `--hypothesis-profile=nightly` plays many more, and others.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import looptime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.engine.authority import signature
from cockpit.errors import Unreachable
from cockpit.link.publisher import Publisher, Subscriber
from cockpit.model import commands as cmd
from cockpit.model.events import CommandTaken
from cockpit.model.lease import LeaseState
from cockpit.model.reduce import replay
from cockpit.model.run import RunState
from cockpit.model.status import ActionStatus, RunStatus
from tests.crash.fragile import Crash, Doom, FragilePrograms, FragileStore, FragileWorld, every_kind, watching
from tests.engine.world import Stage

ROLLBACK_S = 300
RUN, OTHER = "moshimoshi-test", "other engine"
KINDS = {
    "weight": {"traffic", "restore"},
    "canary": {"canary_off", "restore"},
    "switch": {"switch", "restore"},
    "image": {"deploy", "restore"},
    "purge": {"purge_cdn"},
    "flush": {"exec"},
    "script": {"script"},
    "job": {"job"},
}
ROUTE = "ingress/moshimoshi-ingress-canary"
ORDERS: tuple[cmd.Command, ...] = (
    cmd.Advance(), cmd.Hold(reason="wait"), cmd.Resume(), cmd.Override(reason="looked"), cmd.RollBack(reason="told to"),
    cmd.SetWeight(weight=20, reason="slowly"), cmd.SetWeight(weight=70, reason="more"), cmd.Tick(item="looked"),
    cmd.Tick(item="back-looked"), cmd.Adopt(reason="fine"), cmd.Restore(reason="ours"), cmd.Acknowledge(),
)  # fmt: skip
FAULTS = (
    "api down", "api up", "lose an answer", "weight by somebody else", "switch by somebody else",
    "image by somebody else", "errors", "silence", "well again", "disk full", "disk well", "lease taken", "lease lost",
    "fenced",
)  # fmt: skip

orders = st.sampled_from(ORDERS).map(lambda command: ("order", command))
waits = st.sampled_from((0, 1, 3, 8, 20, 60)).map(lambda seconds: ("wait", seconds))
faults = st.sampled_from(FAULTS).map(lambda name: ("fault", name))
deaths = st.integers(1, 25).map(lambda points: ("die", points))
looks = st.just(("observe", None))
scripts = st.lists(st.one_of(waits, orders, waits, faults, deaths, looks), min_size=4, max_size=40)


class Wire:
    """The writing end of an observer's socket, which keeps what was sent."""

    def __init__(self) -> None:
        self.sent = b""

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes) -> None:
        self.sent += data


@dataclass
class Chaos:
    """One run of the runbook with every kind of action under a script."""

    directory: Path
    automatic: bool
    broken: list[str] = field(default_factory=list)
    per_intent: Counter[tuple[str, int]] = field(default_factory=Counter)
    stage: Stage | None = None
    instance: str = ""

    def __post_init__(self) -> None:
        self.world, self.store = FragileWorld(Doom()), FragileStore(Doom())
        self.store.broken = self.broken
        self.world.witness = self._witness

    @property
    def state(self) -> RunState:
        return replay(self.store.events)

    def _witness(self, what: str) -> None:
        """Each mutation: an open INTENT before it, of the epoch that every object bears; one effect for each INTENT."""
        state, kinds = self.state, KINDS[what.split()[0]]
        intents = [e for e in self.store.events if e.type == "action.intended" and e.kind in kinds]
        opened = [e for e in intents if state.action(e.action).status is ActionStatus.RUNNING]
        if not opened:
            self.broken.append(f"{what} without an INTENT")
            return
        if opened[-1].epoch != state.epoch:
            self.broken.append(f"{what} by an INTENT of epoch {opened[-1].epoch} in epoch {state.epoch}")
        self.per_intent[what, opened[-1].seq] += 1
        if self.per_intent[what, opened[-1].seq] > 1:
            self.broken.append(f"{what} twice by one INTENT")
        if "script" in what and not self._by_a_person(opened[-1].action, opened[-1].seq):
            self.broken.append(f"{what} again, and nobody said so")

    def _by_a_person(self, action: str, seq: int) -> bool:
        """Whether an effect that cannot be read back is the first, or a person has asked for another."""
        earlier = [e.seq for e in self.store.events if e.type == "action.intended" and e.action == action]
        if len(earlier) < 2:
            return True
        between = [e for e in self.store.events if earlier[-2] < e.seq < seq]
        asked = any(e.type == "action.reoffered" and e.action == action and e.actor != "engine" for e in between)
        return asked or any(e.type in ("rollback.started", "action.failed") for e in between)

    async def live(self, instance: str = "") -> None:
        """Start an engine; `instance` is the bastion's."""
        self.instance = instance or self.instance
        self.world.doom = self.store.doom = Doom()
        book = every_kind()
        self.stage = Stage(
            self.world, self.store, self.directory, book, automatic=self.automatic, instance=self.instance
        )
        self.stage.programs = FragilePrograms(self.world)
        await self.stage.start()

    async def die(self) -> None:
        """End the engine as SIGKILL would, and start the next."""
        self.world.doom.dead = True
        if self.stage is not None and self.stage.task is not None:
            await self.stage.kill()
        await self.live()

    async def play(self, script: list[tuple[str, Any]]) -> None:
        await self.live()
        for kind, what in script:
            if kind == "wait":
                await asyncio.sleep(what)
            elif kind == "order":
                await self.order(what)
            elif kind == "fault":
                self.fault(what)
            elif kind == "observe":
                await self.observe()
            else:
                self.world.doom.at = len(self.world.doom.passed) + what
                await asyncio.sleep(2)
            await self.check()
        await self.go_back()

    async def check(self) -> None:
        """What must hold at all times."""
        await asyncio.sleep(0.01)
        assert self.broken == []
        if self.world.doom.dead:
            await self.die()
        assert self.stage is not None
        assert self.stage.session is not None
        if self.stage.task is not None and self.stage.task.done() and not self.state.closed:
            self.stage.task.result()
            raise AssertionError("the engine has ended")
        told = self.stage.session.state
        assert told == replay(self.store.events[: told.seq]), "the state is not what the journal says"

    async def order(self, command: cmd.Command) -> None:
        assert self.stage is not None
        with suppress(Crash):
            await self.stage.order(command)

    async def observe(self) -> None:
        """All that the watch socket does for an observer who attaches, gets what changes, and leaves."""
        assert self.stage is not None
        assert self.stage.session is not None
        token, wire = watching.set(True), Wire()
        try:
            publisher = Publisher(self.stage.session.feed)
            subscriber = Subscriber(wire)  # type: ignore[arg-type]
            await publisher.subscribe(subscriber, 0, snapshots=True)
            await publisher.publish()
            publisher.unsubscribe(subscriber)
        finally:
            watching.reset(token)
        assert wire.sent.startswith(b'{"t":"state"')

    def fault(self, name: str) -> None:
        world = self.world
        if name == "lease taken":
            world.__dict__["lease"] = LeaseState(OTHER, 7, renewed="7", version="7")
        elif name == "lease lost":
            world.__dict__["lease"] = None
        elif name == "fenced" and self.state.guarded:
            for key in list(world.stamps):
                dict.__setitem__(world.stamps, key, (self.state.epoch + 5, OTHER))
        elif name in ("errors", "silence", "well again"):
            world.values["error_rate"] = {"errors": 9.0, "silence": Unreachable("no", ""), "well again": 0.04}[name]
        elif name.startswith("disk"):
            self.store.problem = "the disk is full" if name == "disk full" else ""
        else:
            self._world_fault(name)

    def _world_fault(self, name: str) -> None:
        world = self.world
        if name.startswith("api"):
            world.api_down = name == "api down"
        elif name == "lose an answer":
            world.lose_answers += 1
        elif name.startswith("weight"):
            world.weight = 33
        elif name.startswith("switch"):
            world.active = "blue" if world.active == "green" else "green"
        elif name.startswith("image"):
            world.images["blue"] = "app:theirs"

    async def go_back(self) -> None:
        """From every reachable state a rollback ends on stable, or says why it cannot.

        An engine that was replaced does not carry it out, whatever it is told: who takes the run over does.
        """
        for name in ("api up", "disk well", "well again"):
            self.fault(name)
        self.world.lose_answers = self.world.doom.at = 0
        await asyncio.sleep(30)
        await self.check()
        if self._replaced():
            await self._writes_nothing()
            await self._is_taken_over()
        await self._roll_back()
        self.assert_back()

    def _replaced(self) -> bool:
        return self.state.fenced is not None or OTHER in self._commanders()

    def _commanders(self) -> list[str]:
        """Who has stamped the objects, and who holds the Lease."""
        lease = self.world.lease
        return [*(holder for _, holder in self.world.stamps.values()), *([lease.holder] if lease else [])]

    async def _writes_nothing(self) -> None:
        def written() -> tuple[list[str], dict[str, tuple[int, str]], LeaseState | None]:
            return list(self.world.effects), dict(self.world.stamps), self.world.lease

        before = written()
        for _ in range(60):
            await self.order(cmd.RollBack(reason="whatever it is told"))
            await asyncio.sleep(1)
        await self.check()
        assert written() == before, "a replaced engine has written"

    async def _is_taken_over(self) -> None:
        """Another bastion goes on from the copy of the journal, as `cockpit takeover` begins there."""
        await self.end()
        state, lease = self.state, self.world.lease
        # Who has stamped the objects has mirrored its run.
        replaced = next((holder for _, holder in self.world.stamps.values() if holder), signature(RUN, "ada", ""))
        epoch = max([state.epoch, *(epoch for epoch, _ in self.world.stamps.values())])
        taken = CommandTaken(
            at=self.store.events[-1].at, actor="ada", epoch=epoch, previous="ada", reason="gone", replaces=replaced
        )
        self.world.__dict__["lease"] = LeaseState(
            signature(RUN, "ada", "b"), (lease.epoch if lease else 0) + 1, renewed="b", version="b"
        )
        events, seq = list(self.store.events), len(self.store.events) + 1
        self.store = FragileStore(Doom(), [*events, taken.model_copy(update={"seq": seq})])
        self.store.broken = self.broken
        await self.live(instance="b")
        await asyncio.sleep(10)
        await self.check()
        assert self.state.fenced is None
        assert set(self._commanders()) - {""} <= {signature(RUN, "ada", "b")}

    async def _roll_back(self) -> None:
        for _ in range(ROLLBACK_S):
            if self.state.rollback is None:
                await self.order(cmd.RollBack(reason="the end of the script"))
            if self.state.status in (RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_FAILED):
                break
            await asyncio.sleep(1)
            await self.order(cmd.Tick(item="back-looked"))
            await self.check()

    def assert_back(self) -> None:
        state = self.state
        assert state.fenced is None
        assert state.rollback is not None
        assert state.status in (RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_FAILED), state.status
        assert state.rollback.steps["rollback-traffic"].status == "done"
        if state.status is RunStatus.ROLLBACK_FAILED:
            assert [step.message for step in state.rollback.steps.values() if step.status == "failed" and step.message]

    async def end(self) -> None:
        self.world.doom.dead = True
        if self.stage is not None and self.stage.task is not None:
            await self.stage.kill()


@given(script=scripts, automatic=st.booleans())
@pytest.mark.usefixtures("one_thread")
def test_nothing_is_repeated_skipped_or_called_done(script: list[tuple[str, Any]], automatic: bool) -> None:
    loop = looptime.new_event_loop()
    with tempfile.TemporaryDirectory() as name:
        chaos = Chaos(Path(name), automatic)

        async def whole() -> None:
            try:
                await chaos.play(script)
            finally:
                await chaos.end()

        try:
            loop.run_until_complete(whole())
        finally:
            loop.close()
