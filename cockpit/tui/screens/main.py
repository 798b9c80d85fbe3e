"""The main screen: everything that must be seen at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen

from cockpit.tui.commands.act import ACT
from cockpit.tui.commands.base import ScreenCommand
from cockpit.tui.commands.look import LOOK
from cockpit.tui.commands.seat import TakeCommand
from cockpit.tui.commands.watch import WATCH
from cockpit.tui.looking import Looking
from cockpit.tui.orders import Orders
from cockpit.tui.state import RunScreen
from widgets.break_glass_pane import BreakGlassPane
from widgets.checklist_pane import ChecklistPane
from widgets.escalation_pane import EscalationPane
from widgets.gate_pane import GatePane
from widgets.guard_pane import GuardPane
from widgets.header_bar import HeaderBar
from widgets.journal_pane import JournalPane
from widgets.key_bar import KeyBar, KeyHint
from widgets.metrics_table import MetricsTable
from widgets.next_banner import NextBanner
from widgets.pane import Pane
from widgets.plan_pane import PlanPane
from widgets.pods_pane import PodsPane
from widgets.readiness import ReadinessPane
from widgets.rollback_pane import RollbackPane
from widgets.traffic_pane import TrafficPane
from widgets.traffic_slider import TrafficSlider

if TYPE_CHECKING:
    from textual.command import Provider

    from cockpit.model.commands import Command

WIDTHS = ((0, "-narrow"), (116, "-wide"), (190, "-ultra"))
HEIGHTS = ((0, "-tiny"), (22, "-short"), (30, "-medium"), (44, "-tall"))
PANES = ("plan", "pods", "metrics", "gate", "traffic", "readiness", "escalation", "checklist", "journal")


def bindings(commands: tuple[type[ScreenCommand], ...]) -> list[BindingType]:
    """The bindings of the commands, and the pane keys that are no commands."""
    keys: list[BindingType] = [command.binding() for command in commands]
    keys += [Binding(str(number), f"solo('{pane}')", show=False) for number, pane in enumerate(PANES, 1)]
    return [*keys, Binding("escape", "solo('')", show=False)]


def command_provider() -> type[Provider]:
    """The palette's source of commands, loaded when the palette is opened."""
    from cockpit.tui.commands.palette import CommandProvider

    return CommandProvider


