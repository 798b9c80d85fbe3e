"""The colours of the tones, read from the theme's variables once a theme.

Textual's component classes would do the same, but it resolves every one of them for every widget at every change of a
class: a third of the time to the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color

from widgets.lines import Tone

Look = tuple[str, str, bool]
LOOKS: dict[Tone, Look] = {
    Tone.TEXT: ("", "", False),
    Tone.STRONG: ("", "", True),
    Tone.QUIET: ("quiet", "", False),
    Tone.FAINT: ("faint", "", False),
    Tone.TITLE: ("heading", "", True),
    Tone.KEY: ("key", "", True),
    Tone.NOW: ("now", "", False),
    Tone.GOOD: ("good", "", False),
    Tone.CALM: ("calm", "", False),
    Tone.WARN: ("warn", "", False),
    Tone.BAD: ("bad", "", True),
    Tone.ALARM: ("alarm-text", "alarm", True),
    Tone.NOTICE: ("notice-text", "notice", True),
    Tone.PRODUCTION: ("alarm-text", "alarm", True),
    Tone.BLUE: ("track-blue", "", False),
    Tone.GREEN: ("track-green", "", False),
    Tone.SELECTED: ("", "selected", True),
    Tone.CAP: ("key", "selected", True),
}
"""Foreground variable, background variable, bold."""

_by_theme: dict[str, dict[Tone, Style]] = {}


def known_styles(theme: str) -> dict[Tone, Style] | None:
    """The tones of a theme that was used before."""
    return _by_theme.get(theme)


def tone_styles(theme: str, variables: Mapping[str, str]) -> dict[Tone, Style]:
    """All tones in the colours of a theme."""
    if theme not in _by_theme:
        _by_theme[theme] = {tone: _style(look, variables) for tone, look in LOOKS.items()}
    return _by_theme[theme]


def _style(look: Look, variables: Mapping[str, str]) -> Style:
    front, back, bold = look
    return Style(
        color=Color.parse(variables[front]).rich_color if front else None,
        bgcolor=Color.parse(variables[back]).rich_color if back else None,
        bold=bold or None,
    )
