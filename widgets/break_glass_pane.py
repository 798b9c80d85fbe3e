"""The break-glass sheet beside a running rollback: what to type when the rollback does not get through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.lines import Line, Tone, wrap
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import RollbackView


class BreakGlassPane(Pane):
    """The exact commands."""

    TITLE = "BY HAND, IF THIS FAILS"

    rollback: var[RollbackView | None] = var(None)

    watch_rollback = Pane.rewrite

    def summary(self) -> Line:
        """Where the whole sheet is."""
        return (("b", Tone.KEY), (" whole sheet", Tone.QUIET))

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """As much of the sheet as fits."""
        sheet = self.rollback.break_glass if self.rollback else ""
        if not sheet:
            return [self.heading(width), (("no sheet was written yet", Tone.QUIET),)]
        rows: list[Line] = []
        for paragraph in sheet.split("\n"):
            tone = Tone.QUIET if paragraph.startswith("#") else Tone.TEXT
            first, *rest = wrap(paragraph, width - 2) or [""]
            rows += [((first, tone),), *((("  " + text, tone),) for text in rest)]
        return [self.heading(width), *rows]
