"""The last line of the screen: the keys that work now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from textual import events
from textual.message import Message
from textual.reactive import var

from widgets.lines import Line, Tone, width_of
from widgets.pane import Pane


class KeyHint(NamedTuple):
    """One key: what it is called, what it does, whether it would work now."""

    id: str
    key: str
    label: str
    enabled: bool = True


class KeyBar(Pane):
    """Keys by weight; the ones that would be refused are dim. A click is a key press."""

    DEFAULT_CSS = "KeyBar { dock: bottom; height: 1; background: $panel; }"

    hints: var[tuple[KeyHint, ...]] = var(())

    watch_hints = Pane.rewrite

    @dataclass
    class Clicked(Message):
        """A hint was clicked."""

        id: str

    def watch_lost(self, lost: bool) -> None:
        """Keys do not grow old."""

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """One line; the last hint (all keys) always stays."""
        return [tuple(span for _, spans in self._placed(width) for span in spans)]

    def _placed(self, width: int) -> list[tuple[str, Line]]:
        if not self.hints:
            return []
        *hints, last = self.hints
        room = width - width_of(_hint(last))
        placed: list[tuple[str, Line]] = []
        for hint in hints:
            spans = _hint(hint)
            if width_of(spans) > room:
                break
            room -= width_of(spans)
            placed.append((hint.id, spans))
        return [*placed, (last.id, _hint(last))]

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        x = offset.x
        for hint, spans in self._placed(self.size.width):
            x -= width_of(spans)
            if x < 0:
                self.post_message(self.Clicked(hint))
                return


def _hint(hint: KeyHint) -> Line:
    tones = (Tone.KEY, Tone.TEXT) if hint.enabled else (Tone.FAINT, Tone.FAINT)
    return ((hint.key, tones[0]), (f" {hint.label}   ", tones[1]))
