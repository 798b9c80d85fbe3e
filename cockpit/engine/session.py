"""One run, from the first event to the last: replay, recover, run, serve."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from cockpit.engine import breakglass
from cockpit.engine.actions.switch import selector_for
from cockpit.engine.authority import Authority
from cockpit.engine.core import Core, Setting
from cockpit.engine.lease import boot_time
from cockpit.engine.machine import Sight, decide
from cockpit.engine.measuring import Measuring
from cockpit.engine.mirroring import Mirroring
from cockpit.engine.orders import Accepted, Moment, answer
from cockpit.engine.outbox import Outbox
from cockpit.engine.performer import Performer
from cockpit.engine.plan import rollback_actions, running_step
from cockpit.engine.ports import Outside
from cockpit.engine.seats import Outranked, Seats
from cockpit.engine.store import Store
from cockpit.engine.views import snapshot
from cockpit.engine.watching import Watching
from cockpit.model.clock import RunClock
from cockpit.model.commanding import Front, Place
from cockpit.model.commands import Command, Reply
from cockpit.model.events import CommandRefusedEvent, EngineStarted, Event, Noted, RunOpened
from cockpit.model.history import History, Mark
from cockpit.model.readings import Series
from cockpit.model.reduce import SITUATION, replay
from cockpit.model.run import RunState
from cockpit.model.snapshot import Snapshot
from cockpit.model.status import RunStatus, Worker
from cockpit.model.words import duration
from cockpit.runbook.load import LoadedRunbook
from cockpit.runbook.secrets import SecretStore

IDLE_S = 0.25
FAST_IDLE_S = 0.03
LAST_WORDS_S = 5.0
CLOCK_SET = timedelta(seconds=5)
"""A jump of the machine's clock that is worth a word."""
DECIDES_WITHIN_S = 15.0
"""Real seconds after which a session that has not decided again hangs; it is due every few seconds at most."""


