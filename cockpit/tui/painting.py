"""Fewer bytes to the terminal: only the cells that changed are sent."""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate


class CellsUpdate(ChopsUpdate):
    """Textual 8.2 sends a changed span together with everything on its left in the same widget.

    For a clock at the right end of a line that is the whole line, every second, over a slow link.
    """

    @classmethod
    def of(cls, update: ChopsUpdate) -> CellsUpdate:
        """The same update, cropped on both sides."""
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """The terminal sequences of the changed cells."""
        parts: list[str] = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                start = max(x, x1)
                parts.append(Control.move_to(start, y).segment.text)
                parts.append(strip.crop(start - x, min(end, x2) - x).render(console))
        return "".join(parts)
