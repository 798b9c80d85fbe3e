"""The commander's traffic pane: the weight can be moved as a draft, and the draft be proposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Blur
from textual.message import Message

from widgets.traffic_pane import TrafficPane


class TrafficSlider(TrafficPane, can_focus=True):
    """Arrows move a draft; only Enter proposes it, and nothing is set without a confirmation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "−1 %", show=False),
        Binding("right", "move(1)", "+1 %", show=False),
        Binding("shift+left,ctrl+left,left_square_bracket", "move(-5)", "−5 %", show=False),
        Binding("shift+right,ctrl+right,right_square_bracket", "move(5)", "+5 %", show=False),
        Binding("down", "stop(-1)", "stop before", show=False),
        Binding("up", "stop(1)", "next stop", show=False),
        Binding("enter", "propose", "Propose", show=False),
        Binding("escape", "leave", "Leave", show=False),
    ]
    DEFAULT_CSS = "TrafficSlider:focus { background: $panel; }"

    @dataclass
    class Proposed(Message):
        """The commander wants this weight."""

        weight: int

    def begin(self) -> None:
        """Start a draft at what is commanded, and take the keys."""
        if self.traffic is not None:
            self.draft = self.traffic.commanded
            self.focus()

    def action_move(self, by: int) -> None:
        """Move the draft."""
        if self.draft is not None:
            self.draft = min(100, max(0, self.draft + by))

    def action_stop(self, direction: int) -> None:
        """Move the draft to the next stop of the plan."""
        if self.draft is None or self.traffic is None:
            return
        stops = sorted({0, *self.traffic.stops, 100})
        beyond = [stop for stop in stops if (stop - self.draft) * direction > 0]
        if beyond:
            self.draft = min(beyond) if direction > 0 else max(beyond)

    def action_propose(self) -> None:
        """Ask for the draft."""
        if self.draft is not None:
            self.post_message(self.Proposed(self.draft))

    def action_leave(self) -> None:
        """Drop the draft."""
        self.draft = None
        self.screen.set_focus(None)

    @on(Blur)
    def forget(self) -> None:
        """A draft without the keys would be a trap."""
        self.draft = None
