"""The one thing a screen can order that was made to watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.tui.commands.act import unreachable
from cockpit.tui.commands.base import ScreenCommand

if TYPE_CHECKING:
    from cockpit.tui.screens.main import MainScreen


class TakeCommand(ScreenCommand):
    """Command the run instead of whoever does now, with a reason."""

    keys = "T"
    label = "TAKE COMMAND"
    footer = 1
    changes = True

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only an engine that answers can be asked."""
        return unreachable(screen)

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Ask for the reason."""
        from cockpit.tui.dialogs.reason import TakeoverDialog

        screen.ask(TakeoverDialog(screen))
