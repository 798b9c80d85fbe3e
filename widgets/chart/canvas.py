"""A field of dots in cells: half blocks, which every font has, braille where the font has it, or plain ASCII.

Source of the braille numbers: Unicode 15, block "Braille Patterns" (U+2800 and the sum of the dots' bits).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from widgets.lines import Tone


class Signs(NamedTuple):
    """What stands for lines, silence and verdicts; `dots` are the columns and rows of dots in a cell."""

    name: str
    dots: tuple[int, int]
    limit: str
    mark: str
    cross: str
    no_data: str
    broken: str
    over: str
    under: str
    verdicts: str
    axis: str
    tick: str
    course: str


class Style(Enum):
    """How a chart is drawn. Blocks come first: not every font has braille, and the last works in any terminal."""

    BLOCKS = Signs("blocks", (1, 2), "┄", "┊", "│", "░", "▒", "▲", "▼", "─▲○✖■", "─", "┬", "═")
    BRAILLE = Signs("braille dots", (2, 4), "┄", "┊", "│", "░", "▒", "▲", "▼", "─▲○✖■", "─", "┬", "═")
    ASCII = Signs("ASCII", (1, 2), "-", ":", "|", ".", "x", "^", "v", "-woXC", "-", "+", "=")

    @property
    def following(self) -> Style:
        """The next one."""
        every = list(Style)
        return every[(every.index(self) + 1) % len(every)]


_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLOCKS = " ▀▄█"
_ASCII = " '.|"
_LOUD = {Tone.CALM: 0, Tone.WARN: 1, Tone.BAD: 2}


class Canvas:
    """Dots with tones, the top left one is (0, 0)."""

    def __init__(self, width: int, height: int, style: Style) -> None:
        """`width` and `height` are in cells."""
        self.width, self.height, self.style = width, height, style
        self.across, self.down = style.value.dots
        self._dots: dict[tuple[int, int], int] = {}
        self._tones: dict[tuple[int, int], Tone] = {}

    @property
    def columns(self) -> int:
        """Columns of dots."""
        return self.width * self.across

    @property
    def rows(self) -> int:
        """Rows of dots."""
        return self.height * self.down

    def dot(self, x: int, y: int, tone: Tone) -> None:
        """Put a dot; the gravest tone of a cell is seen."""
        cell = (x // self.across, y // self.down)
        self._dots[cell] = self._dots.get(cell, 0) | self._bit(x % self.across, y % self.down)
        known = self._tones.get(cell)
        if known is None or _LOUD[tone] > _LOUD[known]:
            self._tones[cell] = tone

    def _bit(self, x: int, y: int) -> int:
        if self.style is Style.BRAILLE:
            return _BRAILLE[x][y]
        return 1 << (y * self.across + x)

    def cell(self, x: int, y: int) -> tuple[str, Tone] | None:
        """What the dots of a cell look like; None when there are none."""
        bits = self._dots.get((x, y))
        if bits is None:
            return None
        glyph = {Style.BRAILLE: chr(0x2800 + bits), Style.BLOCKS: _BLOCKS[bits & 3], Style.ASCII: _ASCII[bits & 3]}
        return glyph[self.style], self._tones[x, y]
