"""Screens that are one long text: sections of lines made from the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.reactive import var

from cockpit.tui.screens.base import SubScreen
from widgets.lines import Line, Tone, heading
from widgets.links import linked
from widgets.virtual_table import VirtualTable

Section = Callable[[int], list[Line]]


class ListingScreen(SubScreen):
    """A scrolled text; `sections` makes it for a width, again whenever the slices it names change."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("↑↓ PgUp PgDn", "scroll"),)
    USES: tuple[str, ...] = ()

    shown_width: var[int] = var(0)

    def body(self) -> ComposeResult:
        """The text."""
        yield VirtualTable[Line](lambda line, width: line, id="listing")

    def on_mount(self) -> None:
        """Make the text now and whenever it may differ."""
        for name in (*self.USES, "shown_width"):
            self.watch(self, name, self.rewrite, init=False)
        self.query_one("#listing").focus()
        self.call_after_refresh(self.on_resize)

    def on_resize(self) -> None:
        """Lines are wrapped for a width."""
        self.shown_width = self.query_one(VirtualTable).scrollable_content_region.width

    def rewrite(self) -> None:
        """Make the text again."""
        width = self.shown_width
        if width > 0:
            self.query_one(VirtualTable).set_rows([line for part in self.sections(width) for line in (*part, ())])

    def sections(self, width: int) -> list[list[Line]]:
        """The text in parts."""
        raise NotImplementedError


def titled(title: str, width: int, rows: list[Line], empty: str) -> list[Line]:
    """A part with its heading; an empty one says so."""
    return [heading(title, width), *(rows or [((empty, Tone.QUIET),)])]


def wrapped(text: str, width: int, indent: str = "  ", tone: Tone = Tone.TEXT) -> list[Line]:
    """A paragraph; its line ends stay, and addresses in it can be opened."""
    rows: list[Line] = []
    before: Line = ((indent, tone),) if indent else ()
    for paragraph in text.split("\n"):
        rows += [(*before, *line) for line in linked(paragraph, width - len(indent), tone)] or [()]
    return rows
