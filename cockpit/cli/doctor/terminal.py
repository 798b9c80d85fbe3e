"""The terminal: characters, colours, size, and what stands between it and us."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Iterator, Mapping

from cockpit.cli.preflight.finding import Note, ok, warning
from cockpit.model.text import clean

SMALLEST = (80, 24)
_PLAIN = "Commands without a screen work: cockpit status, cockpit rollback."


def locale_notes() -> Iterator[Note]:
    """Whether our glyphs can be printed."""
    encoding = locale.getpreferredencoding(False)
    if encoding.replace("-", "").lower() == "utf8":
        yield ok(encoding, "locale")
    else:
        yield warning(f"{encoding}: glyphs cannot be shown", "export LC_ALL=C.UTF-8", "locale")


def size() -> tuple[int, int] | None:
    """Columns and lines of the terminal on our output; None without one."""
    try:
        found = os.get_terminal_size(sys.__stdout__.fileno()) if sys.__stdout__ else None
    except (OSError, ValueError):
        return None
    return (found.columns, found.lines) if found else None


def terminal_notes(environ: Mapping[str, str], found: tuple[int, int] | None) -> Iterator[Note]:
    """Whether the full screen works here, and how well."""
    term = environ.get("TERM", "")
    if found is None:
        yield ok("no terminal: demo, rehearse and run print events", "terminal")
    elif term in ("", "dumb", "unknown"):
        yield warning(f"TERM is {clean(term) or 'not set'}: no full screen", _PLAIN, "terminal")
    else:
        yield _colours(term, environ)
        yield _size(found)
    yield from _multiplexer(environ)


def _colours(term: str, environ: Mapping[str, str]) -> Note:
    if environ.get("NO_COLOR"):
        return ok(f"{clean(term)}, without colours (NO_COLOR): words and glyphs say the same", "terminal")
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return ok(f"{clean(term)}, 16 million colours", "terminal")
    if "256color" in term or "direct" in term:
        return ok(f"{clean(term)}, 256 colours (COLORTERM is not set; ssh does not pass it on)", "terminal")
    return ok(f"{clean(term)}, 16 colours: words and glyphs say the same", "terminal")


def _size(found: tuple[int, int]) -> Note:
    columns, lines = found
    if columns < SMALLEST[0] or lines < SMALLEST[1]:
        return warning(f"{columns}×{lines} is small: panes are left out", "Make it 80×24 or larger.", "size")
    return ok(f"{columns}×{lines}", "size")


def _multiplexer(environ: Mapping[str, str]) -> Iterator[Note]:
    for variable, name in (("TMUX", "tmux"), ("STY", "screen")):
        if environ.get(variable):
            yield ok(f"inside {name}: the screen survives a lost line too", "multiplexer")
            return
    line = "an SSH session" if environ.get("SSH_CONNECTION") else "no tmux, no screen"
    yield ok(f"{line}: when the line breaks the engine goes on; back to it with cockpit attach", "multiplexer")
