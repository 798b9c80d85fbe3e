"""A world and a journal that die at a numbered point, as an engine does that is killed there.

A point is passed before and after every journal write and after every mutation of the world: each effect, each stamp
of a guarded object, each write of the Lease, each message. From its death on an engine reads, writes and changes
nothing; the next one starts on the same journal and the same world.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cockpit.model.commands import Adopt, Advance, Command, Override, Resume, RollBack, Tick
from cockpit.model.events import Event
from cockpit.model.outside import Emit, Message, Printed, Program, ProgramResult
from cockpit.model.reduce import replay
from cockpit.model.run import RunState
from cockpit.model.status import ActionStatus, RunStatus
from cockpit.runbook.load import LoadedRunbook, load
from tests.engine.world import SECRETS, MemoryStore, Stage, World

RUNBOOK = Path(__file__).resolve().parents[1] / "data/runbooks/every-kind.yaml"
LONGEST_S = 3_000
MOST_EVENTS = 1_000
EFFECT_OF = {
    "flush-redis": "flush",
    "back-flush": "flush",
    "warm-up": "script warm-up",
    "back-warm-up": "script back-warm-up",
}
"""The effect of each action that cannot be read back, by the action."""


class Crash(BaseException):
    """The engine was killed. No code of the product catches it."""


watching: ContextVar[bool] = ContextVar("watching", default=False)
"""Whether this is done for an observer, in whatever task: then nothing may be asked, changed or recorded."""


@dataclass
class Doom:
    """Counts the points that are passed, and dies at number `at` (0: never)."""

    at: int = 0
    passed: list[str] = field(default_factory=list)
    dead: bool = False

    def check(self) -> None:
        if watching.get():
            raise AssertionError("an observer reached the world or the journal's writer")
        if self.dead:
            raise Crash("dead")

    def point(self, name: str) -> None:
        self.check()
        self.passed.append(name)
        if len(self.passed) == self.at:
            self.dead = True
            raise Crash(name)


class FragileStore(MemoryStore):
    """A journal in memory that dies before or after a write; each write takes a moment, as a real one does."""

    def __init__(self, doom: Doom, events: Sequence[Event] = ()) -> None:
        super().__init__(events)
        self.doom = doom
        self.alarm_at = ""
        self.broken: list[str] = []
        self.alarm = asyncio.Event()

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        self.doom.check()
        await asyncio.sleep(0)
        types = "+".join(event.type for event in events)
        if len(self.events) > MOST_EVENTS:
            self.doom.dead = True
            self.broken.append("the run goes round in circles")
            raise AssertionError(f"the run goes round in circles: {[e.type for e in self.events[-8:]]}")
        self.doom.point(f"before {types}")
        numbered = await super().append(events)
        if any(event.type == "action.intended" and event.action == self.alarm_at for event in numbered):
            self.alarm.set()
        self.doom.point(f"after {types}")
        await asyncio.sleep(0)
        self.doom.check()
        return numbered


class _Stamps(dict[str, tuple[int, str]]):
    def __init__(self, world: FragileWorld) -> None:
        super().__init__()
        self._world = world

    def __setitem__(self, key: str, value: tuple[int, str]) -> None:
        self._world.doom.check()
        super().__setitem__(key, value)
        self._world.doom.point(f"after stamp {key}")


class _Sent(list[Message]):
    def __init__(self, world: FragileWorld) -> None:
        super().__init__()
        self._world = world

    def append(self, message: Message) -> None:
        self._world.doom.check()
        super().append(message)
        self._world.doom.point("after message")


class FragileWorld(World):
    """The world of the whole-run tests, whose every mutation is a point."""

    doom = Doom()

    def __init__(self, doom: Doom) -> None:
        super().__init__(rollout_s=4.0)
        self.doom = doom
        self.witness: Callable[[str], None] = lambda what: None
        self.stamps = _Stamps(self)
        self.sent = _Sent(self)

    def __setattr__(self, name: str, value: Any) -> None:
        lease = name == "lease" and "lease" in self.__dict__
        if lease:
            self.doom.check()
        super().__setattr__(name, value)
        if lease:
            self.doom.point("after lease")

    def reach(self) -> None:
        self.doom.check()
        super().reach()

    def effect(self, what: str) -> None:
        self.doom.check()
        if what.startswith(("switch", "canary")):
            self.keys = 1234  # the application fills its cache again
        self.witness(what)
        super().effect(what)
        self.doom.point(f"after effect {what}")


class FragilePrograms:
    """The user's program: it warms something up and takes a second."""

    def __init__(self, world: FragileWorld) -> None:
        self.world = world

    def inspect(self, argv: Sequence[str]) -> str:
        self.world.doom.check()
        return "0" * 64

    def left_behind(self, environ: Mapping[str, str]) -> tuple[int, ...]:
        self.world.doom.check()
        return ()

    async def end_left_behind(self, environ: Mapping[str, str]) -> tuple[int, ...]:
        return self.left_behind(environ)

    async def run(self, program: Program, emit: Emit) -> ProgramResult:
        await emit(Printed("out", ("warming up",)))
        self.world.effect("script back-warm-up" if program.environ["COCKPIT_REASON"] else "script warm-up")
        await asyncio.sleep(1)
        return ProgramResult(exit_code=0, tail=("warm",))


