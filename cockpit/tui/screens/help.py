"""All keys, what they do, and why one of them would be refused now."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.tui.commands.base import ScreenCommand
from cockpit.tui.screens.listing import ListingScreen, titled
from cockpit.tui.screens.main import MainScreen
from widgets.lines import Line, Tone, fit

ADDRESS = (
    "Ctrl+click",
    "an underlined address opens in your own browser (⌘ on a Mac; with Shift too where your terminal asks for it)",
)
PANE_KEYS = (
    ("1 – 9", "show the pane with that number large; again, or Escape: all panes"),
    ("Ctrl+P", "command palette: all commands by name, and the theme"),
    ("Escape", "back to the main screen"),
    ADDRESS,
)
MOVING = (
    ("↑ ↓ PgUp PgDn", "move or scroll; Home, End: to the ends"),
    ("Esc, q", "back"),
    ADDRESS,
)
STATES = (
    ("✔ ● ▲ ■ ○ ✖", "done or good · NORMAL · WARNING or notice · CRITICAL · NO DATA or waiting · failed or BROKEN"),
    ("▶ ◐ ◆ ↷ ‽", "acting · gate is measured · you are asked · skipped or overridden · unclear: a person decides"),
)


class HelpScreen(ListingScreen):
    """Help is made from the commands themselves."""

    USES = ("situation", "link", "escalation", "guard", "next")

    def sections(self, width: int) -> list[list[Line]]:
        """Commands, panes, glyphs."""
        mutating = [command for command in self.main.commands if command.changes]
        looking = [command for command in self.main.commands if not command.changes]
        parts = [titled("LOOK", width, [self._row(command) for command in looking], "")]
        if mutating:
            parts.insert(0, titled("COMMAND", width, [self._row(command) for command in mutating], ""))
        parts.append(titled("PANES", width, [_pair(key, text) for key, text in PANE_KEYS], ""))
        parts.append(titled("GLYPHS", width, [_pair(key, text) for key, text in STATES], ""))
        return parts

    def _row(self, command: type[ScreenCommand]) -> Line:
        reason = command.refused(self.main)
        note: Line = ((f"   ○ not now: {reason}", Tone.FAINT),) if reason else ()
        key: Line = ((f"  {fit(command.key(), 12)}", Tone.FAINT if reason else Tone.KEY),)
        return (*key, (command.help(), Tone.QUIET if reason else Tone.TEXT), *note)


class KeysScreen(ListingScreen):
    """The keys of one screen, and those that work everywhere."""

    def __init__(self, main: MainScreen, hints: Sequence[tuple[str, str]]) -> None:
        super().__init__(main)
        self._of_screen = hints

    def sections(self, width: int) -> list[list[Line]]:
        """The screen's own, then the others."""
        own = [_pair(key, text) for key, text in (*self._of_screen, *MOVING) if key != "↑↓ PgUp PgDn"]
        orders = [_pair(each.key(), each.help()) for each in self.main.commands if each.anywhere]
        parts = [titled("THIS SCREEN", width, own, "")]
        return [*parts, titled("EVERYWHERE", width, orders, "")] if orders else parts

    def action_keys(self) -> None:
        """They are in sight."""
        self.action_back()


def _pair(key: str, text: str) -> Line:
    return ((f"  {fit(key, 15)}", Tone.KEY), (text, Tone.TEXT))
