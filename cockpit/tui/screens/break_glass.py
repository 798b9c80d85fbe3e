"""The break-glass sheet: how to go back when the cockpit cannot."""

from __future__ import annotations

from cockpit.tui.screens.listing import ListingScreen, titled, wrapped
from widgets.lines import Line


class BreakGlassScreen(ListingScreen):
    """The exact commands; they work without engine, metrics or messages."""

    USES = ("rollback",)

    def sections(self, width: int) -> list[list[Line]]:
        """The sheet as it was written."""
        sheet = self.rollback.break_glass if self.rollback else ""
        rows = wrapped(sheet, width) if sheet else []
        return [titled("BREAK-GLASS SHEET: GO BACK BY HAND", width, rows, "no sheet was written yet")]
