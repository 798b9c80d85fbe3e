"""What a commander must know of the route, in lines: the pane and the dialog of the weight share it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.model.status import Severity
from widgets.lines import Line, Tone, wrap

if TYPE_CHECKING:
    from cockpit.model.cluster import Note
    from cockpit.model.snapshot import TrafficView

_MARKS = {
    Severity.FAULT: ("✖", Tone.BAD),
    Severity.WARNING: ("▲", Tone.WARN),
    Severity.INFO: ("·", Tone.QUIET),
}
_WORST_FIRST = tuple(_MARKS)


def ordered(traffic: TrafficView) -> tuple[Note, ...]:
    """The notes, the worst first."""
    return tuple(sorted(traffic.notes, key=lambda note: _WORST_FIRST.index(note.severity)))


def count(traffic: TrafficView) -> Line:
    """How many notes there are, marked as the worst of them; nothing without any."""
    notes = ordered(traffic)
    if not notes:
        return ()
    mark, tone = _MARKS[notes[0].severity]
    return ((f"{mark} {len(notes)} note{'s' if len(notes) > 1 else ''}", tone),)


def shortly(traffic: TrafficView) -> list[Line]:
    """One line each, for a pane with little room."""
    return [_lines(*part, 10_000)[0] for part in _parts(traffic)]


def fully(traffic: TrafficView, width: int) -> list[Line]:
    """Everything, on as many lines as it takes."""
    return [line for part in _parts(traffic) for line in _lines(*part, width)]


def way_out(traffic: TrafficView) -> str:
    """What gets everybody off the candidate when weight 0 does not; empty when weight 0 does."""
    if not traffic.evades:
        return ""
    if traffic.evicts:
        return f"Weight 0 is not a way back: users stay on the candidate. A rollback evicts them: {traffic.off}."
    return "Users stay on the candidate at weight 0, and after a rollback too: see the notes."


def _parts(traffic: TrafficView) -> Iterator[tuple[str, Tone, str]]:
    """Mark, tone and text of everything that is to be said."""
    if traffic.pending:
        yield "▲", Tone.WARN, f"not in force: {traffic.pending}"
    out = way_out(traffic)
    for note in ordered(traffic):
        if note.severity is not Severity.FAULT and out:
            yield "▲", Tone.WARN, out
            out = ""
        mark, tone = _MARKS[note.severity]
        yield mark, tone, f"{note.text}{f' – {note.hint}' if note.hint else ''}"
    if out:
        yield "▲", Tone.WARN, out


def _lines(mark: str, tone: Tone, text: str, width: int) -> list[Line]:
    first, *rest = wrap(text, max(10, width - 2))
    return [((f"{mark} {first}", tone),), *(((f"  {more}", tone),) for more in rest)]


def residual(traffic: TrafficView) -> Line:
    """What still reaches the route that is out of service."""
    off = ("canary route off", Tone.NOW)
    if traffic.residual is None:
        reason = f"residual: {traffic.residual_problem}" if traffic.residual_problem else ""
        return (off, (f"   ○ {reason}", Tone.WARN)) if reason else (off,)
    good = traffic.residual <= traffic.residual_at_most
    said = f"   residual {traffic.residual:.2f} requests/s {'✔' if good else '▲'}"
    return (off, (said, Tone.GOOD if good else Tone.WARN))
