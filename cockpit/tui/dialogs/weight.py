"""The move of the traffic by hand, in words, before it happens."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cockpit.model.commands import SetWeight
from cockpit.tui.dialogs.reason import ReasonDialog
from cockpit.tui.screens.main import MainScreen
from widgets.lines import Line, Tone


class WeightDialog(ReasonDialog):
    """Asks for a reason only beyond what the plan allows now."""

    TITLE = "MOVE TRAFFIC"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "confirm", "Confirm", show=False)]

    def __init__(self, main: MainScreen, weight: int) -> None:
        super().__init__(main)
        self.weight = weight

    @property
    def beyond(self) -> bool:
        """Whether the plan does not allow as much now."""
        return self.traffic is None or self.weight > self.traffic.allowed

    @property
    def required(self) -> bool:  # type: ignore[override]
        """A reason is required beyond the plan."""
        return self.beyond

    def fields(self) -> ComposeResult:
        """The reason, when one is needed."""
        if self.beyond:
            yield from super().fields()

    @property
    def reason(self) -> str:
        """What was typed, if anything could be."""
        return super().reason if self.query("#reason") else ""

    def said(self) -> list[Line]:
        """From where to where, and whether the plan has it."""
        if self.traffic is None or self.header is None:
            return [()]
        rows: list[Line] = [
            (),
            (
                (f"Share of {self.header.candidate}: ", Tone.TEXT),
                (f"{self.traffic.commanded} %  →  {self.weight} %", Tone.STRONG),
            ),
            ((f"{self.header.stable} gets {100 - self.weight} %. The gate starts to hold anew.", Tone.QUIET),),
        ]
        if self.beyond:
            rows.append(((f"▲ The plan allows up to {self.traffic.allowed} % now: give a reason.", Tone.WARN),))
        return [*rows, ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter moves."""
        return (("Enter", f"set {self.weight} %"), ("Esc", "cancel"))

    def answer(self) -> None:
        """Move, for this situation only."""
        self.dismiss(SetWeight(weight=self.weight, reason=self.reason, expected_seq=self.opened_for))
