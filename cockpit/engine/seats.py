"""Keeps the seat of the commander: who joins, who leaves, whose orders count."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.engine.advance import Refused
from cockpit.engine.commanding import Commanding
from cockpit.engine.core import Core
from cockpit.model.commanding import Front, Place
from cockpit.model.commands import Command
from cockpit.model.events import CommandReleased, CommandTaken, Event
from cockpit.model.run import RunState

UNATTENDED = "nobody commanded"


@dataclass(frozen=True, slots=True)
class Outranked(Refused):
    """Refused because somebody else commands."""


class Seats:
    """One run's commander over `cockpit.engine.commanding`; what moves the command is journaled."""

    def __init__(self, core: Core) -> None:
        self._core = core
        person = core.state.commander or core.setting.commander
        core.seen.commanding = Commanding(person, left_at=self._now(), released=core.state.released)

    @property
    def _commanding(self) -> Commanding:
        known = self._core.seen.commanding
        assert known is not None
        return known

    def _now(self) -> float:
        return self._core.setting.boot_time()

    async def join(self, front: Front) -> None:
        """A front end wants to command: it does, or it watches."""

        def judge(state: RunState) -> tuple[Event, ...]:
            after = self._commanding.join(front, self._now())
            seated = after.seat == front
            self._core.seen.commanding = after
            if state.closed or not seated or (front.person == state.commander and not state.released):
                return ()
            return (self._taken(state, front.person, front, UNATTENDED),)

        await self._core.record_if(judge)
        await self._core.touch()

    async def leave(self, front: Front) -> None:
        """A front end is gone."""
        self._core.seen.commanding = self._commanding.leave(front, self._now())
        await self._core.touch()

    def place(self, front: Front) -> Place:
        """Where a front end stands now."""
        state, seat = self._core.state, self._commanding.seat
        return Place(
            role="commander" if seat == front else "observer",
            commander=self._commanding.person,
            terminal=seat.terminal if seat else "",
            since=state.commander_since,
            reason=state.commander_reason,
        )

    def refuse(self, person: str, front: Front | None, command: Command) -> Outranked | None:
        """Why somebody may not give this order; taking over and going back are open to everybody."""
        known = self._commanding
        if command.kind in ("takeover", "rollback") or known.may_order(person, front):
            return None
        at = f" at {known.seat.terminal}" if known.seat and known.seat.terminal else ""
        since = self._core.state.commander_since
        return Outranked(
            f"{known.person}{at} commands this run{f' since {since:%H:%M:%S}' if since else ''}",
            "Ask, or take over with a reason: cockpit takeover --reason TEXT",
        )

    def moved(self, state: RunState, person: str, front: Front | None, command: Command) -> tuple[Event, ...]:
        """What an accepted order does to the command, as events that come before its own."""
        known = self._commanding
        if command.kind == "release":
            self._core.seen.commanding = known.release(person, front, self._now())
            return (CommandReleased(at=self._core.now(), actor=person),)
        if command.kind != "takeover" and known.may_order(person, front):
            return ()
        self._core.seen.commanding = known.take(person, front, self._now())
        return (self._taken(state, person, front, getattr(command, "reason", "").strip()),)

    def _taken(self, state: RunState, person: str, front: Front | None, reason: str) -> CommandTaken:
        terminal = front.terminal if front else ""
        return CommandTaken(
            at=self._core.now(), actor=person, previous=state.commander, reason=reason, terminal=terminal
        )
