"""The base of all panes: lines made from slices, painted only where they changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.reactive import var
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines import BLANK, Ink, Line, Link, Tone, changed_regions, cut_line, heading, inert
from widgets.links import linked_style, terminal_links
from widgets.tones import known_styles, tone_styles


class Toned(Widget):
    """A widget that paints lines of toned text, cleaned of anything a terminal could act on."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)

    def tone_style(self, tone: Tone) -> Style:
        """The colours of a tone."""
        theme = self.app.theme
        return (known_styles(theme) or tone_styles(theme, self.app.theme_variables))[tone]

    def ink_style(self, base: Style, ink: Ink) -> Style:
        """The style of a span on a ground: the colours of its tone, and its link where the terminal has links."""
        if isinstance(ink, Tone):
            return base + self.tone_style(ink)
        style = base + self.tone_style(ink.tone)
        return linked_style(style, ink.address) if terminal_links() else style

    def strip(self, line: Line, width: int, below: Tone | None = None) -> Strip:
        """The line as Textual paints it, exactly `width` cells wide; `below` gives it another ground."""
        base = self.rich_style if below is None else self.rich_style + self.tone_style(below)
        segments = [Segment(inert(text), self.ink_style(base, ink)) for text, ink in line]
        return Strip(segments).adjust_cell_length(width, base)


class Pane(Toned):
    """One concept of the run, on screen. Subclasses declare their slices as `var` and give `lines`."""

    TITLE: ClassVar[str] = ""
    NUMBER: ClassVar[str] = ""

    now: var[datetime | None] = var(None)
    lost: var[bool] = var(False)

    DEFAULT_CSS = """
    Pane { background: $surface; color: $foreground; padding: 0 1; }
    Pane.-lost { color: $quiet; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: tuple[Line, ...] = ()
        self._made_for: Size | None = None

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """The pane's text for a place of that size; longer lists are cut at the end."""
        raise NotImplementedError

    def summary(self) -> Line:
        """What stands at the right end of the heading."""
        return ()

    def heading(self, width: int) -> Line:
        """The pane's first line."""
        return heading(self.TITLE, width, self.summary(), self.NUMBER)

    def rewrite(self) -> None:
        """Make the lines again and paint the cells that differ."""
        if not self.size:
            return
        lines = self._made()
        regions = list(changed_regions(self._drawn, lines))
        self._drawn = lines
        if regions:
            self.refresh(*regions)

    watch_now = rewrite

    def watch_lost(self, lost: bool) -> None:
        """Old values lose their colour, not their place."""
        self.set_class(lost, "-lost")
        self.rewrite()
        self.refresh()

    @property
    def text(self) -> str:
        """What the pane says now."""
        return "\n".join("".join(inert(text) for text, _ in line) for line in self._drawn)

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        line = self.line_at(y)
        return self.strip(faded(line) if self.lost else line, self.size.width)

    def line_at(self, y: int) -> Line:
        """One line of those for the present size: a pane is painted before it hears that it was resized or shown."""
        if self._made_for != self.size:
            self._drawn = self._made()
        return self._drawn[y] if y < len(self._drawn) else BLANK

    def _on_resize(self, event: events.Resize) -> None:
        if self._made_for != self.size:
            self._drawn = self._made()
        # What was painted before this screen was the current one was not shown.
        self.refresh()

    def _made(self) -> tuple[Line, ...]:
        self._made_for = self.size
        width, height = self.size
        return tuple(cut_line(line, width) for line in list(self.lines(width, height))[:height])


def faded(line: Line) -> Line:
    """An old line: bold stays bold, colour goes."""
    return tuple((text, _faded(ink)) for text, ink in line)


def _faded(ink: Ink) -> Ink:
    if isinstance(ink, Link):
        return ink._replace(tone=Tone.QUIET)
    return ink if ink is Tone.FAINT else Tone.QUIET
