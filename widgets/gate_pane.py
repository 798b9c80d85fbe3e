"""The gate of the current step: how long it has held, what holds, and in words why it waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.reactive import var

from cockpit.model.status import GateStatus
from widgets.formatting import GATE, Mark, duration, seconds_between
from widgets.lines import Line, Tone, ends, heading, width_of, wrap
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import ConditionView, GateView


class GatePane(Pane):
    """Progress and conditions."""

    TITLE = "GATE"
    NUMBER = "4"

    gate: var[GateView | None] = var(None)
    loaded: var[bool] = var(False)

    watch_gate = watch_loaded = Pane.rewrite

    def summary(self) -> Line:
        """What the gate does."""
        return gate_mark(self.gate).line if self.gate else ()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """One line when there is no more room, else progress, conditions, reason."""
        gate = self.gate
        if gate is None:
            words = "none now: the current step has no gate" if self.loaded else "waiting for the gate …"
            if height < 3:
                return [(("GATE ", Tone.TITLE), (words, Tone.QUIET))]
            return [self.heading(width), ((words, Tone.QUIET),)]
        if height < 3:
            return compact(gate, self.now, width)[:height]
        return [
            heading(f"{self.TITLE} {gate.step}", width, self.summary(), self.NUMBER),
            *gate_rows(gate, self.now, width),
        ]


def gate_mark(gate: GateView) -> Mark:
    """The gate's state as glyph, word and tone."""
    return GATE[gate.status]


def held_s(gate: GateView, now: datetime | None) -> float:
    """For how long all conditions have held."""
    if gate.status is GateStatus.PASSED:
        return gate.needs_s
    return min(gate.needs_s, seconds_between(gate.held_since, now)) if gate.held_since else 0.0


def progress(share: float, width: int, tone: Tone) -> Line:
    """A bar; its share is told by its shape, not only by its colour."""
    full = round(min(1.0, max(0.0, share)) * width)
    return (("━" * full, tone), ("╌" * (width - full), Tone.FAINT))


def held_line(gate: GateView, now: datetime | None, width: int) -> Line:
    """`held 11:20 of 30:00` and a bar."""
    if gate.status is GateStatus.OVERRIDDEN:
        return (("overridden; it needed ", Tone.WARN), (duration(gate.needs_s), Tone.STRONG))
    held = held_s(gate, now)
    words: Line = (
        ("held ", Tone.QUIET),
        (duration(held), Tone.STRONG),
        (f" of {duration(gate.needs_s)}  ", Tone.QUIET),
    )
    share = held / gate.needs_s if gate.needs_s else 1.0
    if gate.broke_at is not None and gate.held_since is None:
        words += ((f"broke {duration(seconds_between(gate.broke_at, now))} ago  ", Tone.WARN),)
    return (*words, *progress(share, max(0, width - width_of(words)), gate_mark(gate).tone))


def gate_rows(gate: GateView, now: datetime | None, width: int) -> list[Line]:
    """Everything about the gate."""
    rows = [held_line(gate, now, width)]
    for condition in gate.conditions:
        rows += condition_rows(condition, width)
    tone = Tone.QUIET if gate.status is not GateStatus.WAITING else Tone.WARN
    rows += [((text, tone),) for text in wrap(why(gate, now), width, 3)]
    return rows


def why(gate: GateView, now: datetime | None) -> str:
    """What does not hold, for how long it must, and when and at what it broke."""
    if not gate.reason or gate.status is not GateStatus.WAITING:
        return gate.reason
    one_limit = ", must be " in gate.reason and ";" not in gate.reason
    words = f"{gate.reason} for {duration(gate.needs_s)}" if one_limit and not gate.gave_up else gate.reason
    if gate.broke_at is None or not gate.broke_value:
        return words
    return f"{words}; broke {duration(seconds_between(gate.broke_at, now))} ago at {gate.broke_value}"


def condition_rows(condition: ConditionView, width: int) -> list[Line]:
    """One condition; an advisory one that is not met says all it knows, as it can be a whole sentence."""
    row = condition_row(condition, width)
    if not condition.advisory or condition.met:
        return [row]
    head: Line = (("◇ ", Tone.WARN), (condition.text, Tone.TEXT), (" (advisory)", Tone.QUIET))
    return [head, *(((f"  {text}", Tone.WARN),) for text in wrap(condition.reason, max(8, width - 2), 3))]


def condition_row(condition: ConditionView, width: int) -> Line:
    """One condition and why it is not met."""
    if condition.confirm and not condition.met:
        start: Line = (("☐ ", Tone.WARN), (condition.text, Tone.TEXT))
        return ends(start, (("c", Tone.KEY), (" to confirm", Tone.QUIET)), width)
    glyph, tone = ("✔", Tone.GOOD) if condition.met else ("✖", Tone.BAD)
    if condition.advisory:
        glyph, tone = "◇", Tone.GOOD if condition.met else Tone.WARN
    start = ((f"{glyph} ", tone), (condition.text, Tone.TEXT))
    room = width - width_of(start) - 2
    if room < 8 or not condition.reason:
        return start
    reason = wrap(condition.reason, room, 1)
    return ends(start, ((reason[0] if reason else "", Tone.QUIET if condition.met else Tone.WARN),), width)


def compact(gate: GateView, now: datetime | None, width: int) -> list[Line]:
    """The gate on one line, and why it waits on a second."""
    mark = gate_mark(gate)
    deciding = [condition for condition in gate.conditions if not condition.advisory]
    met = sum(condition.met for condition in deciding)
    start: Line = (
        (f"GATE {gate.step} ", Tone.TITLE),
        (f"{mark.glyph} {mark.word} ", mark.tone),
        (f"{duration(held_s(gate, now))}/{duration(gate.needs_s)} ", Tone.STRONG),
    )
    end: Line = ((f" {met} of {len(deciding)} met", Tone.GOOD if met == len(deciding) else Tone.WARN),)
    room = max(0, width - width_of(start) - width_of(end))
    share = held_s(gate, now) / gate.needs_s if gate.needs_s else 1.0
    return [(*start, *progress(share, room, mark.tone), *end), ((f"  {_why(gate, now)}", Tone.WARN),)]


def _why(gate: GateView, now: datetime | None) -> str:
    if gate.reason:
        return why(gate, now)
    return next((f"✖ {c.text} {c.reason}" for c in gate.conditions if not c.met and not c.advisory), "")
