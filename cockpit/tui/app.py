"""The app: takes updates from its line to the engine and keeps the main screen fed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from rich.console import RenderableType
from textual import on
from textual._compositor import ChopsUpdate
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from cockpit.errors import CockpitError
from cockpit.link.feed import Changed, Connected, Connection, Disconnected, Recorded, Update
from cockpit.model.status import RunStatus
from cockpit.model.text import clean, clean_lines
from cockpit.tui.crash import last_words, write_crash
from cockpit.tui.orders import Orders
from cockpit.tui.painting import CellsUpdate
from cockpit.tui.screens.main import CommanderScreen, MainScreen
from cockpit.tui.signals import Exits
from widgets.journal_pane import shown
from widgets.link_state import Line, LinkState
from widgets.themes import DARK, THEMES

ROWS_KEPT = 5000
EXIT_CODES = {RunStatus.COMPLETED: 0, RunStatus.ABORTED: 1, RunStatus.ROLLED_BACK: 3, RunStatus.ROLLBACK_FAILED: 4}


class CockpitApp(App[int]):
    """One run on screen. As an observer it has no code path that sends anything."""

    CSS_PATH = "cockpit.tcss"
    TITLE = "Deployment Cockpit"
    ENABLE_COMMAND_PALETTE = True
    DEFAULT_MODE = "first"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "detach", "Detach", show=False, priority=True),
        Binding("ctrl+q", "detach", "Detach", show=False, priority=True),
    ]

    def __init__(
        self,
        connection: Connection,
        *,
        observer: bool = False,
        theme: str | None = None,
        crash_directory: Path | None = None,
    ) -> None:
        super().__init__()
        self._connection = connection
        self._crash_directory = crash_directory
        self._exits: Exits | None = None
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme or DARK.name
        self.main: MainScreen = MainScreen() if observer else CommanderScreen(Orders(self, connection))
        self.add_mode(self.DEFAULT_MODE, lambda: self.main)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Themes that are not ours lack our words for colours."""
        return DARK.variables

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Of Textual's own commands only the choice of a theme makes sense here."""
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something; the text may come from outside, so it is cleaned and never markup."""
        super().notify(clean_lines(message), title=clean(title), severity=severity, timeout=timeout, markup=False)

    def on_mount(self) -> None:
        """Leave in order when the session ends."""
        if not self.is_headless and threading.current_thread() is threading.main_thread():
            self._exits = Exits(self._leave)

    def on_ready(self) -> None:
        """The first frame is there: take the line's updates."""
        self.run_worker(self._listen(), group="line", exit_on_error=False, exclusive=True)

    def _on_unmount(self) -> None:
        if self._exits is not None:
            self._exits.restore()

    async def _listen(self) -> None:
        """Show what comes until the line is at its end."""
        try:
            async for update in self._connection.updates():
                self.take(update)
        except CockpitError as error:
            self._cut(str(error), final=False)
        else:
            if self.main.link.line is not Line.CLOSED:
                self._cut("The line was closed", final=True)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed must not leave a screen behind that only looks alive."""
        error = event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            return
        path = write_crash(error, self._crash_directory)
        words = f"this screen failed ({type(error).__name__}), details: {path}; leave and attach again"
        if event.worker.group == "line":
            self._cut(words, final=False)
        else:
            self.notify(words, title="Not known whether it was done", severity="error", timeout=60)

    def take(self, update: Update) -> None:
        """Show one update."""
        if isinstance(update, Changed):
            self._changed(update)
        elif isinstance(update, Recorded):
            self._recorded(update)
        elif isinstance(update, Connected):
            self._connected(update)
        elif isinstance(update, Disconnected):
            self._cut(update.reason, final=update.final)

    def _connected(self, update: Connected) -> None:
        if update.role == "observer" and not self.main.observing:
            self._observe_only()
        self.main.role = update.role
        self.main.link = LinkState(Line.UP, self.main.run_time())
        self.title = clean(f"cockpit {update.run}")

    def _changed(self, update: Changed) -> None:
        main = self.main
        with self.batch_update():
            main.take(update.snapshot, update.slices if main.loaded else None)
            if main.link.line is not Line.UP:
                main.link = LinkState(Line.UP, main.run_time())
            main.tick()
            main.show_keys()

    def _recorded(self, update: Recorded) -> None:
        main = self.main
        fresh = tuple(row for row in update.rows if shown(row))
        if fresh:
            last = main.rows[-1].seq if main.rows else 0
            main.rows = (*main.rows, *(row for row in fresh if not row.seq or row.seq > last))[-ROWS_KEPT:]
        main.earlier = main.earlier or update.earlier

    def _cut(self, reason: str, *, final: bool) -> None:
        """The line is dead; the time of the first sign of it stays."""
        main = self.main
        now = main.run_time()
        since = main.link.since if main.link.line is Line.LOST else now
        if main.link.line is Line.WAITING and not final:
            since = now
        main.link = LinkState(Line.CLOSED if final else Line.LOST, since, reason)

    def _observe_only(self) -> None:
        """The engine says that this person may only watch: replace the screen by one that cannot order."""
        observer = MainScreen()
        observer.mirror(self.main)
        self.main = observer
        self.add_mode("observer", lambda: observer)
        self.switch_mode("observer")
        self.remove_mode(self.DEFAULT_MODE)

    def action_detach(self) -> None:
        """Ctrl+C never kills: it asks, once."""
        from cockpit.tui.dialogs.detach import DetachDialog

        if not isinstance(self.screen, DetachDialog):
            self.main.ask_detach()

    @on(MainScreen.Detached)
    def leave(self) -> None:
        """Leave the run to its engine; the exit code is the run's when it is over."""
        status = self.main.header.status if self.main.header else None
        self._leave(EXIT_CODES.get(status, 0) if status else 0)

    def _leave(self, code: int) -> None:
        self.exit(code, return_code=code)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Every picture goes through here on its way to the terminal."""
        super()._display(screen, CellsUpdate.of(renderable) if isinstance(renderable, ChopsUpdate) else renderable)

    def _fatal_error(self) -> None:
        """Textual would print the values of all local variables; say less, and keep the traceback in a file."""
        error = self._exception or RuntimeError("unknown")
        path = write_crash(error, self._crash_directory)
        self._exit_renderables.append(last_words(error, path))
        self._close_messages_no_wait()
