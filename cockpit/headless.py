"""The second front end: one line for each journal event, for pipes and for continuous integration."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TextIO

from cockpit.errors import CommandRefused, EngineUnreachable
from cockpit.link.feed import Changed, Connected, Connection, Disconnected, Recorded, Update
from cockpit.model.commands import Close
from cockpit.model.describe import describe
from cockpit.model.events import Event, RunClosed
from cockpit.model.status import RunStatus

PATIENCE = 15.0
"""Real seconds for which an engine may be away."""


async def report(connection: Connection, output: TextIO, *, as_json: bool) -> RunStatus:
    """Print the run's events as they come, close the run when it is over, and return its last status.

    Raises EngineUnreachable when the engine stays away, and CommandRefused when it does not want to close.
    """
    try:
        return await _Reporter(connection, output, as_json).run()
    finally:
        await connection.close()


class _Reporter:
    def __init__(self, connection: Connection, output: TextIO, as_json: bool) -> None:
        self._connection = connection
        self._output = output
        self._as_json = as_json
        self._last: RunClosed | None = None
        self._closing = False
        self._refusal: CommandRefused | None = None

    async def run(self) -> RunStatus:
        try:
            async with asyncio.timeout(None) as patience:
                async for update in self._connection.updates():
                    await self._take(update)
                    if isinstance(update, Disconnected) or self._refusal:
                        patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                    elif isinstance(update, Connected):
                        patience.reschedule(None)
        except TimeoutError as error:
            gone = _gone(f"The engine has not answered for {PATIENCE:.0f} seconds.")
            raise self._refusal or gone from error
        if self._last is None:
            raise _gone("The engine ended before the run was closed.")
        self._print(self._last)
        return self._last.status

    async def _take(self, update: Update) -> None:
        if isinstance(update, Recorded):
            for row in update.rows:
                if isinstance(row, RunClosed):
                    # The last messages go out after the run's last word, and yet its line is the last.
                    self._last = row
                else:
                    self._print(row)
            self._output.flush()
        elif isinstance(update, Changed) and update.snapshot.header.status.final:
            await self._close()

    async def _close(self) -> None:
        if self._closing:
            return
        self._closing = True
        # An engine that ends before its reply is through has closed the run: its last row tells.
        with suppress(EngineUnreachable):
            reply = await self._connection.order(Close())
            if not reply.ok:
                # Somebody else may have closed it at the same moment: then the end comes all the same.
                self._refusal = CommandRefused(reply.message, reply.hint)

    def _print(self, row: Event) -> None:
        self._output.write((row.model_dump_json() if self._as_json else _line(row)) + "\n")


def _line(row: Event) -> str:
    return f"{row.at:%H:%M:%S}  {row.actor:<12}  {describe(row)}"


def _gone(what: str) -> EngineUnreachable:
    return EngineUnreachable(what, "See what became of it: cockpit runs. Start it again: cockpit attach")
