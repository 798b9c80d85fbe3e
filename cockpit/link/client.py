"""A front end's line to the engine, which comes back by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

from cockpit.errors import EngineUnreachable, NotCommander
from cockpit.link.feed import Changed, Connected, Disconnected, Heard, Recorded, Seated, Silent, Update
from cockpit.link.line import Line, farewell
from cockpit.link.merge import merge
from cockpit.link.messages import Answer, Attach, Bye, FromEngine, Order, PodChanges, Rows, Seat, Slices, State
from cockpit.link.pods import with_changes
from cockpit.link.publisher import changed_slices
from cockpit.model.commands import Command, Reply
from cockpit.model.history import Mark
from cockpit.model.readings import Series
from cockpit.model.snapshot import Snapshot

ANSWER_WITHIN = 10.0
"""Real seconds an order may take, the wait for a lost engine included."""
SILENCE = 2.5
"""Real seconds without a word, two beats and a half, after which an engine counts as stalled."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class SocketConnection:
    """Implements `Connection` over a socket of an engine."""

    def __init__(self, path: Path, since: int = 0, observer: bool = False, seat: bool = False) -> None:
        """A line to the socket at `path` that wants rows after `since`; an observer's line takes no orders.

        `seat` says that a person sits here who wants to command; without it orders are those of plain commands.
        """
        self._path = path
        self._since = since
        self._observer = observer
        self._seat: Literal["command", "watch"] | None = "command" if seat else None
        self._snapshot: Snapshot | None = None
        self._pending: deque[Update] = deque()
        self._news = asyncio.Event()
        self._line: Line | None = None
        self._attached = asyncio.Event()
        self._ended: EngineUnreachable | NotCommander | None = None
        self._answers: dict[int, asyncio.Future[Reply]] = {}
        self._orders = 0
        self._task: asyncio.Task[None] | None = None

    async def updates(self) -> AsyncIterator[Update]:
        """What happens, in order, until the run is closed or the connection is."""
        self._start()
        while True:
            while self._pending:
                yield self._pending.popleft()
            if self._ended is not None:
                return
            self._news.clear()
            await self._news.wait()

    async def order(self, command: Command) -> Reply:
        """Send a command and wait for its reply, ten seconds at most.

        Raises NotCommander on an observer's line, and EngineUnreachable when the engine does not answer; whether the
        command was carried out is then unknown unless the message says that it was not sent.
        """
        if self._observer:
            raise NotCommander("An observer gives no orders.", "Attach as the commander: cockpit attach")
        self._start()
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._attached.wait()
                return await self._ask(command)
        except TimeoutError as error:
            raise EngineUnreachable(
                f"The engine gave no answer within {ANSWER_WITHIN:.0f} seconds.",
                "Look at the run before you try again: cockpit status",
            ) from error

    async def history(self) -> tuple[tuple[Series, ...], tuple[Mark, ...]]:
        """Everything that was measured, on a short line of its own; raises EngineUnreachable, NotCommander."""
        from cockpit.link.once import fetch_history

        return await fetch_history(self._path)

    async def close(self) -> None:
        """End the connection; the engine goes on."""
        self._finish(EngineUnreachable("The connection is closed.", "Attach again: cockpit attach"))
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, command: Command) -> Reply:
        if self._line is None:
            raise self._ended or EngineUnreachable("The engine is gone; nothing was sent.", "Attach: cockpit attach")
        self._orders += 1
        number = self._orders
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            self._line.send(Order(id=number, command=command))
            return await answer
        finally:
            del self._answers[number]

    def _start(self) -> None:
        if self._task is None and self._ended is None:
            self._task = asyncio.create_task(self._stay_connected())

    async def _stay_connected(self) -> None:
        pause, told = _FIRST_PAUSE, False
        while self._ended is None:
            try:
                line = await Line.open(self._path, Attach(since=self._since, seat=self._seat))
                pause, told = _FIRST_PAUSE, False
                await self._follow(line)
            except NotCommander as error:
                self._give_up(error)
            except EngineUnreachable as error:
                if not told:
                    self._tell(Disconnected(reason=str(error)))
                told = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _follow(self, line: Line) -> None:
        hello = line.hello
        self._line = line
        try:
            self._tell(Connected(run=hello.run, role=hello.role, you=hello.you))
            while self._ended is None:
                self._take(await self._next(line))
                # Orders wait for the first message after hello, because a refused front end is told so there.
                if self._ended is None:
                    self._attached.set()
        finally:
            self._line = None
            if self._ended is None:
                self._attached.clear()
            self._fail_answers(EngineUnreachable("The engine was lost while it worked.", "Look: cockpit status"))
            await line.close()

    async def _next(self, line: Line) -> FromEngine:
        """The next message, with a word to the front end when it is long in coming."""
        try:
            async with asyncio.timeout(SILENCE):
                return await line.receive()
        except TimeoutError:
            self._tell(Silent(seconds=SILENCE))
        message = await line.receive()
        self._tell(Heard())
        return message

    def _take(self, message: FromEngine) -> None:
        match message:
            case State(snapshot=snapshot):
                self._change(snapshot)
            case Slices(slices=slices) if self._snapshot is not None:
                self._change(merge(self._snapshot, slices))
            case PodChanges() if self._snapshot is not None:
                pods = with_changes(self._snapshot.pods, message)
                self._change(self._snapshot.model_copy(update={"pods": pods}))
            case Rows():
                self._record(message)
            case Answer():
                self._answered(message)
            case Seat(place=place):
                # Who was made an observer stays one when the line comes back.
                self._seat = "command" if place.role == "commander" else "watch"
                self._tell(Seated(place=place))
            case Bye(reason=reason):
                self._give_up(farewell(reason))

    def _answered(self, message: Answer) -> None:
        answer = self._answers.get(message.id)
        if answer is not None and not answer.done():
            answer.set_result(message.reply)

    def _change(self, snapshot: Snapshot) -> None:
        before = self._snapshot
        names = frozenset(changed_slices(before, snapshot) if before else Snapshot.model_fields)
        self._snapshot = snapshot
        last = self._pending[-1] if self._pending else None
        if isinstance(last, Changed):
            # A front end that is behind needs the newest picture only.
            self._pending.pop()
            names |= last.slices
        if names:
            self._tell(Changed(snapshot=snapshot, slices=names))

    def _record(self, message: Rows) -> None:
        rows = tuple(row for row in message.rows if row.seq > self._since)
        if rows:
            self._since = rows[-1].seq
            self._tell(Recorded(rows=rows, earlier=message.earlier))

    def _give_up(self, error: EngineUnreachable | NotCommander) -> None:
        self._pending.append(Disconnected(reason=str(error), final=True))
        self._finish(error)

    def _finish(self, error: EngineUnreachable | NotCommander) -> None:
        if self._ended is None:
            self._ended = error
        self._fail_answers(error)
        self._attached.set()
        self._news.set()

    def _fail_answers(self, error: Exception) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)

    def _tell(self, update: Update) -> None:
        self._pending.append(update)
        self._news.set()
