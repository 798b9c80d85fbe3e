"""What a person does to the traffic outside the plan: moves the slider, or has a drift written back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from cockpit.engine import outcomes
from cockpit.engine.actions.base import ActionFailure, Done, TrafficChange, World
from cockpit.engine.actions.restore import write_back
from cockpit.engine.actions.traffic import move, plan_weight
from cockpit.engine.authority import Authority
from cockpit.engine.core import Core
from cockpit.engine.drift import route_key
from cockpit.errors import OutsideError
from cockpit.model.events import (
    ActionAmbiguous,
    ActionIntended,
    ActionSucceeded,
    DriftEnded,
    Event,
    Noted,
)
from cockpit.model.guarded import ENABLED, WEIGHT, said
from cockpit.model.run import ActionState, RunState

DEADLINE_S = 15.0
RESTORE = "restore-"
Whose = Callable[[Exception, str], Awaitable[None]]


class ByHand:
    """INTENT, effect and OUTCOME of what no action of the runbook asks for."""

    def __init__(self, core: Core, authority: Authority, world: Callable[[str], World], whose: Whose) -> None:
        """`whose` is told of a refused write and its target."""
        self._core = core
        self._authority = authority
        self._world = world
        self._whose = whose

    async def move(self, name: str, weight: int, actor: str, reason: str) -> None:
        """Move the traffic, if that may still be done when it comes to it."""
        core = self._core
        target = route_key(core.setting.book.cluster)
        world = self._world(name)
        try:
            async with asyncio.timeout(DEADLINE_S):
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
                    target=target,
                )
                if not await self._intended(intent, lambda state: not (state.held or state.drift)):
                    return
                done = await move(world, weight, planned, timedelta(0))
        except TimeoutError:
            await self._failed(name, "no answer in time; the live weight shows what is true")
        except (OutsideError, ActionFailure) as error:
            await self._failed(name, str(error), error.hint)
            await self._whose(error, target)
        else:
            await core.record_if(lambda state: outcomes.succeeded(core.setting.book, state, name, done, core.now()))

    async def restore(self, name: str, key: str, actor: str, reason: str) -> None:
        """Write back what somebody else changed, if it is still so when it comes to it."""
        core = self._core
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._authority.ensure(tested=True)
                expected = await self._intends_to_restore(name, key, actor, reason)
                if expected is None:
                    return
                await write_back(core.setting.book, core.setting.outside, key, expected)
        except TimeoutError:
            await self._failed(name, f"no answer in time; {key} shows what is true")
        except OutsideError as error:
            await self._failed(name, str(error), error.hint)
            await self._whose(error, "")
        else:
            await core.record_if(lambda state: self._written_back(state, name, key, actor, reason))

    async def _intends_to_restore(self, name: str, key: str, actor: str, reason: str) -> Mapping[str, str] | None:
        """What is to be written back, with its INTENT recorded; None when there is nothing to write back any more."""
        state = self._core.state
        drifted = state.drift.get(key)
        if drifted is None:
            return None
        expected = state.guarded[key].expected
        intent = ActionIntended(
            at=self._core.now(),
            actor=actor,
            action=name,
            kind="restore",
            attempt=1,
            request=f"write back {key}: {said(drifted.expected)}{f' ({reason})' if reason else ''}",
            before=dict(drifted.found),
            after=dict(expected),
            target=key,
        )
        return expected if await self._intended(intent, lambda state: state.drift.get(key) is drifted) else None

    async def stamp(self) -> None:
        """Stamp the guarded objects again."""
        try:
            await self._authority.renew()
        except OutsideError as error:
            text = f"The guarded objects could not be stamped again: {error}"
            await self._core.record(Noted(at=self._core.now(), actor="engine", text=text, level="error"))

    async def settle(self, name: str, known: ActionState) -> None:
        """Settle one that was interrupted: its target, read afresh, says whether it happened. It is not repeated."""
        core = self._core
        try:
            async with asyncio.timeout(DEADLINE_S):
                seen = await core.setting.outside.guardian.read(known.target)
        except (OutsideError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            await self._ambiguous(name, f"interrupted, and {known.target} does not answer: {reason}")
            return
        if seen is None:
            await self._failed(name, f"interrupted; {known.target} does not exist any more")
        elif _holds(known.after, seen.facts):
            await core.record_if(lambda state: self._found_done(state, name, known))
        elif _holds(known.before, seen.facts):
            await self._failed(
                name, f"interrupted before {known.target} was written", "Order it again if it is wanted."
            )
        else:
            await self._ambiguous(name, f"interrupted; {known.target} has {said(seen.facts)}, neither before nor after")

    def _found_done(self, state: RunState, name: str, known: ActionState) -> tuple[Event, ...]:
        core = self._core
        if name.startswith(RESTORE):
            return self._written_back(state, name, known.target, "engine", "found written after an interruption")
        change = TrafficChange(weight=int(known.after[WEIGHT]), canary=known.after[ENABLED] == "true")
        done = Done(f"interrupted; {known.target} was read and has {said(known.after)}", known.after, change)
        return outcomes.succeeded(core.setting.book, state, name, done, core.now())

    def _written_back(self, state: RunState, name: str, key: str, actor: str, reason: str) -> tuple[Event, ...]:
        now = self._core.now()
        done = ActionSucceeded(at=now, actor="engine", action=name, message=f"{key} is as it was")
        ended = DriftEnded(at=now, actor=actor, object=key, how="restored", reason=reason)
        return (done, ended) if key in state.drift else (done,)

    async def _intended(self, intent: ActionIntended, still: Callable[[RunState], bool]) -> bool:
        """Whether the INTENT was recorded: nothing is begun by hand in a run that goes back or was taken over."""
        numbered = await self._core.record_if(
            lambda state: (intent,) if state.status.forward and state.fenced is None and still(state) else ()
        )
        return any(event.type == intent.type for event in numbered)

    async def _failed(self, name: str, message: str, hint: str = "") -> None:
        await self._core.record(outcomes.failed(self._core.now(), name, message, hint))

    async def _ambiguous(self, name: str, message: str) -> None:
        await self._core.record(ActionAmbiguous(at=self._core.now(), actor="engine", action=name, message=message))


def _holds(wanted: Mapping[str, str], facts: Mapping[str, str]) -> bool:
    return all(facts.get(fact) == value for fact, value in wanted.items())
