"""The app: takes updates from its line to the engine and keeps the main screen fed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual import on
from textual._compositor import ChopsUpdate
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from cockpit.errors import CockpitError, UsageError
from cockpit.model.status import RunStatus
from cockpit.model.text import clean, clean_lines
from cockpit.tui.crash import last_words, write_crash
from cockpit.tui.looking import Looking, LookSettings
from cockpit.tui.orders import Orders
from cockpit.tui.painting import CellsUpdate
from cockpit.tui.screens.main import CommanderScreen, MainScreen, StandbyScreen
from cockpit.tui.signals import Exits, terminal_attributes
from widgets.link_state import Line, LinkState
from widgets.themes import DARK, THEMES

if TYPE_CHECKING:
    from cockpit.link.feed import Connection
    from cockpit.model.commanding import Place

EXIT_CODES = {RunStatus.COMPLETED: 0, RunStatus.ABORTED: 1, RunStatus.ROLLED_BACK: 3, RunStatus.ROLLBACK_FAILED: 4}


class CockpitApp(App[int]):
    """One run on screen. As an observer it has no code path that sends anything.

    `connection` is the line to the engine, or a function that makes it once the first frame is on screen. `look` is
    what a commander's closer look at the cluster needs, or a function that reads it then; an observer's app takes none.
    """

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
        connection: Connection | Callable[[], Connection],
        *,
        observer: bool = False,
        theme: str | None = None,
        crash_directory: Path | None = None,
        look: LookSettings | Callable[[], LookSettings] | None = None,
        notice: str = "",
    ) -> None:
        super().__init__()
        self._given = connection
        self._crash_directory = crash_directory
        self._notice = notice
        self._as_found = terminal_attributes()
        self._exits: Exits | None = None
        for known in THEMES:
            self.register_theme(known)
        self._begin_with(theme or DARK.name)
        self.looking = Looking(look) if look is not None and not observer else None
        self.main: MainScreen = MainScreen() if observer else CommanderScreen(Orders(self), self.looking)
        self.add_mode(self.DEFAULT_MODE, lambda: self.main)

    def _begin_with(self, theme: str) -> None:
        if theme not in self.available_themes:
            raise UsageError(f"There is no theme {theme}.", f"Themes: {', '.join(known.name for known in THEMES)}")
        if theme == DARK.name:
            # Assigning it would have the style sheet parsed once more before the first frame.
            self.set_reactive(App.theme, theme)
        else:
            self.theme = theme

    @cached_property
    def connection(self) -> Connection:
        """The line; a function that makes it is called after the first frame, so that nothing heavy delays it."""
        return self._given() if callable(self._given) else self._given

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
            self._exits = Exits(self._leave, self._as_found)

    def on_ready(self) -> None:
        """The first frame is there: take the line's updates."""
        if self._notice:
            self.notify(self._notice, timeout=30)
        self.run_worker(self._listen(), group="line", exit_on_error=False, exclusive=True)

    async def _on_unmount(self) -> None:
        if self._exits is not None:
            self._exits.restore()
        if self.looking is not None:
            await self.looking.close()

    def get_driver_class(self) -> type[Driver]:
        """A driver that can lend the terminal, where Textual would use its own for Linux."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from cockpit.tui.driver import LendingDriver

        return LendingDriver

    async def _listen(self) -> None:
        from cockpit.tui.listener import Listener

        try:
            if self.looking is not None:
                _ = self.looking.settings
        except CockpitError as error:
            self.cut(str(error), final=True)
            return
        await Listener(self, self.connection).listen()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed must not leave a screen behind that only looks alive."""
        error = event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            return
        path = write_crash(error, self._crash_directory)
        words = f"this screen failed ({type(error).__name__}), details: {path}; leave and attach again"
        if event.worker.group == "line":
            self.cut(words, final=False)
        elif event.worker.group == "orders":
            self.notify(words, title="Not known whether it was done", severity="error", timeout=60)
        else:
            self.notify(words, title="A part of this screen failed", severity="error", timeout=60)

    def cut(self, reason: str, *, final: bool) -> None:
        """The line is dead; the time of the first sign of it stays."""
        main = self.main
        now = main.run_time()
        since = main.link.since if main.link.line is Line.LOST else now
        if main.link.line is Line.WAITING and not final:
            since = now
        main.link = LinkState(Line.CLOSED if final else Line.LOST, since, reason)

    def name_run(self, run: str) -> None:
        """Put the run into the terminal's title."""
        self.title = clean(f"cockpit {run}")

    def observe_only(self) -> None:
        """The engine says that this person may only watch: replace a screen that can order by one that cannot."""
        if not self.main.observing:
            self._stop_looking()
            self._replace(MainScreen())

    def sit(self, place: Place) -> None:
        """The command came to this screen, or went to another one: say so, and show what can be done from now on."""
        commands = place.role == "commander"
        if isinstance(self.main, CommanderScreen if commands else StandbyScreen):
            return
        began = self.main.loaded
        if not commands:
            self._stop_looking()
            self._replace(StandbyScreen(Orders(self)))
        elif self.main.observing:
            self._replace(CommanderScreen(Orders(self), self.looking))
        self._tell_of_command(place, began)

    def _stop_looking(self) -> None:
        """A screen that only watches has no eye on the cluster; one that commands again opens it anew."""
        if self.looking is not None:
            self.run_worker(self.looking.close(), group="lens", exit_on_error=False)

    def _replace(self, screen: MainScreen) -> None:
        screen.mirror(self.main)
        self.main = screen
        mode, before = f"main-{id(screen)}", self.current_mode
        self.add_mode(mode, lambda: screen)
        self.switch_mode(mode)
        self.remove_mode(before)

    def _tell_of_command(self, place: Place, began: bool) -> None:
        if place.role == "commander":
            if began:
                self.notify("You command this run now.", title="COMMAND", severity="warning", timeout=10)
            return
        at = f" at {place.terminal}" if place.terminal else ""
        since = f" since {place.since:%H:%M:%S}" if place.since else ""
        why = f": {place.reason}" if place.reason else ""
        text = f"{place.commander}{at} commands this run{since}{why}.\nThis screen watches. T takes the command."
        self.notify(text, title="COMMAND TAKEN" if began else "OBSERVER", severity="warning", timeout=60)

    def action_detach(self) -> None:
        """Ctrl+C never kills: it asks, once."""
        from cockpit.tui.dialogs.detach import DetachDialog

        if not isinstance(self.screen, DetachDialog):
            self.main.ask_detach()

    @on(MainScreen.Detached)
    async def leave(self) -> None:
        """Leave the run to its engine; the exit code is the run's when it is over.

        The command is left too, for whoever attaches next; a screen that is hung up does not say so.
        """
        if isinstance(self.main, CommanderScreen):
            await Orders(self).release()
        status = self.main.header.status if self.main.header else None
        self._leave(EXIT_CODES.get(status, 0) if status else 0)

    def _leave(self, code: int) -> None:
        self.exit(code, return_code=code)

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """The screens that show through the top one: none when it is opaque.

        Textual 8.2 takes the one below for visible in any case, and paints the top one whole for each of its changes.
        """
        stack = self._screen_stack
        return [] if stack and stack[-1].styles.background.a == 1 else super()._background_screens

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Every picture goes through here on its way to the terminal."""
        super()._display(screen, CellsUpdate.of(renderable) if isinstance(renderable, ChopsUpdate) else renderable)

    def _fatal_error(self) -> None:
        """Textual would print the values of all local variables; say less, and keep the traceback in a file."""
        error = self._exception or RuntimeError("unknown")
        path = write_crash(error, self._crash_directory)
        self._exit_renderables.append(last_words(error, path))
        self._close_messages_no_wait()
