"""The second front end: one line for each journal event, for pipes and for continuous integration."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TextIO

from cockpit.errors import CommandRefused, EngineUnreachable
from cockpit.link.feed import Changed, Connected, Connection, Disconnected, Recorded, Update
from cockpit.model.commands import Close
from cockpit.model.describe import describe
from cockpit.model.events import Event, Held, Resumed, RunClosed
from cockpit.model.status import RunStatus

PATIENCE = 15.0
"""Real seconds for which an engine may be away."""


async def report(connection: Connection, output: TextIO, *, as_json: bool, abandon: bool = False) -> RunStatus:
    """Print the run's events as they come, close the run when it is over, and return its last status.

    A run that decides by itself and has put itself on hold waits for a person: with `abandon` it is closed where it
    stands, else it is left to wait, and the status is not a final one. Raises EngineUnreachable when the engine stays
    away, and CommandRefused when it does not want to close.
    """
    try:
        return await _Reporter(connection, output, as_json, abandon).run()
    finally:
        await connection.close()


class _Reporter:
    def __init__(self, connection: Connection, output: TextIO, as_json: bool, abandon: bool) -> None:
        self._connection = connection
        self._output = output
        self._as_json = as_json
        self._abandon = abandon
        self._waits = ""
        self._last: RunClosed | None = None
        self._closing = False
        self._refusal: CommandRefused | None = None

    async def run(self) -> RunStatus:
        try:
            async with asyncio.timeout(None) as patience:
                async for update in self._connection.updates():
                    await self._take(update)
                    if self._waits and not self._abandon:
                        return RunStatus.RUNNING
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
                    self._notice_hold(row)
            self._output.flush()
            if self._waits and self._abandon:
                await self._close(f"nobody is there to decide: {self._waits}")
        elif isinstance(update, Changed) and update.snapshot.header.status.final:
            await self._close()

    def _notice_hold(self, row: Event) -> None:
        if isinstance(row, Held) and row.actor == "auto":
            self._waits = row.reason or "on hold"
        elif isinstance(row, Resumed):
            self._waits = ""

    async def _close(self, reason: str = "") -> None:
        if self._closing:
            return
        self._closing = True
        # An engine that ends before its reply is through has closed the run: its last row tells.
        with suppress(EngineUnreachable):
            reply = await self._connection.order(Close(reason=reason[:500]))
            if not reply.ok:
                # Somebody else may have closed it at the same moment: then the end comes all the same.
                self._refusal = CommandRefused(reply.message, reply.hint)

    def _print(self, row: Event) -> None:
        self._output.write((row.model_dump_json() if self._as_json else _line(row)) + "\n")


def _line(row: Event) -> str:
    return f"{row.at:%H:%M:%S}  {row.actor:<12}  {describe(row)}"


def _gone(what: str) -> EngineUnreachable:
    return EngineUnreachable(what, "See what became of it: cockpit runs. Start it again: cockpit attach")
