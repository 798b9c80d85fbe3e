"""Takes the updates of the line and shows them on the main screen."""

from __future__ import annotations

import gc
from datetime import timedelta
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError
from cockpit.link.feed import (
    Changed,
    Connected,
    Connection,
    Disconnected,
    Heard,
    Recorded,
    Seated,
    Silent,
    Update,
)
from widgets.journal_pane import shown
from widgets.link_state import Line, LinkState

if TYPE_CHECKING:
    from cockpit.tui.app import CockpitApp

ROWS_KEPT = 5000


class Listener:
    """Keeps the app's main screen fed. Loaded after the first frame: the models behind it are heavy."""

    def __init__(self, app: CockpitApp, connection: Connection) -> None:
        self._app = app
        self._connection = connection

    async def listen(self) -> None:
        """Show what comes until the line is at its end."""
        try:
            async for update in self._connection.updates():
                self.take(update)
        except CockpitError as error:
            self._app.cut(str(error), final=False)
        else:
            if self._app.main.link.line is not Line.CLOSED:
                self._app.cut("The line was closed", final=True)

    def take(self, update: Update) -> None:
        """Show one update."""
        if isinstance(update, Changed):
            self._changed(update)
        elif isinstance(update, Recorded):
            self._recorded(update)
        elif isinstance(update, Connected):
            self._connected(update)
        elif isinstance(update, Seated):
            self._app.sit(update.place)
            self._app.main.role = update.place.role
        elif isinstance(update, Silent):
            self._silent(update)
        elif isinstance(update, Heard):
            self._app.main.link = LinkState(Line.UP, self._app.main.run_time())
        elif isinstance(update, Disconnected):
            self._app.cut(update.reason, final=update.final)

    def _connected(self, update: Connected) -> None:
        if update.role == "observer":
            self._app.observe_only()
        main = self._app.main
        main.role = "observer" if main.observing else update.role
        main.link = LinkState(Line.UP, main.run_time())
        self._app.name_run(update.run)

    def _silent(self, update: Silent) -> None:
        main = self._app.main
        speed = main.header.speed if main.header else 1.0
        since = main.run_time() - timedelta(seconds=update.seconds * speed)
        main.link = LinkState(Line.SILENT, since, "The line stands, but the engine's process says nothing")

    def _changed(self, update: Changed) -> None:
        main = self._app.main
        with self._app.batch_update():
            first = not main.loaded
            main.take(update.snapshot, None if first else update.slices)
            if main.link.line is not Line.UP:
                main.link = LinkState(Line.UP, main.run_time())
            main.tick()
            main.show_keys()
        if first:
            # What is there now stays: a key must not wait until the collector has walked all of it.
            gc.freeze()

    def _recorded(self, update: Recorded) -> None:
        main = self._app.main
        last = main.rows[-1].seq if main.rows else 0
        fresh = tuple(row for row in update.rows if shown(row) and (not row.seq or row.seq > last))
        if fresh:
            main.rows = (*main.rows, *fresh)[-ROWS_KEPT:]
        main.earlier = main.earlier or update.earlier
