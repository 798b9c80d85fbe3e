"""The only way from the screen to the engine: an observer's app has no `Orders`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cockpit.errors import CockpitError
from cockpit.link.feed import Connection
from cockpit.model.commands import Command, Reply

if TYPE_CHECKING:
    from textual.app import App


class Orders:
    """Sends commands and says what the engine answered."""

    def __init__(self, app: App[Any], connection: Connection) -> None:
        self._app = app
        self._connection = connection

    def send(self, command: Command) -> None:
        """Send without blocking the screen."""
        self._app.run_worker(self._send(command), group="orders", exit_on_error=False, exclusive=False)

    async def _send(self, command: Command) -> None:
        try:
            reply = await self._connection.order(command)
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
