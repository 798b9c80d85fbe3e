"""The last rows of the journal, one human line each."""

from __future__ import annotations

from collections.abc import Sequence
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
        return [*top, *(event_row(event, width) for event in self.rows[len(top) - height :])]


def shown(event: Event) -> bool:
    """Whether people want to see the row: the regular samples would drown the rest."""
    return event.type != "metrics.sampled"


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
