"""What every screen above the main one has: header, banner and a way back, so that nothing urgent is hidden."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.widgets import Input

from cockpit.tui.screens.main import MainScreen
from cockpit.tui.state import RunScreen
from widgets.header_bar import HeaderBar
from widgets.key_bar import KeyBar, KeyHint
from widgets.next_banner import NextBanner


class SubScreen(RunScreen[None]):
    """A full screen about one thing; it mirrors the main screen's state."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", show=False),
        Binding("question_mark,f1", "keys", "Keys", show=False),
    ]
    VERTICAL_BREAKPOINTS = MainScreen.VERTICAL_BREAKPOINTS
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, main: MainScreen) -> None:
        super().__init__()
        self.main = main
        self.mirror(main)

    def compose(self) -> ComposeResult:
        """Header, banner, the screen's own part, keys."""
        yield HeaderBar().data_bind(RunScreen.header, RunScreen.plan, RunScreen.role, RunScreen.now, RunScreen.lost)
        banner = NextBanner(id="banner")
        banner.set_reactive(NextBanner.observing, self.main.observing)
        yield banner.data_bind(
            RunScreen.header,
            RunScreen.next,
            RunScreen.guard,
            RunScreen.gate,
            RunScreen.link,
            RunScreen.consent,
            RunScreen.now,
        )
        yield from self.body()
        bar = KeyBar()
        hints = (*self.HINTS, ("? Esc", "keys, back"))
        bar.set_reactive(KeyBar.hints, tuple(KeyHint(key, key, label) for key, label in hints))
        yield bar

    def body(self) -> ComposeResult:
        """The screen's own part."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Keep up with the main screen."""
        self.follow(self.main)

    def on_key(self, event: Key) -> None:
        """What the banner asks for can be answered from every screen; a screen's own keys come first."""
        if isinstance(self.focused, Input):
            return
        command = next(
            (each for each in self.main.commands if each.anywhere and event.key in each.keys.split(",")), None
        )
        if command is not None:
            event.stop()
            self.main.action_command(command.name())

    def action_keys(self) -> None:
        """All keys of this screen, also those for which the last line has no room."""
        from cockpit.tui.screens.help import KeysScreen

        self.main.open(KeysScreen(self.main, self.HINTS))

    def action_back(self) -> None:
        """Back to the screen below."""
        self.dismiss(None)
