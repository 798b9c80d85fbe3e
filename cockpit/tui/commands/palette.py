"""The command palette's view of the commands."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from cockpit.tui.commands.base import ScreenCommand
from cockpit.tui.screens.main import MainScreen


class CommandProvider(Provider):
    """Offers what would work now."""

    def _offered(self) -> list[type[ScreenCommand]]:
        screen = self.screen
        if not isinstance(screen, MainScreen):
            return []
        return [command for command in screen.commands if not command.refused(screen)]

    async def discover(self) -> Hits:
        """All of them."""
        for command in self._offered():
            yield DiscoveryHit(self._text(command), partial(self._run, command), help=command.help())

    async def search(self, query: str) -> Hits:
        """The ones that fit the query."""
        matcher = self.matcher(query)
        for command in self._offered():
            score = matcher.match(f"{self._text(command)} {command.help()}")
            if score > 0:
                yield Hit(
                    score, matcher.highlight(self._text(command)), partial(self._run, command), help=command.help()
                )

    def _text(self, command: type[ScreenCommand]) -> str:
        assert isinstance(self.screen, MainScreen)
        return f"{command.title(self.screen)}  ({command.key()})"

    def _run(self, command: type[ScreenCommand]) -> None:
        if isinstance(self.screen, MainScreen):
            self.screen.action_command(command.name())