@cache
def every_kind() -> LoadedRunbook:
    return load(RUNBOOK, {}, SECRETS)


@dataclass
class Play:
    """One run of the runbook with every kind of action, over as many lives of the engine as it takes.

    `back_after` names the action after whose INTENT the commander rolls back; empty means a run to its end.
    """

    tmp: Path
    back_after: str = ""
    dooms: tuple[int, ...] = ()
    book: LoadedRunbook = field(default_factory=every_kind)
    instance: str = ""
    asked: list[str] = field(default_factory=list)
    lives: list[Doom] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.doom = Doom()
        self.world = FragileWorld(self.doom)
        self.world.witness = self._witness
        self.store = FragileStore(self.doom)
        self.broken = self.store.broken
        self.store.alarm_at = self.back_after

    def _witness(self, what: str) -> None:
        """Every mutation has an open INTENT before it, of the epoch that is stamped."""
        state, stamps = self.state, {epoch for epoch, _ in self.world.stamps.values()}
        if not any(known.status is ActionStatus.RUNNING for known in state.actions.values()):
            self.broken.append(f"{what} has no INTENT")
        if stamps != {state.epoch}:
            self.broken.append(f"{what} in epoch {state.epoch}, stamped {stamps}")

    @property
    def state(self) -> RunState:
        return replay(self.store.events)

    async def run(self) -> Play:
        """Live until the run has ended in a life without a death."""
        for at in (*self.dooms, 0):
            self.doom = self.world.doom = self.store.doom = Doom(at)
            self.lives.append(self.doom)
            await self._live()
            if not self.doom.dead:
                break
        return self

    async def _live(self) -> None:
        programs = FragilePrograms(self.world)
        stage = Stage(
            self.world, self.store, self.tmp, self.book, automatic=True, programs=programs, instance=self.instance
        )
        try:
            await stage.start()
            async with asyncio.timeout(LONGEST_S):
                while not self.doom.dead and not self._ended():
                    await self._person(stage)
                    await self._next_look()
                if not self.doom.dead and stage.session is not None and stage.session.state != self.state:
                    self.broken.append("the state is not what the journal says")
        except Crash:
            pass
        finally:
            self.doom.dead, killed = True, self.doom.dead
            if stage.task is not None:
                await stage.kill()
            self.doom.dead = killed

    async def _next_look(self) -> None:
        """The person looks every second, and at once when the moment to go back has come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.store.alarm.wait()
        self.store.alarm.clear()

    def _ended(self) -> bool:
        state = self.state
        if not state.status.final:
            return False
        return all(message.status in ("sent", "failed") for message in state.messages.values())

    async def _person(self, stage: Stage) -> None:
        """What the commander does when it is up to a person; each order is given until it has been heeded."""
        state = self.state
        intended = any(
            event.type == "action.intended" and event.action == self.back_after for event in self.store.events
        )
        if intended and state.status.forward:
            await self._order(stage, RollBack(reason="told to"))
        elif state.rollback is not None and state.status is RunStatus.ROLLING_BACK:
            if not state.ticked("back-looked"):
                await self._order(stage, Tick(item="back-looked"))
        elif state.drift:
            # What another bastion did after its last copy looks like somebody else's change.
            await self._order(stage, Adopt(reason="the other bastion did it"))
        elif state.held:
            await self._order(stage, Resume())
        else:
            for action, known in state.actions.items():
                if known.status is ActionStatus.AMBIGUOUS:
                    self.asked.append(action)
                    happened = EFFECT_OF[action] in self.world.effects
                    await self._order(stage, Override(reason="looked: it happened") if happened else Advance())

    async def _order(self, stage: Stage, command: Command) -> None:
        reply = await stage.order(command)
        assert reply.ok, reply
