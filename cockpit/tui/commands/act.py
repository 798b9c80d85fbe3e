"""Commands that ask the engine to do something. An observer's screen has none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.model.status import RunStatus
from cockpit.tui.commands.base import ScreenCommand
from cockpit.tui.state import pending_consent
from widgets.link_state import Line
from widgets.notice import tripped

if TYPE_CHECKING:
    from cockpit.tui.screens.main import MainScreen


def unreachable(screen: MainScreen) -> str:
    """Why nothing can be ordered at all, or nothing."""
    if screen.link.line is Line.CLOSED:
        return "The run is closed."
    if screen.link.line is not Line.UP or screen.header is None:
        return "The engine does not answer; in need, use the break-glass sheet (b)."
    return ""


def not_forward(screen: MainScreen) -> str:
    """Why there is no way forward, or nothing."""
    reason = unreachable(screen)
    if reason or screen.header is None:
        return reason
    status = screen.header.status
    if status.final or status is RunStatus.ROLLING_BACK:
        return f"The run is {status.replace('_', ' ')}: there is no way forward."
    return ""


class Order(ScreenCommand):
    """A command for the engine."""

    changes = True
    anywhere = True


class Advance(Order):
    """Go on: start the run, answer a decision with continue, start the next step, retry a failed one."""

    keys = "n"
    label = "advance"
    footer = 1

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Whatever blocks the way."""
        reason = not_forward(screen)
        if reason or screen.next is None:
            return reason
        if screen.consent:
            return ""
        return screen.next.blocked or ("" if screen.next.verb else "There is nothing to advance now.")

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Say exactly what will happen, and ask."""
        from cockpit.tui.dialogs.advance import AdvanceDialog

        if screen.consent:
            GiveConsent.run(screen)
        else:
            screen.ask(AdvanceDialog(screen))


class HoldOrResume(Order):
    """Hold: start no new forward action. Pressed again: resume."""

    keys = "h"
    label = "hold"
    footer = 2

    @classmethod
    def title(cls, screen: MainScreen) -> str:
        """What the key does now."""
        return "resume" if screen.header and screen.header.held else "hold"

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only on the way forward."""
        return not_forward(screen)

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Hold at once, with an optional reason later in the journal; resume at once."""
        from cockpit.model.commands import Hold, Resume

        held = screen.header is not None and screen.header.held
        screen.order(Resume(expected_seq=screen.situation) if held else Hold(expected_seq=screen.situation))


class RollBackCommand(Order):
    """Roll back to stable: reason, trigger, steps, and a second deliberate confirmation."""

    keys = "R"
    label = "ROLL BACK"
    footer = 3

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Possible from every state; only a dead line or a closed run prevents it."""
        return unreachable(screen)

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Open the rollback dialog."""
        from cockpit.tui.dialogs.rollback import RollbackDialog

        screen.ask(RollbackDialog(screen))


class OverrideCommand(Order):
    """Override what blocks (an open gate, a failed action, an unticked checklist), with a reason."""

    keys = "o"
    situational = True
    label = "override"
    footer = 5

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only when the runbook's engine offers it."""
        reason = not_forward(screen)
        if reason:
            return reason
        return "" if screen.next and screen.next.override else "There is nothing to override now."

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Ask the reason."""
        from cockpit.tui.dialogs.reason import OverrideDialog

        screen.ask(OverrideDialog(screen))


class AcknowledgeCommand(Order):
    """Acknowledge the escalation: you have it, the ladder stops."""

    keys = "a"
    situational = True
    label = "acknowledge"
    footer = 6

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only while a ladder runs."""
        reason = unreachable(screen)
        escalation = screen.escalation
        if reason or escalation is None:
            return reason
        if escalation.since is None:
            return "No escalation is running."
        return f"{escalation.acknowledged_by} has it already." if escalation.acknowledged_by else ""

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Acknowledge at once."""
        from cockpit.model.commands import Acknowledge

        screen.order(Acknowledge())


class DismissCommand(Order):
    """Dismiss a tripped rollback trigger and its countdown, with a reason."""

    keys = "D"
    situational = True
    label = "dismiss trigger"
    footer = 4

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only while a trigger is tripped."""
        return unreachable(screen) or ("" if tripped(screen.guard) else "No rollback trigger is tripped.")

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Ask the reason."""
        from cockpit.tui.dialogs.reason import DismissDialog

        screen.ask(DismissDialog(screen))


class SettleDrift(Order):
    """Settle a drift: adopt or restore what somebody else changed on the cluster."""

    keys = "e"
    situational = True
    label = "settle drift"
    footer = 4

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only while something has drifted."""
        open_drifts = screen.drift is not None and screen.drift.entries
        return not_forward(screen) or ("" if open_drifts else "Nothing has drifted.")

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Say who changed what, and ask."""
        from cockpit.tui.dialogs.drift import DriftDialog

        screen.ask(DriftDialog(screen))


class MoveTraffic(Order):
    """Move the traffic by hand: arrows move, Enter proposes, a dialog confirms."""

    keys = "w"
    anywhere = False
    label = "weight"
    footer = 8

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only on the way forward, and when the traffic is known."""
        return not_forward(screen) or ("" if screen.traffic else "The traffic is not known yet.")

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Give the keys to the slider."""
        screen.begin_weight()


class GiveConsent(Order):
    """Give the typed consent that an action asks for, or skip the action."""

    keys = "y"
    situational = True
    label = "consent"
    footer = 7

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only while an action asks."""
        return not_forward(screen) or ("" if pending_consent(screen.plan) else "No action asks for consent now.")

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Ask for the word."""
        from cockpit.tui.dialogs.consent import ConsentDialog

        action = pending_consent(screen.plan)
        if action is not None:
            screen.ask(ConsentDialog(screen, action))


class CloseRun(Order):
    """Close a run that is over: its engine ends, the journal stays."""

    keys = "X"
    situational = True
    label = "close run"
    footer = 5

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Only when the run has nothing left to do by itself."""
        reason = unreachable(screen)
        if reason or screen.header is None:
            return reason
        over = screen.header.status.final
        return "" if over else f"The run is {screen.header.status.replace('_', ' ')}: finish it or roll it back first."

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Say what ends, and ask."""
        from cockpit.tui.dialogs.close import CloseDialog

        screen.ask(CloseDialog(screen))


ACT: tuple[type[ScreenCommand], ...] = (
    Advance,
    HoldOrResume,
    RollBackCommand,
    DismissCommand,
    SettleDrift,
    OverrideCommand,
    AcknowledgeCommand,
    GiveConsent,
    MoveTraffic,
    CloseRun,
)
