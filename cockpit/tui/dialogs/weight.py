"""The move of the traffic by hand, in words, before it happens."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cockpit.model.cluster import Severity, WeightField
from cockpit.model.commands import SetWeight
from cockpit.model.snapshot import TrafficView
from cockpit.tui.dialogs.reason import ReasonDialog
from cockpit.tui.screens.main import MainScreen
from widgets.lines import Line, Tone, toned, wrap
from widgets.traffic_notes import ordered, way_out

MAX_NOTE_ROWS = 8

TONES = {Severity.FAULT: Tone.BAD, Severity.WARNING: Tone.WARN}


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
        """From where to where, what is written, what to know, how to go back, and whether the plan has it."""
        traffic, header = self.traffic, self.header
        if traffic is None or header is None:
            return [()]
        rows: list[Line] = [
            (),
            (
                (f"Share of {header.candidate}: ", Tone.TEXT),
                (f"{traffic.commanded} %  →  {self.weight} %", Tone.STRONG),
            ),
            ((f"{header.stable} gets {100 - self.weight} %. The gate starts to hold anew.", Tone.QUIET),),
            *(row for field in traffic.fields for row in _written(field, self.weight, self.wide)),
            *self._back(traffic),
            *_known(traffic, self.wide),
        ]
        if self.beyond:
            rows.append(((f"▲ The plan allows up to {traffic.allowed} % now: override it with a reason.", Tone.WARN),))
        return [*rows, ()]

    def _back(self, traffic: TrafficView) -> list[Line]:
        """How to go back."""
        out = way_out(traffic)
        words = f"Back: w again to {traffic.commanded} %, or R rolls back ({traffic.off or 'canary off'})."
        if not out:
            return toned(wrap(words, self.wide, 3), Tone.QUIET)
        return toned(wrap(f"▲ {out}", self.wide, 3), Tone.WARN)

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter moves."""
        return (("Enter", f"set {self.weight} %"), ("Esc", "cancel"))

    def answer(self) -> None:
        """Move, for this situation only."""
        self.dismiss(SetWeight(weight=self.weight, reason=self.reason, expected_seq=self.opened_for))


def _written(field: WeightField, weight: int, wide: int) -> list[Line]:
    """One number that is written: where, from, to."""
    of = "" if field.total == 100 else f" of {field.total}"
    moved = f"{field.value} → {field.written(weight)}{of}"
    return toned(wrap(f"Writes {field.target}: {field.field} {moved}", wide, 2), Tone.TEXT)


def _known(traffic: TrafficView, wide: int) -> list[Line]:
    """The notes, as far as there is room."""
    rows: list[Line] = [
        ((text, TONES[note.severity]),)
        for note in ordered(traffic)
        for text in wrap(f"{'✖' if note.severity is Severity.FAULT else '▲'} {note.text}", wide, 3)
        if note.severity is not Severity.INFO
    ]
    if len(rows) <= MAX_NOTE_ROWS:
        return rows
    return [*rows[: MAX_NOTE_ROWS - 1], (("… 5 shows all notes", Tone.QUIET),)]
