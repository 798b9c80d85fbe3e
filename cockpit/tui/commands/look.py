"""Commands that look closer at the cluster, past the engine. An observer's screen has none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.tui.commands.base import ScreenCommand

if TYPE_CHECKING:
    from cockpit.tui.screens.main import CommanderScreen, MainScreen


def commander(screen: MainScreen) -> CommanderScreen | None:
    """The screen, when it has a lens."""
    from cockpit.tui.screens.main import CommanderScreen

    return screen if isinstance(screen, CommanderScreen) and screen.looking is not None else None


class Look(ScreenCommand):
    """A command that needs the lens."""

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only with a line to the cluster of its own."""
        return "" if commander(screen) else "This screen has no line of its own to the cluster."

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Look."""
        found = commander(screen)
        if found is not None:
            cls.look(found)

    @classmethod
    def look(cls, screen: CommanderScreen) -> None:
        """Look, with a lens."""
        raise NotImplementedError


class ShowLogs(Look):
    """Logs of the pod in trouble; when there is none, of the pod you choose."""

    keys = "l"
    label = "logs"
    footer = 9

    @classmethod
    def look(cls, screen: CommanderScreen) -> None:
        """Open the logs."""
        from cockpit.tui.closer import logs_of_the_worst

        logs_of_the_worst(screen)


class ShowWorkloads(Look):
    """Deployments, Services, routes and Jobs: describe, logs, shell, port-forward."""

    keys = "W"
    label = "workloads"
    footer = 35

    @classmethod
    def look(cls, screen: CommanderScreen) -> None:
        """Open the list."""
        from cockpit.tui.screens.workloads import WorkloadsScreen

        screen.open(WorkloadsScreen(screen))


class ShowForwards(Look):
    """Port-forwards: what is open, new ones, stop."""

    keys = "f"
    label = "port-forwards"
    footer = 36

    @classmethod
    def look(cls, screen: CommanderScreen) -> None:
        """Open the list."""
        from cockpit.tui.screens.forwards import ForwardsScreen

        screen.open(ForwardsScreen(screen))


LOOK: tuple[type[ScreenCommand], ...] = (ShowLogs, ShowWorkloads, ShowForwards)