class Session:
    """A run's engine without its sockets. `feed` is what front ends see."""

    def __init__(self, core: Core, runbook: LoadedRunbook, idle_s: float | None = None) -> None:
        self._core = core
        self._idle_s = idle_s or (IDLE_S if core.setting.clock.speed <= 1 else FAST_IDLE_S)
        self._authority = Authority(core)
        self._watching = Watching(core, self._authority.holder)
        self._ahead = timedelta()
        self._mirroring = Mirroring(core, self._authority.holder, runbook)
        self._performer = Performer(core, self._authority, self._watching.suspect, self._mirroring.hand_over)
        self._measuring = Measuring(core)
        self._outbox = Outbox(core)
        self.feed = SessionFeed(core, self._performer, self._authority)

    @classmethod
    async def open(
        cls,
        run: str,
        runbook: LoadedRunbook,
        journal: Store,
        outside: Outside,
        clock: RunClock,
        secrets: SecretStore,
        *,
        automatic: bool,
        commander: str,
        context: str,
        run_dir: Path,
        idle_s: float | None = None,
        boot_time: Callable[[], float] = boot_time,
        notes: Sequence[tuple[str, Literal["info", "warning"]]] = (),
        instance: str = "",
        rehearsal: bool = False,
    ) -> Session:
        """Replay the journal and record that an engine is here; raises JournalError.

        `idle_s` is how long, in real seconds, a deadline may be noticed late; `notes` are what was known when the run
        was opened; `instance` tells this place of the run from another bastion's; in a `rehearsal` all that is outside
        is simulated.
        """
        book = runbook.runbook

        def lookup(name: str) -> SecretStr:
            value = runbook.variables.get(name)
            return SecretStr(value) if value is not None else secrets.get(name)

        events = await journal.replay()
        if events:
            clock = clock.not_before(events[-1].at)
        setting = Setting(
            run, book, outside, lookup, clock, commander, context, run_dir, os.getpid(), boot_time, instance, rehearsal
        )
        core = Core(setting, journal, replay(events))
        core.changes.extend(event for event in events if event.type in SITUATION)
        core.seen.history = History.of(events)
        if not events:
            opened = RunOpened(
                at=core.now(),
                actor=commander,
                epoch=1,
                run=run,
                runbook=book.metadata.name,
                version=book.metadata.version,
                sha256=runbook.sha256,
                namespace=book.cluster.namespace,
                context=context,
                automatic=automatic,
            )
            known = (Noted(at=core.now(), actor=commander, text=text, level=level) for text, level in notes)
            await core.record(opened, *known)
        started = EngineStarted(at=core.now(), actor="engine", pid=os.getpid(), replayed=len(events))
        await core.record(started, *(_without(secrets.missing(), core.now()) if events else ()))
        return cls(core, runbook, idle_s)

    @property
    def state(self) -> RunState:
        """The run as it stands: always what a replay of the journal gives."""
        return self._core.state

    async def run(self) -> None:
        """Run until the run is closed; raises JournalError when nothing can be recorded any more."""
        await self._watching.check()
        await self._performer.recover()
        await self._watching.look()
        await self._write_break_glass()
        tasks = [asyncio.create_task(task, name=name) for name, task in self._tasks()]
        try:
            await self._decide_until_closed(tasks)
            await self._outbox.drain(LAST_WORDS_S)
            await self._mirroring.finish()
            await self._authority.release()
        finally:
            for task in tasks:
                task.cancel()
            await self._performer.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _tasks(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        return [
            ("pods", self._watching.pods()),
            ("guarded", self._watching.guarded()),
            ("lease", self._authority.keep_lease()),
            ("takeover", self._authority.take_over()),
            ("mirror", self._mirroring.run()),
            ("live", self._watching.live()),
            ("readiness", self._watching.readiness()),
            ("measuring", self._measuring.run()),
            ("outbox", self._outbox.run()),
        ]

    async def _decide_until_closed(self, tasks: list[asyncio.Task[None]]) -> None:
        while not self._core.state.closed:
            self._core.wake.clear()
            self._core.turned(Worker.DECISIONS, DECIDES_WITHIN_S)
            await self._tell_of_the_clock()
            await self._decide()
            for task in tasks:
                if task.done():
                    task.result()
            for error in self._performer.errors():
                raise error
            try:
                async with asyncio.timeout(self._idle_s):
                    await self._core.wake.wait()
            except TimeoutError:
                continue

    async def _tell_of_the_clock(self) -> None:
        """Say once that the machine's clock was set; the run's own goes on."""
        ahead = self._core.setting.clock.ahead()
        if abs(ahead - self._ahead) < CLOCK_SET:
            return
        way, self._ahead = "back" if ahead > self._ahead else "forward", ahead
        apart = duration(abs(ahead.total_seconds()))
        text = f"This machine's clock was set {way}; the run's goes on evenly and is {apart} apart from it"
        await self._core.record(Noted(at=self._core.now(), actor="engine", text=text, level="warning"))

    async def _decide(self) -> None:
        """Record and start what `decide` asks for until it asks for nothing more."""
        core = self._core
        while True:
            now, sight = core.now(), self._sight()
            decided = decide(core.setting.book, core.state, sight, now)
            if not decided.events:
                break
            await core.record_if(
                lambda state, sight=sight, now=now: decide(core.setting.book, state, sight, now).events  # type: ignore[misc]
            )
        if core.state.status is RunStatus.ROLLING_BACK:
            await self._performer.stop_forward(frozenset(action.id for action in rollback_actions(core.setting.book)))
        elif any(not self._performer.runs(effect) for effect in decided.effects):
            await self._write_break_glass()
        # Nothing is awaited between this look and the start, so that no effect starts on an old decision.
        for effect in decide(core.setting.book, core.state, self._sight(), core.now()).effects:
            self._performer.start(effect)

    def _sight(self) -> Sight:
        seen, step = self._core.seen, running_step(self._core.setting.book, self._core.state)
        return Sight(seen.blind_since, step is None or (seen.gate_checked_at is not None and seen.gate_step == step.id))

    async def _write_break_glass(self) -> None:
        """Write the sheet from what was last seen; a disk that refuses it does not stop the run."""
        core, book = self._core, self._core.setting.book
        seen = core.seen.selector
        stable = selector_for(book, core.state, book.cluster.stable, seen) if seen else None
        off = core.setting.outside.traffic.commands(0)
        core.seen.break_glass = breakglass.sheet(book, core.setting.context, stable, off, core.now())
        await asyncio.to_thread(_write_quietly, core.setting.run_dir / "break-glass.txt", core.seen.break_glass)


def _without(missing: Sequence[str], now: datetime) -> tuple[Event, ...]:
    """What a later engine lacks of what the first one had: it runs, for a rollback may need none of it."""
    if not missing:
        return ()
    text = (
        f"Secrets without a value where this engine was started: {', '.join(missing)}. What needs them fails; "
        "set them, end this engine (kill) and attach again"
    )
    return (Noted(at=now, actor="engine", text=text, level="warning"),)


def _write_quietly(path: Path, text: str) -> None:
    try:
        path.write_text(text)
        path.chmod(0o600)
    except OSError:
        return


class SessionFeed:
    """What the engine offers to its front ends."""

    def __init__(self, core: Core, performer: Performer, authority: Authority) -> None:
        self._core = core
        self._performer = performer
        self._authority = authority
        self._seats = Seats(core)
        self.run = core.setting.run

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._core.version

    async def changed(self, after: int) -> int:
        """Wait until `version` is greater than `after` and return it."""
        return await self._core.changed(after)

    def snapshot(self) -> Snapshot:
        """The present snapshot."""
        return snapshot(self._core)

    async def rows(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events with a seq greater than `since`, oldest first."""
        return await self._core.store.read(since, limit)

    def history(self) -> tuple[Iterator[Series], tuple[Mark, ...]]:
        """Everything that was measured in the run, and what happened beside it."""
        history = self._core.seen.history
        return history.series(), tuple(history.marks)

    async def join(self, front: Front) -> None:
        """A front end wants to command."""
        await self._seats.join(front)

    async def leave(self, front: Front) -> None:
        """A front end is gone."""
        await self._seats.leave(front)

    def place(self, front: Front) -> Place:
        """Where a front end stands."""
        return self._seats.place(front)

    async def order(self, actor: str, command: Command, front: Front | None = None) -> Reply:
        """Carry out a person's command: judged and recorded in one go, so that nothing comes between.

        `front` is the screen it comes from, None for a plain command.
        """
        core = self._core
        verdicts: list[Any] = []

        def judge(state: RunState) -> tuple[Event, ...]:
            moment = Moment(core.setting.book, state, core.now(), actor, tuple(core.changes))
            result = self._seats.refuse(actor, front, command) or answer(moment, command)
            verdicts.append(result)
            if isinstance(result, Accepted):
                return (*self._seats.moved(state, actor, front, command), *result.events)
            refused = CommandRefusedEvent(at=core.now(), actor=actor, command=command.kind, reason=result.message)
            return () if state.closed else (refused,)

        await core.record_if(judge)
        result = verdicts[0]
        if not isinstance(result, Accepted):
            outranked = isinstance(result, Outranked)
            return Reply(ok=False, message=result.message, hint=result.hint, outranked=outranked)
        self._set_off(result, actor, getattr(command, "reason", ""))
        return Reply(ok=True, message=result.message)

    def _set_off(self, result: Accepted, actor: str, reason: str) -> None:
        """What a command asks the runner for besides its events."""
        if result.lease:
            self._authority.reclaim()
        if result.stamp:
            self._performer.stamp()
        if result.weight is not None:
            self._performer.move_by_hand(result.weight, actor, reason)
        if result.restore:
            self._performer.restore(result.restore, actor, reason)
