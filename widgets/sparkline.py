"""A trend in one line, on the scale of its own thresholds: full height is critical, so that calm looks calm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from widgets.lines import Line, Tone, joined

if TYPE_CHECKING:
    from cockpit.model.verdict import Thresholds

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"


def bar(value: float | None, top: float) -> str:
    """One value as a bar; a gap where nothing was measured."""
    if value is None:
        return GAP
    share = value / top if top > 0 else (1.0 if value > 0 else 0.0)
    return BARS[min(len(BARS) - 1, max(0, int(share * len(BARS))))]


BAND_TONES: dict[str, Tone] = {"NORMAL": Tone.CALM, "WARNING": Tone.WARN, "CRITICAL": Tone.BAD}


def band(value: float | None, thresholds: Thresholds) -> Tone:
    """The tone of one value."""
    return Tone.FAINT if value is None else BAND_TONES[thresholds.judge(value)]


def sparkline(values: Sequence[float | None], width: int, thresholds: Thresholds) -> Line:
    """The last `width` values, the newest at the right end; neighbours of one tone share a span."""
    shown = list(values)[-width:] if width > 0 else []
    top = max([thresholds.critical, *(value for value in shown if value is not None)])
    before = [(" ", Tone.FAINT)] * max(0, width - len(shown))
    return joined([*before, *((bar(value, top), band(value, thresholds)) for value in shown)])
