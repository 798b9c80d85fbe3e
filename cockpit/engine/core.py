"""The truth of a run in the engine: state, observations, and the one way to record an event."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from cockpit.engine.lease import boot_time
from cockpit.engine.observations import Observations
from cockpit.engine.ports import Clock, Outside
from cockpit.engine.pulse import Turn
from cockpit.engine.store import Store
from cockpit.model.clock import RunClock
from cockpit.model.events import Event, JournalDegraded, JournalRecovered
from cockpit.model.reduce import SITUATION, reduce
from cockpit.model.run import RunState
from cockpit.model.status import Worker
from cockpit.runbook.schema import Runbook

CHANGES_KEPT = 200
"""So many of the last events that decisions depend on are kept, to say what changed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What does not change during a run. `instance` tells this engine's place from others of the same run.

    A `rehearsal` has a simulator in place of everything outside.
    """

    run: str
    book: Runbook
    outside: Outside
    lookup: Callable[[str], SecretStr]
    clock: RunClock
    commander: str
    context: str
    run_dir: Path
    pid: int
    boot_time: Callable[[], float] = boot_time
    instance: str = ""
    rehearsal: bool = False


@dataclass(slots=True)
class Core:
    """One run's truth. `record` is the only writer of `state`."""

    setting: Setting
    store: Store
    state: RunState = field(default_factory=RunState)
    seen: Observations = field(default_factory=Observations)
    version: int = 0
    changes: deque[Event] = field(default_factory=lambda: deque(maxlen=CHANGES_KEPT))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _writes: set[asyncio.Future[tuple[Event, ...]]] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> datetime:
        """The run time."""
        return self.setting.clock.now()

    async def record(self, *events: Event) -> None:
        """Make events durable, then fold them into the state; raises JournalError."""
        await self.record_if(lambda state: events)

    async def record_if(self, still: Callable[[RunState], tuple[Event, ...]]) -> tuple[Event, ...]:
        """Record what `still` makes of the state at this very moment; nothing can come between.

        A caller that is cancelled meanwhile leaves no row behind that the state does not know.
        """
        writing = asyncio.ensure_future(self._write(still))
        self._writes.add(writing)
        writing.add_done_callback(self._writes.discard)
        return await asyncio.shield(writing)

    async def _write(self, still: Callable[[RunState], tuple[Event, ...]]) -> tuple[Event, ...]:
        async with self._writing:
            epoch = max(self.state.epoch, 1)
            events = [
                event.model_copy(update={"epoch": epoch, **self.seen.frozen(event)}) for event in still(self.state)
            ]
            numbered = await self.store.append(events) if events or self.state.degraded else ()
            numbered += await self._tell_of_the_journal(epoch)
            for event in numbered:
                self.state = reduce(self.state, event)
                self.seen.history.heard(event)
            self.changes.extend(event for event in numbered if event.type in SITUATION)
        if numbered:
            self.wake.set()
            await self.touch()
        return numbered

    async def _tell_of_the_journal(self, epoch: int) -> tuple[Event, ...]:
        """A row that says that the journal takes no rows any more, or takes them again."""
        problem = self.store.problem
        if bool(problem) == bool(self.state.degraded):
            return ()
        header = {"at": self.now(), "actor": "engine", "epoch": epoch}
        return await self.store.append(
            (JournalDegraded(problem=problem, **header) if problem else JournalRecovered(**header),)
        )

    async def touch(self) -> None:
        """Tell the front ends that there is something new to see."""
        async with self._changed:
            self.version += 1
            self._changed.notify_all()

    async def changed(self, after: int) -> int:
        """Wait until the version is greater than `after`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.version > after)
            return self.version

    def turned(self, worker: Worker, within_s: float) -> None:
        """A worker has come round, and does so again within that many real seconds unless it hangs."""
        self.seen.turns[worker] = Turn(self.now(), self.setting.boot_time(), within_s)

    def real_seconds(self, run_seconds: float) -> float:
        """How long some run time takes on the wall."""
        return self.setting.clock.real_seconds(run_seconds)


@dataclass(frozen=True, slots=True)
class WallClock:
    """The `Clock` port over a RunClock."""

    clock: RunClock

    def now(self) -> datetime:
        """The run time, in UTC."""
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of run time."""
        await asyncio.sleep(self.clock.real_seconds(seconds))


def port(clock: RunClock) -> Clock:
    """The run's clock as the actions see it."""
    return WallClock(clock)
