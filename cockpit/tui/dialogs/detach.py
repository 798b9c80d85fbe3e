"""`q` and Ctrl+C: leaving the screen is not ending the run."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.screens.main import CommanderScreen
from widgets.lines import Line, Tone


class DetachDialog(Dialog[bool | None]):
    """Explains, then leaves."""

    TITLE = "DETACH"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q,y", "confirm", "Leave", show=False)]
    bound = False

    @property
    def armed(self) -> bool:
        """Leaving is always possible."""
        return True

    def said(self) -> list[Line]:
        """What goes on without this screen."""
        header = self.header
        if header is not None and header.status.final:
            return [(), ((f"The run is {header.status.replace('_', ' ')}.", Tone.TEXT),), *self._forwards(), ()]
        again = f"cockpit attach {header.run}" if header else "cockpit attach"
        return [
            (),
            (("The run goes on in its engine: guard, gates and escalation too.", Tone.STRONG),),
            (("A decision left open takes its declared default at its deadline.", Tone.TEXT),),
            *self._forwards(),
            (),
            (("Come back with  ", Tone.QUIET), (again, Tone.KEY)),
            (),
        ]

    def _forwards(self) -> list[Line]:
        """The port-forwards are this screen's own: they end with it."""
        looking = self.main.looking if isinstance(self.main, CommanderScreen) else None
        live = sum(forward.state == "listening" for forward in looking.forwards()) if looking else 0
        if not live:
            return []
        words = "1 port-forward ends" if live == 1 else f"{live} port-forwards end"
        return [((f"▲ {words} with this screen.", Tone.WARN),)]

    def _foot(self) -> list[Line]:
        from widgets.next_banner import keys_line

        return [keys_line((("Enter", "leave this screen"), ("Esc", "stay")), 200)]

    def confirm(self) -> None:
        """Leave."""
        self.dismiss(True)
