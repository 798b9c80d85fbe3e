"""Addresses in text as hyperlinks, opened by the terminal of the person: where the cockpit runs is no browser."""

from __future__ import annotations

import os
from functools import lru_cache

from rich.style import Style

from cockpit.model.address import Place, addresses
from widgets.lines import Line, Link, Span, Tone, inert, wrap

PLAIN_TERMINALS = ("dumb", "unknown", "linux", "vt")
"""Beginnings of TERM without hyperlinks."""


def terminal_links() -> bool:
    """Whether the terminal understands hyperlinks, or at least skips them.

    GNU screen takes strings of 768 bytes at most and prints the rest; tmux, which has its name, does not.
    """
    term = os.environ.get("TERM", "")
    if not term or term.startswith(PLAIN_TERMINALS) or os.environ.get("STY"):
        return False
    return not term.startswith("screen") or bool(os.environ.get("TMUX"))


@lru_cache(512)
def linked_style(style: Style, address: str) -> Style:
    """The style with the hyperlink (OSC 8).

    Rich gives every style that it makes an id of its own, by which a terminal knows the rows of one link: so there is
    one style for all rows.
    """
    return (style + Style(underline=True)).update_link(address)


def linked(text: str, width: int, tone: Tone = Tone.TEXT, limit: int = 99) -> list[Line]:
    """The text on at most `limit` lines of at most `width` cells; each row of an address opens all of it."""
    rows = wrap(text, width, limit)
    places = addresses(text)
    if not places:
        return [((row, tone),) for row in rows]
    lines: list[Line] = []
    shown, at = inert(text), 0
    for row in rows:
        at += len(shown[at:]) - len(shown[at:].lstrip())
        lines.append(_marked(row, at, places, tone))
        at += len(row)
    return lines


def _marked(row: str, at: int, places: list[Place], tone: Tone) -> Line:
    """A row that begins at the place `at` of its text."""
    spans: list[Span] = []
    done = 0
    for place in places:
        start, end = max(done, place.start - at), min(len(row), place.end - at)
        if start < end:
            spans += [(row[done:start], tone), (row[start:end], Link(tone, place.address))]
            done = end
    return tuple(span for span in (*spans, (row[done:], tone)) if span[0])


def leading(rows: list[Line], address: str) -> list[Line]:
    """The rows as one link to an address that they do not show; as they are without one."""
    return [tuple(_leading(span, address) for span in row) for row in rows] if address else rows


def _leading(span: Span, address: str) -> Span:
    text, ink = span
    return (text, Link(ink, address)) if isinstance(ink, Tone) and text.strip() else span
