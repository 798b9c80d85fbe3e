"""The only way from the screen to the engine: an observer's app has no `Orders`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError

if TYPE_CHECKING:
    from cockpit.model.commands import Command, Reply
    from cockpit.tui.app import CockpitApp


RELEASE_WITHIN = 1.0
"""Real seconds for a goodbye."""


class Orders:
    """Sends commands and says what the engine answered."""

    def __init__(self, app: CockpitApp) -> None:
        self._app = app

    def send(self, command: Command) -> None:
        """Send without blocking the screen."""
        self._app.run_worker(self._send(command), group="orders", exit_on_error=False, exclusive=False)

    async def release(self) -> None:
        """Say that this screen leaves on purpose; an engine that does not answer at once is not waited for."""
        from cockpit.model.commands import Release

        with suppress(CockpitError, TimeoutError):
            async with asyncio.timeout(RELEASE_WITHIN):
                await self._app.connection.order(Release())

    async def _send(self, command: Command) -> None:
        try:
            reply = await self._app.connection.order(command)
        except CockpitError as error:
            self._say(str(error), error.hint, error.title, good=False)
            return
        self._answered(reply)

    def _answered(self, reply: Reply) -> None:
        if reply.ok:
            self._say(reply.message, reply.hint, "", good=True)
        else:
            self._say(reply.message, reply.hint, "Not done", good=False)

    def _say(self, message: str, hint: str, title: str, *, good: bool) -> None:
        text = f"{message}\n→ {hint}" if hint else message
        if good:
            self._app.notify(text, title=title, timeout=4, markup=False)
        else:
            self._app.notify(text, title=title, severity="error", timeout=15, markup=False)

    async def note(self, text: str) -> None:
        """Write a row into the journal; when that cannot be done it is said, and what the row is about goes on."""
        from cockpit.model.commands import Note

        try:
            reply = await self._app.connection.order(Note(text=text[:500]))
        except CockpitError as error:
            self._say(str(error), error.hint, "Not in the journal", good=False)
            return
        if not reply.ok:
            self._say(reply.message, reply.hint, "Not in the journal", good=False)
