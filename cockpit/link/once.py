"""One question or one order to an engine, for plain commands."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cockpit.errors import EngineUnreachable
from cockpit.link.client import ANSWER_WITHIN
from cockpit.link.line import Line, farewell
from cockpit.link.messages import Answer, Attach, Bye, FromEngine, Marks, MetricSeries, Order, State
from cockpit.model.commands import Command, Reply
from cockpit.model.history import Mark
from cockpit.model.readings import Series
from cockpit.model.snapshot import Snapshot


async def fetch_snapshot(path: Path) -> Snapshot:
    """The run as it is now; raises EngineUnreachable, NotCommander."""
    line = await Line.open(path, Attach())
    try:
        while not isinstance(message := await _next(line), State):
            pass
        return message.snapshot
    finally:
        await line.close()


async def give_order(path: Path, command: Command) -> Reply:
    """Send one command and return the reply; raises EngineUnreachable, NotCommander.

    A command without an `expected_seq` is bound to the situation that the engine shows just before.
    """
    line = await Line.open(path, Attach(snapshots=command.expected_seq is None))
    try:
        if command.expected_seq is None:
            while not isinstance(message := await _next(line), State):
                pass
            command = command.model_copy(update={"expected_seq": message.snapshot.situation})
        line.send(Order(id=1, command=command))
        while not isinstance(message := await _next(line), Answer):
            pass
        return message.reply
    finally:
        await line.close()


async def fetch_history(path: Path) -> tuple[tuple[Series, ...], tuple[Mark, ...]]:
    """All measurements of the run, and what happened beside them; raises EngineUnreachable, NotCommander.

    On a line of its own, which an observer may open too: the watch socket reads nothing but the first line.
    """
    line = await Line.open(path, Attach(snapshots=False, history=True))
    found: list[Series] = []
    try:
        while not isinstance(message := await _next(line), Marks):
            if isinstance(message, MetricSeries):
                found.append(message.series)
        return tuple(found), message.marks
    finally:
        await line.close()


async def _next(line: Line) -> FromEngine:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            message = await line.receive()
    except TimeoutError as error:
        raise EngineUnreachable(
            f"The engine gave no answer within {ANSWER_WITHIN:.0f} seconds.",
            "Look at the run before you try again: cockpit status",
        ) from error
    if isinstance(message, Bye):
        raise farewell(message.reason)
    return message
