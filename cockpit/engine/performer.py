"""Carries out actions: INTENT, effect, read back, OUTCOME."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta

from cockpit.engine.actions.base import (
    SHORTEST_DEADLINE_S,
    ActionFailure,
    Done,
    Found,
    Looked,
    Planned,
    Refusal,
    TrafficChange,
    World,
)
from cockpit.engine.actions.registry import HANDLERS, LOOKERS, SETTLE_S
from cockpit.engine.actions.restore import write_back
from cockpit.engine.actions.traffic import move, plan_weight
from cockpit.engine.authority import Authority
from cockpit.engine.core import Core, port
from cockpit.engine.drift import route_key, target_of
from cockpit.engine.effects import Perform
from cockpit.engine.plan import find_action
from cockpit.errors import Conflict, DeadlineExceeded, Fenced, OutsideError
from cockpit.journal.crashpoints import crash_point
from cockpit.model.events import (
    ActionAmbiguous,
    ActionFailed,
    ActionIntended,
    ActionLooked,
    ActionOutput,
    ActionProgressed,
    ActionReoffered,
    ActionSkipped,
    ActionSucceeded,
    DriftEnded,
    Event,
    Noted,
    WeightChanged,
)
from cockpit.model.guarded import said
from cockpit.model.outside import Printed
from cockpit.model.run import RunState, TrafficState
from cockpit.model.status import ActionStatus
from cockpit.runbook.actions import Action, OnAmbiguous

LOOK_S = 15.0
RETRY_DELAYS_S = (0.0, 0.5, 1.0, 2.0, 5.0)
READ_ONLY = frozenset({"http_checks", "workloads"})
Suspect = Callable[[str], Awaitable[None]]


class Performer:
    """Starts each effect once and records what became of it."""

    def __init__(self, core: Core, authority: Authority, suspect: Suspect) -> None:
        """`suspect` is told which guarded object somebody else seems to have changed."""
        self._core = core
        self._authority = authority
        self._suspect = suspect
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, effect: Perform) -> None:
        """Carry out an action in the background, unless it is under way."""
        if self.runs(effect):
            return
        work = self._look(effect) if effect.look else self._perform(effect)
        self._tasks[effect.key] = asyncio.create_task(work, name=f"action {effect.key}")

    def runs(self, effect: Perform) -> bool:
        """Whether the action is under way."""
        running = self._tasks.get(effect.key)
        return running is not None and not running.done()

    def errors(self) -> list[BaseException]:
        """What tasks died of that is no outcome (a journal that cannot be written)."""
        done = [task for task in self._tasks.values() if task.done() and not task.cancelled()]
        return [error for task in done if (error := task.exception()) is not None]

    async def stop_forward(self, keep: frozenset[str]) -> None:
        """Cancel every action but those in `keep`, and record that they were stopped."""
        stopped = {name: task for name, task in self._tasks.items() if name not in keep and not task.done()}
        for task in stopped.values():
            task.cancel()
        await asyncio.gather(*stopped.values(), return_exceptions=True)
        for name in stopped:
            if self._core.state.action(name).status is ActionStatus.RUNNING:
                await self._core.record(self._failed(name, "stopped: the run goes back", ""))

    async def close(self) -> None:
        """Cancel everything; what was under way is ambiguous until the next start reads it back."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _world(self, action_id: str, rollback: bool, deadline: float, ends: float = math.inf) -> World:
        core = self._core

        async def say(message: str) -> None:
            event = ActionProgressed(at=core.now(), actor="engine", action=action_id, message=message)
            await core.record(event)

        async def emit(printed: Printed) -> None:
            event = ActionOutput(
                at=core.now(),
                actor="engine",
                action=action_id,
                stream=printed.stream,
                lines=printed.lines,
                left_out=printed.left_out,
            )
            await core.record(event)

        return World(
            run=core.setting.run,
            book=core.setting.book,
            state=core.state,
            outside=core.setting.outside,
            clock=port(core.setting.clock),
            lookup=core.setting.lookup,
            pods=core.seen.known_pods,
            say=say,
            emit=emit,
            deadline=deadline,
            context=core.setting.context,
            real_seconds=core.real_seconds,
            rollback=rollback,
            ends=ends,
            measured=core.seen.measurements.get,
        )

    def _deadline(self, action: Action) -> float:
        """In real seconds; where run time is faster, no shorter than what an answer over a network needs."""
        seconds = action.deadline.total_seconds()
        return max(min(SHORTEST_DEADLINE_S, seconds), self._core.real_seconds(seconds))

    async def _look(self, effect: Perform) -> None:
        """Read what an action would do; what cannot be read is said, and the commander decides without it."""
        action = find_action(self._core.setting.book, effect.action)
        looker = None if action is None else LOOKERS.get(action.kind)
        if action is None or looker is None:
            return
        world = self._world(action.id, False, LOOK_S)
        try:
            async with asyncio.timeout(LOOK_S):
                looked = await looker.look(world, action)
        except Refusal as refusal:
            await self._core.record(self._failed(action.id, str(refusal), refusal.hint, action.optional))
            return
        except (OutsideError, ActionFailure, TimeoutError) as error:
            looked = Looked(f"what it would do cannot be read: {error or f'no answer within {LOOK_S:.0f} s'}")
        event = ActionLooked(
            at=self._core.now(), actor="engine", action=action.id, message=looked.message, facts=dict(looked.facts)
        )
        await self._core.record(event)

    async def _perform(self, effect: Perform) -> None:
        action = find_action(self._core.setting.book, effect.action)
        if action is None:
            return
        if effect.attempt > 1:
            await asyncio.sleep(RETRY_DELAYS_S[min(effect.attempt - 1, len(RETRY_DELAYS_S) - 1)])
        handler = HANDLERS[action.kind]
        deadline = self._deadline(action)
        try:
            async with asyncio.timeout(deadline + SETTLE_S.get(action.kind, 0.0)) as limit:
                target = target_of(self._core.setting.book, action)
                if action.kind not in READ_ONLY:
                    await self._authority.ensure(tested=bool(target), rollback=effect.rollback)
                world = self._world(action.id, effect.rollback, deadline, limit.when() or math.inf)
                planned = await handler.plan(world, action)
                await self._intend(action, effect.attempt, planned)
                crash_point(f"before-effect:{action.kind}")
                done = await handler.execute(world, action, planned)
                crash_point(f"after-effect:{action.kind}")
        except TimeoutError:
            await self._unknown(action, self._late(action), "")
        except DeadlineExceeded as error:
            await self._unknown(action, str(error), error.hint)
        except (OutsideError, ActionFailure) as error:
            await self._core.record(self._failed(action.id, str(error), error.hint, action.optional))
            await self._whose(error, target_of(self._core.setting.book, action))
        else:
            await self._core.record_if(lambda state: self._succeeded(state, action.id, done))

    def _late(self, action: Action) -> str:
        """What to say of an action that ran into its deadline: how far it had come, too."""
        known = self._core.state.action(action.id)
        last = f"; last: {known.message}" if known.status is ActionStatus.RUNNING and known.message else ""
        return f"took longer than {action.deadline}{last}"

    async def _whose(self, error: Exception, target: str) -> None:
        """A refused write may mean that somebody else changed the object, or commands it."""
        if isinstance(error, Fenced):
            await self._authority.lost(error)
        elif isinstance(error, Conflict) and target:
            await self._suspect(target)

    async def _intend(self, action: Action, attempt: int, planned: Planned) -> None:
        intent = ActionIntended(
            at=self._core.now(),
            actor="engine",
            action=action.id,
            kind=action.kind,
            attempt=attempt,
            request=planned.request,
            before=dict(planned.before),
            after=dict(planned.after),
            inverse=planned.inverse,
            target=target_of(self._core.setting.book, action),
        )
        await self._core.record(intent)

    def _failed(self, action_id: str, message: str, hint: str, optional: bool = False) -> Event:
        return ActionFailed(
            at=self._core.now(), actor="engine", action=action_id, message=message, hint=hint, optional=optional
        )

    async def _unknown(self, action: Action, message: str, hint: str) -> None:
        """A deadline passed. What can be read back is tried again; the rest is as the runbook says."""
        on_ambiguous = getattr(action, "on_ambiguous", None)
        started = self._core.state.action(action.id).status is ActionStatus.RUNNING
        now = self._core.now()
        if not started or on_ambiguous is None:
            await self._core.record(self._failed(action.id, message, hint, action.optional))
        elif on_ambiguous is OnAmbiguous.RETRY:
            await self._core.record(
                self._failed(action.id, f"{message}; it may have happened, doing it twice is harmless", hint)
            )
        elif on_ambiguous is OnAmbiguous.SKIP:
            await self._core.record(ActionSkipped(at=now, actor="engine", action=action.id, reason=message))
        else:
            await self._core.record(ActionAmbiguous(at=now, actor="engine", action=action.id, message=message))

    def _succeeded(self, state: RunState, action_id: str, done: Done) -> tuple[Event, ...]:
        now = self._core.now()
        succeeded = ActionSucceeded(
            at=now, actor="engine", action=action_id, message=done.message, facts=dict(done.facts)
        )
        return (succeeded,) if done.traffic is None else (succeeded, self._traffic(state, action_id, done.traffic))

    def _traffic(self, state: RunState, by: str, change: TrafficChange) -> Event:
        now = self._core.now()
        known = state.traffic or TrafficState(0, self._core.setting.book.cluster.stable, True, now)
        return WeightChanged(
            at=now,
            actor="engine",
            weight=known.weight if change.weight is None else change.weight,
            active=known.active if change.active is None else change.active,
            canary=known.canary if change.canary is None else change.canary,
            by=by,
        )

    def move_by_hand(self, weight: int, actor: str, reason: str) -> None:
        """Move the traffic outside the plan's steps, in the background."""
        name = f"slider-{self._core.state.seq}"
        self._tasks[name] = asyncio.create_task(self._move(name, weight, actor, reason), name=name)

    async def _move(self, name: str, weight: int, actor: str, reason: str) -> None:
        core = self._core
        world = self._world(name, rollback=False, deadline=SHORTEST_DEADLINE_S)
        try:
            async with asyncio.timeout(SHORTEST_DEADLINE_S):
                await self._authority.ensure(tested=True)
                planned = await plan_weight(world, weight)
                intent = ActionIntended(
                    at=core.now(),
                    actor=actor,
                    action=name,
                    kind="traffic",
                    attempt=1,
                    request=f"{planned.request}{f', by hand: {reason}' if reason else ', by hand'}",
                    before=dict(planned.before),
                    after=dict(planned.after),
                    inverse=planned.inverse,
                    target=route_key(core.setting.book.cluster),
                )
                await core.record(intent)
                done = await move(world, weight, planned, timedelta(0))
        except TimeoutError:
            await core.record(self._failed(name, "no answer in time; the live weight shows what is true", ""))
        except (OutsideError, ActionFailure) as error:
            await core.record(self._failed(name, str(error), error.hint))
            await self._whose(error, route_key(core.setting.book.cluster))
        else:
            await core.record_if(lambda state: self._succeeded(state, name, done))

    def restore(self, keys: tuple[str, ...], actor: str, reason: str) -> None:
        """Write back what somebody else changed, in the background."""
        for key in keys:
            name = f"restore-{key}-{self._core.state.seq}"
            self._tasks[name] = asyncio.create_task(self._restore(name, key, actor, reason), name=name)

    def stamp(self) -> None:
        """Stamp the guarded objects again, in the background."""
        self._tasks["stamp"] = asyncio.create_task(self._stamp(), name="stamp")

    async def _stamp(self) -> None:
        try:
            await self._authority.renew()
        except OutsideError as error:
            text = f"The guarded objects could not be stamped again: {error}"
            await self._core.record(Noted(at=self._core.now(), actor="engine", text=text, level="error"))

    async def _restore(self, name: str, key: str, actor: str, reason: str) -> None:
        core = self._core
        drifted = core.state.drift.get(key)
        if drifted is None:
            return
        intent = ActionIntended(
            at=core.now(),
            actor=actor,
            action=name,
            kind="restore",
            attempt=1,
            request=f"write back {key}: {said(drifted.expected)}{f' ({reason})' if reason else ''}",
            before=dict(drifted.found),
            after=dict(core.state.guarded[key].expected),
            target=key,
        )
        await core.record(intent)
        try:
            async with asyncio.timeout(SHORTEST_DEADLINE_S):
                await self._authority.ensure(tested=True)
                await write_back(core.setting.book, core.setting.outside, key, core.state.guarded[key].expected)
        except TimeoutError:
            await core.record(self._failed(name, f"no answer in time; {key} shows what is true", ""))
        except OutsideError as error:
            await core.record(self._failed(name, str(error), error.hint))
            await self._whose(error, "")
        else:
            now = core.now()
            done = ActionSucceeded(at=now, actor="engine", action=name, message=f"{key} is as it was")
            ended = DriftEnded(at=now, actor=actor, object=key, how="restored", reason=reason)
            await core.record_if(lambda state: (done, ended) if key in state.drift else (done,))

    async def recover(self) -> None:
        """Settle every INTENT without OUTCOME by reading its target."""
        for action_id, known in self._core.state.actions.items():
            if known.status is ActionStatus.RUNNING:
                await self._recover(action_id, Planned(known.message, known.before, known.after))

    async def _recover(self, action_id: str, planned: Planned) -> None:
        core = self._core
        action = find_action(core.setting.book, action_id)
        if action is None:
            await core.record(self._failed(action_id, "interrupted; the live weight shows what is true", ""))
            return
        handler = HANDLERS[action.kind]
        world = self._world(action_id, rollback=core.state.rollback is not None, deadline=SHORTEST_DEADLINE_S)
        found: Found | Done
        try:
            async with asyncio.timeout(SHORTEST_DEADLINE_S):
                found = await handler.recover(world, action, planned)
        except (OutsideError, TimeoutError) as error:
            note = f"{action_id} was interrupted and its target does not answer: {error}"
            await core.record(Noted(at=core.now(), actor="engine", text=note, level="warning"))
            found = Found.SAFE if world.rollback else Found.UNKNOWN
        if isinstance(found, Done):
            done = found
            await core.record_if(lambda state: self._succeeded(state, action_id, done))
        elif found is Found.SAFE or getattr(action, "on_ambiguous", None) is OnAmbiguous.RETRY:
            reason = "interrupted; its target was read, and it goes on"
            await core.record(ActionReoffered(at=core.now(), actor="engine", action=action_id, reason=reason))
        elif getattr(action, "on_ambiguous", None) is OnAmbiguous.SKIP:
            await core.record(ActionSkipped(at=core.now(), actor="engine", action=action_id, reason="interrupted"))
        else:
            message = "interrupted; whether it happened cannot be read back"
            await core.record(ActionAmbiguous(at=core.now(), actor="engine", action=action_id, message=message))
