"""Commands that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.tui.commands.base import ScreenCommand

if TYPE_CHECKING:
    from cockpit.tui.screens.main import MainScreen


class ShowPods(ScreenCommand):
    """All pods, with a filter."""

    keys = "p"
    label = "pods"
    footer = 30

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the pods screen."""
        screen.open_pods()


class ShowDetail(ScreenCommand):
    """Gate, metrics and triggers in detail: thresholds, queries, reasons."""

    keys = "g"
    label = "gate & metrics"
    footer = 31

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the detail screen."""
        from cockpit.tui.screens.detail import DetailScreen

        screen.open(DetailScreen(screen))


class ShowCharts(ScreenCommand):
    """Charts of all metrics over the whole run, with what happened; Enter: one of them large, with a crosshair."""

    keys = "G"
    label = "charts"
    footer = 31

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the charts."""
        from cockpit.tui.screens.charts import ChartScreen

        screen.open(ChartScreen(screen))


class ShowJournal(ScreenCommand):
    """The whole journal, with a search."""

    keys = "j"
    label = "journal"
    footer = 32

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the journal screen."""
        from cockpit.tui.screens.journal import JournalScreen

        screen.open(JournalScreen(screen))


class ShowMessages(ScreenCommand):
    """Messages: the outbox, planned updates, mails."""

    keys = "m"
    label = "messages"
    footer = 33

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the messages screen."""
        from cockpit.tui.screens.messages import MessagesScreen

        screen.open(MessagesScreen(screen))


class ShowReference(ScreenCommand):
    """Information: contacts, dashboards, commands, troubleshooting, channels."""

    keys = "i"
    label = "info"
    footer = 34

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the reference screen."""
        screen.open_reference()


class ShowBreakGlass(ScreenCommand):
    """The break-glass sheet: exact commands to go back by hand."""

    keys = "b"
    label = "break-glass"
    footer = 29

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the sheet."""
        from cockpit.tui.screens.break_glass import BreakGlassScreen

        screen.open(BreakGlassScreen(screen))


class ShowHelp(ScreenCommand):
    """All keys and what they do now."""

    keys = "question_mark,f1"
    shown = "?"
    label = "all keys"
    footer = 99

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the help."""
        from cockpit.tui.screens.help import HelpScreen

        screen.open(HelpScreen(screen))


class Detach(ScreenCommand):
    """Leave this screen; the run goes on in its engine."""

    keys = "q"
    label = "detach"
    footer = 90

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Explain, then leave."""
        screen.ask_detach()


class NextPane(ScreenCommand):
    """Show one pane large, then the next one (1–9 choose a pane, Escape shows all again)."""

    keys = "tab"
    shown = "Tab"
    label = "pane large"

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Go through the panes."""
        screen.solo_next(1)


class PreviousPane(ScreenCommand):
    """Show the pane before large."""

    keys = "shift+tab"
    shown = "Shift+Tab"
    label = "pane before"

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Go through the panes backwards."""
        screen.solo_next(-1)


class ShowChecklist(ScreenCommand):
    """The checklists: what is done, by whom and when, and what is open."""

    keys = "c,t,x"
    label = "checklist"
    footer = 28

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the checklist screen."""
        screen.open_checklist()


WATCH: tuple[type[ScreenCommand], ...] = (
    ShowChecklist,
    ShowBreakGlass,
    ShowPods,
    ShowDetail,
    ShowCharts,
    ShowJournal,
    ShowMessages,
    ShowReference,
    NextPane,
    PreviousPane,
    Detach,
    ShowHelp,
)
