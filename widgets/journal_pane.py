"""The last rows of the journal, one human line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.formatting import IMPORTANCE, clock
from widgets.lines import Line, Tone, fit
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.events import Event

ACTOR_WIDTH = 12


class JournalPane(Pane):
    """The tail of the journal; the journal screen has all of it."""

    TITLE = "JOURNAL"
    NUMBER = "9"

    rows: var[tuple[Event, ...]] = var(())
    loaded: var[bool] = var(False)

    watch_rows = watch_loaded = Pane.rewrite

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """The newest rows at the bottom."""
        top = [self.heading(width)] if height > 3 else []
        if not self.rows:
            words = "nothing recorded yet" if self.loaded else "waiting for the journal …"
            return [*top, ((words, Tone.QUIET),)]
        newest = list(islice(collapsed(self.rows), max(0, height - len(top))))
        return [*top, *(event_row(event, width) for event in reversed(newest))]


def shown(event: Event) -> bool:
    """Whether people want to see the row: the regular samples would drown the rest."""
    return event.type != "metrics.sampled"


def collapsed(rows: Sequence[Event]) -> Iterator[Event]:
    """The rows, newest first, with only the last of what one program printed without a break."""
    later = ""
    for row in reversed(rows):
        printing = row.action if row.type == "action.output" else ""
        if not printing or printing != later:
            yield row
        later = printing


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One printed line of an `action.output` event."""

    event: Event
    text: str


def expanded(rows: Iterable[Event]) -> Iterator[Event | OutputLine]:
    """The rows with every printed line as a row of its own."""
    for row in rows:
        if row.type != "action.output":
            yield row
            continue
        mark = {"err": "! ", "log": "log "}.get(row.stream, "")
        if row.left_out:
            yield OutputLine(row, f"{row.action} │ … {row.left_out} lines left out")
        for line in row.lines:
            yield OutputLine(row, f"{row.action} │ {mark}{line}")


def journal_row(row: Event | OutputLine, width: int) -> Line:
    """A row of the whole journal."""
    if not isinstance(row, OutputLine):
        return event_row(row, width)
    actor = min(ACTOR_WIDTH, max(6, width // 8))
    return (
        (clock(row.event.at), Tone.FAINT),
        (" " + fit("", actor), Tone.QUIET),
        ("   ", Tone.QUIET),
        (row.text, Tone.TEXT),
    )


def event_row(event: Event, width: int) -> Line:
    """Time, actor, glyph, words."""
    # Loaded with the first row: the first frame has none.
    from cockpit.model.describe import describe, importance

    glyph, tone = IMPORTANCE[importance(event)]
    actor = min(ACTOR_WIDTH, max(6, width // 8))
    text = Tone.QUIET if tone is Tone.QUIET else Tone.BAD if tone is Tone.BAD else Tone.TEXT
    return (
        (clock(event.at), Tone.FAINT),
        (" " + fit(event.actor, actor), Tone.QUIET),
        (f" {glyph} ", tone),
        (describe(event), text),
    )