class MainScreen(RunScreen[None]):
    """What an observer sees; the commander's screen adds what can be ordered."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = list(WIDTHS)  # noqa: RUF012 - mypy sees an instance variable in Screen
    VERTICAL_BREAKPOINTS = list(HEIGHTS)  # noqa: RUF012 - the same
    BINDINGS: ClassVar[list[BindingType]] = bindings(WATCH)

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {command_provider}

    commands: tuple[type[ScreenCommand], ...] = WATCH
    observing = True

    class Detached(Message):
        """The person wants to leave."""

    def __init__(self) -> None:
        super().__init__()
        self._solo = ""

    def compose(self) -> ComposeResult:
        """Header, banner, three columns, journal, keys."""
        yield HeaderBar(id="header").data_bind(
            RunScreen.header, RunScreen.plan, RunScreen.role, RunScreen.now, RunScreen.lost
        )
        yield self._banner()
        yield RollbackPane(id="rollback").data_bind(RunScreen.rollback, RunScreen.now, RunScreen.lost)
        with Horizontal(id="columns"):
            yield from self._columns()
        yield JournalPane(id="journal", classes="body below").data_bind(
            RunScreen.rows, RunScreen.loaded, RunScreen.lost
        )
        yield KeyBar(id="keys")

    def _banner(self) -> NextBanner:
        banner = NextBanner(id="banner")
        banner.set_reactive(NextBanner.observing, self.observing)
        return banner.data_bind(
            RunScreen.header,
            RunScreen.next,
            RunScreen.guard,
            RunScreen.gate,
            RunScreen.drift,
            RunScreen.link,
            RunScreen.consent,
            RunScreen.now,
        )

    def _columns(self) -> ComposeResult:
        now, lost = RunScreen.now, RunScreen.lost
        with Vertical(id="left"):
            yield PlanPane(id="plan", classes="body").data_bind(RunScreen.plan, now, lost)
            yield ChecklistPane(id="checklist", classes="body below").data_bind(
                RunScreen.checklist, RunScreen.header, lost
            )
        with Vertical(id="middle"):
            yield PodsPane(id="pods", classes="body").data_bind(RunScreen.pods, now, lost)
            yield self.traffic_pane().data_bind(RunScreen.traffic, RunScreen.header, now, lost)
            yield EscalationPane(id="escalation", classes="body below").data_bind(RunScreen.escalation, now, lost)
        with Vertical(id="right"):
            yield MetricsTable(id="metrics", classes="body").data_bind(RunScreen.metrics, now, lost)
            yield GatePane(id="gate", classes="body below").data_bind(RunScreen.gate, RunScreen.loaded, now, lost)
            yield GuardPane(id="guard", classes="below").data_bind(RunScreen.guard, lost)
            yield BreakGlassPane(id="sheet", classes="below").data_bind(RunScreen.rollback, lost)
            yield ReadinessPane(id="readiness", classes="body below").data_bind(
                RunScreen.readiness, RunScreen.rollback, now, lost
            )

    def traffic_pane(self) -> TrafficPane:
        """The traffic pane: without keys."""
        return TrafficPane(id="traffic", classes="body below")

    def on_mount(self) -> None:
        """Count seconds by one timer."""
        self.now = self.run_time()
        self.set_interval(1.0, self.tick)
        self.show_keys()

    def tick(self) -> None:
        """Move the clock."""
        self.now = self.run_time()

    def watch_rolling(self, rolling: bool) -> None:
        """The way back takes the place of the way forward."""
        self.set_class(rolling, "-rolling")

    def watch_header(self) -> None:
        """A run that is over has its last word in the banner, above the rollback if there was one."""
        self.set_class(bool(self.header and self.header.status.final), "-over")

    def watch_link(self) -> None:
        """A dead line must be seen above everything."""
        self.lost = self.link.old
        self.set_class(self.link.old, "-lost")
        self.show_keys()

    def show_keys(self) -> None:
        """Bring the footer up to date."""
        bar = self.query_one_optional(KeyBar)
        if bar is None:
            return
        listed = sorted((command for command in self.commands if command.footer), key=lambda each: each.footer)
        hints = [KeyHint(each.name(), each.key(), each.title(self), not each.refused(self)) for each in listed]
        bar.hints = tuple(
            hint for hint, each in zip(hints, listed, strict=True) if hint.enabled or not each.situational
        )

    @on(KeyBar.Clicked)
    def click_key(self, event: KeyBar.Clicked) -> None:
        """A click on the footer is a key press."""
        self.action_command(event.id)

    def action_command(self, name: str) -> None:
        """Give a command, or say why not."""
        command = next(each for each in self.commands if each.name() == name)
        reason = command.refused(self)
        if reason:
            self.notify(reason, title=f"{command.key()} {command.label}", severity="warning", timeout=5, markup=False)
        else:
            command.run(self)

    def action_solo(self, pane: str) -> None:
        """Show one pane large; the same one again, or nothing, shows all."""
        self.solo("" if pane == self._solo else pane)

    def solo(self, pane: str) -> None:
        """Show one pane large, or all."""
        self._solo = pane
        self.set_class(bool(pane), "-solo")
        for body in self.query(Pane).filter(".body"):
            body.set_class(body.id == pane, "-shown")
        for column in self.query("#columns, #left, #middle, #right"):
            column.set_class(bool(pane) and bool(column.query(f"#{pane}")), "-shown")

    def solo_next(self, by: int) -> None:
        """The next pane large; after the last, all."""
        order = ("", *PANES)
        self.solo(order[(order.index(self._solo) + by) % len(order)])

    def begin_weight(self) -> None:
        """An observer has no slider."""

    def order(self, command: Command) -> None:
        """An observer has no line for orders."""

    def ask(self, dialog: Screen[Command | None]) -> None:
        """An observer is asked nothing."""

    def open(self, screen: Screen[None]) -> None:
        """Show another screen above this one."""
        self.app.push_screen(screen)

    def open_pods(self) -> None:
        """Show all pods."""
        from cockpit.tui.screens.pods import PodsScreen

        self.open(PodsScreen(self))

    def open_reference(self) -> None:
        """Show the runbook's reference lists."""
        from cockpit.tui.screens.reference import ReferenceScreen

        self.open(ReferenceScreen(self))

    def open_checklist(self) -> None:
        """Show the checklists."""
        from cockpit.tui.screens.checklist import ChecklistScreen

        self.open(ChecklistScreen(self))

    def ask_detach(self) -> None:
        """Explain that the run goes on, then leave."""
        from cockpit.tui.dialogs.detach import DetachDialog

        self.app.push_screen(DetachDialog(self), self._asked_detach)

    def _asked_detach(self, leave: bool | None) -> None:
        if leave:
            self.post_message(self.Detached())


