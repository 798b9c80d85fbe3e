"""The text of a dialog: as high as it needs to be."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.lines import Line, Tone
from widgets.pane import Pane


def fitted(said: Sequence[Line], height: int) -> list[Line]:
    """What can be said in `height` rows: blank rows go first, and what still does not fit is counted, not lost."""
    rows = list(said)
    while len(rows) > height and () in rows:
        rows.remove(())
    if len(rows) <= height:
        return rows
    kept = max(0, height - 1)
    more = f"… {len(rows) - kept} more lines: make the terminal higher"
    return [*rows[:kept], ((more, Tone.WARN),)]


class DialogText(Pane):
    """Lines that grow and shrink with what must be said."""

    DEFAULT_CSS = "DialogText { height: 1; padding: 0; background: transparent; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said: list[Line] = []

    def show(self, said: list[Line]) -> None:
        """Say something else."""
        if len(said) != len(self._said):
            self.styles.height = max(1, len(said))
        self._said = said
        self.rewrite()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """What was said last."""
        return self._said
