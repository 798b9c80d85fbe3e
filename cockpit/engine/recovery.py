"""What becomes of an INTENT without OUTCOME when an engine starts: its target is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cockpit.engine import outcomes
from cockpit.engine.actions import script
from cockpit.engine.actions.base import Done, Found, Planned, World
from cockpit.engine.actions.registry import HANDLERS
from cockpit.engine.by_hand import ByHand
from cockpit.engine.core import Core
from cockpit.engine.plan import find_action, rollback_actions
from cockpit.errors import OutsideError
from cockpit.model.events import ActionAmbiguous, ActionReoffered, ActionSkipped, Event, Noted
from cockpit.model.run import ActionState, RunState
from cockpit.model.status import ActionStatus
from cockpit.runbook.actions import Action, OnAmbiguous, Script

LONGEST_S = 15.0


class Recovery:
    """Settles what the last engine left open. Killed in the middle, the next one goes on with what is left."""

    def __init__(self, core: Core, world: Callable[[str], World], by_hand: ByHand) -> None:
        self._core = core
        self._world = world
        self._by_hand = by_hand

    async def run(self) -> None:
        """Settle every INTENT without OUTCOME."""
        for action_id, known in self._core.state.actions.items():
            if known.status is ActionStatus.RUNNING:
                await self._settle(action_id, known)

    async def _settle(self, action_id: str, known: ActionState) -> None:
        core = self._core
        action = find_action(core.setting.book, action_id)
        if action is None:
            await self._by_hand.settle(action_id, known)
        elif core.state.status.forward or action in rollback_actions(core.setting.book):
            found = await self._read(action, known)
            await core.record_if(lambda state: self._outcome(state, action, found))
        else:
            if isinstance(action, Script):
                await script.end(self._world(action.id), action)
            await core.record(outcomes.failed(core.now(), action_id, "interrupted; the run goes back"))

    async def _read(self, action: Action, known: ActionState) -> Found | Done:
        core, world = self._core, self._world(action.id)
        planned = Planned(known.message, known.before, known.after)
        try:
            async with asyncio.timeout(LONGEST_S):
                return await HANDLERS[action.kind].recover(world, action, planned)
        except (OutsideError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            note = f"{action.id} was interrupted and its target does not answer: {reason}"
            await core.record(Noted(at=core.now(), actor="engine", text=note, level="warning"))
            # A rollback writes its targets whatever they are; what only a person may repeat stays with the person.
            harmless = getattr(action, "on_ambiguous", None) is None
            return Found.SAFE if world.rollback and harmless else Found.UNKNOWN

    def _outcome(self, state: RunState, action: Action, found: Found | Done) -> tuple[Event, ...]:
        """What the target says: done, to be offered again, or not to be known."""
        if isinstance(found, Done):
            return outcomes.succeeded(self._core.setting.book, state, action.id, found, self._core.now())
        return (self._undecided(action, found),)

    def _undecided(self, action: Action, found: Found) -> Event:
        now, name = self._core.now(), action.id
        on_ambiguous = getattr(action, "on_ambiguous", None)
        if found is Found.SAFE:
            reason = "interrupted; its target was read, and it goes on"
            return ActionReoffered(at=now, actor="engine", action=name, reason=reason)
        if on_ambiguous is OnAmbiguous.RETRY:
            reason = "interrupted; it may have happened, doing it twice is harmless"
            return ActionReoffered(at=now, actor="engine", action=name, reason=reason)
        if on_ambiguous is OnAmbiguous.SKIP:
            return ActionSkipped(at=now, actor="engine", action=name, reason="interrupted; it may have happened")
        message = "interrupted; whether it happened cannot be read back"
        return ActionAmbiguous(at=now, actor="engine", action=name, message=message)