class CommanderScreen(MainScreen):
    """The main screen of the one who commands."""

    BINDINGS: ClassVar[list[BindingType]] = bindings((*ACT, *LOOK))

    commands = (*ACT, *LOOK, *WATCH)
    observing = False

    def __init__(self, orders: Orders, looking: Looking | None = None) -> None:
        super().__init__()
        self.looking = looking
        self._orders = orders

    def traffic_pane(self) -> TrafficPane:
        """The traffic pane that can be moved."""
        return TrafficSlider(id="traffic", classes="body below")

    def begin_weight(self) -> None:
        """Give the keys to the slider; with little room it is shown large."""
        if self.has_class("-narrow"):
            self.solo("traffic")
        self.query_one(TrafficSlider).begin()

    @on(TrafficSlider.Proposed)
    def confirm_weight(self, event: TrafficSlider.Proposed) -> None:
        """Say what the move means, and ask."""
        from cockpit.tui.dialogs.weight import WeightDialog

        self.ask(WeightDialog(self, event.weight))

    def open_pods(self) -> None:
        """Show the pods, to be looked at closer."""
        if self.looking is None:
            super().open_pods()
        else:
            from cockpit.tui.screens.pods_closer import CloserPodsScreen

            self.open(CloserPodsScreen(self))

    def open_reference(self) -> None:
        """Show the reference lists; the runbook's commands can be run."""
        if self.looking is None:
            super().open_reference()
        else:
            from cockpit.tui.screens.runnable import RunnableReferenceScreen

            self.open(RunnableReferenceScreen(self))

    async def note(self, text: str) -> None:
        """Write a row into the journal about something that goes past the engine."""
        await self._orders.note(text)

    def open_checklist(self) -> None:
        """Show the checklists, to be ticked."""
        from cockpit.tui.screens.checklist import TickScreen

        self.open(TickScreen(self))

    def order(self, command: Command) -> None:
        """Send a command."""
        self._orders.send(command)

    def ask(self, dialog: Screen[Command | None]) -> None:
        """Ask, and send what was confirmed."""
        self.app.push_screen(dialog, self._confirmed)

    def _confirmed(self, command: Command | None) -> None:
        if command is not None:
            self.set_focus(None)
            self.order(command)


class StandbyScreen(MainScreen):
    """The main screen of somebody who may command while somebody else does: it watches, and can take over."""

    BINDINGS: ClassVar[list[BindingType]] = [TakeCommand.binding()]

    commands = (TakeCommand, *WATCH)

    def __init__(self, orders: Orders) -> None:
        super().__init__()
        self._orders = orders

    def ask(self, dialog: Screen[Command | None]) -> None:
        """Ask for the reason, and take over."""
        self.app.push_screen(dialog, self._confirmed)

    def _confirmed(self, command: Command | None) -> None:
        if command is not None:
            self.set_focus(None)
            self._orders.send(command)
