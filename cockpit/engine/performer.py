"""Carries out actions: INTENT, effect, read back, OUTCOME."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from cockpit.engine import outcomes
from cockpit.engine.actions.base import SHORTEST_DEADLINE_S, ActionFailure, Done, Looked, Planned, Refusal, World
from cockpit.engine.actions.registry import HANDLERS, LOOKERS, SETTLE_S
from cockpit.engine.authority import Authority
from cockpit.engine.by_hand import RESTORE, ByHand
from cockpit.engine.core import Core, port
from cockpit.engine.drift import target_of
from cockpit.engine.effects import Perform
from cockpit.engine.machine import Sight, decide
from cockpit.engine.plan import find_action
from cockpit.engine.recovery import Recovery
from cockpit.errors import Conflict, DeadlineExceeded, Fenced, OutsideError
from cockpit.journal.crashpoints import crash_point
from cockpit.model.events import (
    ActionAmbiguous,
    ActionIntended,
    ActionLooked,
    ActionOutput,
    ActionProgressed,
    ActionSkipped,
    Event,
)
from cockpit.model.outside import Printed
from cockpit.model.run import RunState
from cockpit.model.status import ActionStatus
from cockpit.runbook.actions import Action, OnAmbiguous

LOOK_S = 15.0
RETRY_DELAYS_S = (0.0, 0.5, 1.0, 2.0, 5.0)
READ_ONLY = frozenset({"http_checks", "workloads"})
HAND_OVER_S = 3.0
HAND_OVER_IN_ROLLBACK_S = 1.0
"""Real seconds that the mirror may take before an effect that another bastion could not read back."""
Suspect = Callable[[str], Awaitable[None]]
HandOver = Callable[[float], Awaitable[None]]


class Performer:
    """Starts each effect once and records what became of it."""

    def __init__(self, core: Core, authority: Authority, suspect: Suspect, hand_over: HandOver) -> None:
        """`suspect` is told which guarded object somebody else seems to have changed.

        `hand_over` takes the record to where another bastion finds it, in at most so many real seconds.
        """
        self._core = core
        self._hand_over = hand_over
        self._authority = authority
        self._suspect = suspect
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._by_hand = ByHand(core, authority, lambda name: self._world(name, False, SHORTEST_DEADLINE_S), self._whose)

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
            await self._core.record_if(lambda state, name=name: self._stopped(state, name))  # type: ignore[misc]

    def _stopped(self, state: RunState, name: str) -> tuple[Event, ...]:
        """A write of the action itself may have come before this one."""
        running = state.action(name).status is ActionStatus.RUNNING
        return (outcomes.failed(self._core.now(), name, "stopped: the run goes back"),) if running else ()

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
            await self._core.record(
                outcomes.failed(self._core.now(), action.id, str(refusal), refusal.hint, action.optional)
            )
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
        deadline = self._deadline(action)
        try:
            async with asyncio.timeout(deadline + SETTLE_S.get(action.kind, 0.0)) as limit:
                done = await self._carry_out(action, effect, deadline, limit.when() or math.inf)
        except TimeoutError:
            await self._unknown(action, self._late(action), "")
        except DeadlineExceeded as error:
            await self._unknown(action, str(error), error.hint)
        except (OutsideError, ActionFailure) as error:
            await self._core.record(
                outcomes.failed(self._core.now(), action.id, str(error), error.hint, action.optional)
            )
            await self._whose(error, target_of(self._core.setting.book, action))
        else:
            await self._core.record_if(lambda state: self._succeeded(state, action.id, done))

    def _late(self, action: Action) -> str:
        """What to say of an action that ran into its deadline: how far it had come, too."""
        known = self._core.state.action(action.id)
        last = f"; last: {known.message}" if known.status is ActionStatus.RUNNING and known.message else ""
        return f"took longer than {action.deadline}{last}"

    async def _carry_out(self, action: Action, effect: Perform, deadline: float, ends: float) -> Done | None:
        """INTENT and effect; None when nobody asks for the effect any more."""
        handler = HANDLERS[action.kind]
        if action.kind not in READ_ONLY:
            tested = bool(target_of(self._core.setting.book, action))
            await self._authority.ensure(tested=tested, rollback=effect.rollback)
        world = self._world(action.id, effect.rollback, deadline, ends)
        planned = await handler.plan(world, action)
        if not await self._intend(action, effect, planned):
            return None
        if not target_of(self._core.setting.book, action) and action.kind not in READ_ONLY:
            await self._last_look(action, effect)
        crash_point(f"before-effect:{action.kind}")
        done = await handler.execute(world, action, planned)
        crash_point(f"after-effect:{action.kind}")
        return done

    async def _last_look(self, action: Action, effect: Perform) -> None:
        """Before an effect that tests nothing itself: no other bastion may do it again, and this one still commands.

        Raises Conflict when it does not: it may have been asleep since it read the stamp.
        """
        if getattr(action, "on_ambiguous", None) in (OnAmbiguous.ASK, OnAmbiguous.SKIP):
            await self._hand_over(HAND_OVER_IN_ROLLBACK_S if effect.rollback else HAND_OVER_S)
            await self._authority.confirm(rollback=effect.rollback)
        reason = self._authority.refusal()
        if reason:
            raise Conflict(f"Not begun: {reason}", "Nothing was changed. A rollback works all the same.")

    def _succeeded(self, state: RunState, action_id: str, done: Done | None) -> tuple[Event, ...]:
        if done is None:
            return ()
        return outcomes.succeeded(self._core.setting.book, state, action_id, done, self._core.now())

    async def _whose(self, error: Exception, target: str) -> None:
        """A refused write may mean that somebody else changed the object, or commands it."""
        if isinstance(error, Fenced):
            await self._authority.lost(error)
        elif isinstance(error, Conflict) and target:
            await self._suspect(target)

    async def _intend(self, action: Action, effect: Perform, planned: Planned) -> bool:
        """Record the INTENT if the effect is still asked for: looking at the world takes time, in which a person may
        hold the run or send it back."""
        intent = ActionIntended(
            at=self._core.now(),
            actor="engine",
            action=action.id,
            kind=action.kind,
            attempt=effect.attempt,
            request=planned.request,
            before=dict(planned.before),
            after=dict(planned.after),
            inverse=planned.inverse,
            target=target_of(self._core.setting.book, action),
        )
        recorded = await self._core.record_if(lambda state: (intent,) if self._wanted(state, effect) else ())
        return any(event.type == intent.type for event in recorded)

    def _wanted(self, state: RunState, effect: Perform) -> bool:
        core = self._core
        return effect in decide(core.setting.book, state, Sight(core.seen.blind_since), core.now()).effects

    async def _unknown(self, action: Action, message: str, hint: str) -> None:
        """A deadline passed. What can be read back is tried again; the rest is as the runbook says."""
        await self._core.record_if(lambda state: (self._after_deadline(state, action, message, hint),))

    def _after_deadline(self, state: RunState, action: Action, message: str, hint: str) -> Event:
        on_ambiguous = getattr(action, "on_ambiguous", None)
        started = state.action(action.id).status is ActionStatus.RUNNING
        now = self._core.now()
        if not started or on_ambiguous is None:
            return outcomes.failed(now, action.id, message, hint, action.optional)
        if on_ambiguous is OnAmbiguous.RETRY:
            harmless = f"{message}; it may have happened, doing it twice is harmless"
            return outcomes.failed(now, action.id, harmless, hint)
        if on_ambiguous is OnAmbiguous.SKIP:
            return ActionSkipped(at=now, actor="engine", action=action.id, reason=message)
        return ActionAmbiguous(at=now, actor="engine", action=action.id, message=message)

    def move_by_hand(self, weight: int, actor: str, reason: str) -> None:
        """Move the traffic outside the plan's steps, in the background."""
        name = f"slider-{self._core.state.seq}"
        self._tasks[name] = asyncio.create_task(self._by_hand.move(name, weight, actor, reason), name=name)

    def restore(self, keys: tuple[str, ...], actor: str, reason: str) -> None:
        """Write back what somebody else changed, in the background."""
        for key in keys:
            name = f"{RESTORE}{key}-{self._core.state.seq}"
            self._tasks[name] = asyncio.create_task(self._by_hand.restore(name, key, actor, reason), name=name)

    def stamp(self) -> None:
        """Stamp the guarded objects again, in the background."""
        self._tasks["stamp"] = asyncio.create_task(self._by_hand.stamp(), name="stamp")

    async def recover(self) -> None:
        """Settle every INTENT without OUTCOME by reading its target."""
        await Recovery(self._core, self._recovering_world, self._by_hand).run()

    def _recovering_world(self, action_id: str) -> World:
        return self._world(action_id, self._core.state.rollback is not None, SHORTEST_DEADLINE_S)
