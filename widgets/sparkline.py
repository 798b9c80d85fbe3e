"""A trend in one line, on the scale of its own thresholds: full height is critical, so that calm looks calm."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.lines import Line, Tone, joined

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"


def bar(value: float | None, top: float) -> str:
    """One value as a bar; a gap where nothing was measured."""
    if value is None:
        return GAP
    share = value / top if top > 0 else (1.0 if value > 0 else 0.0)
    return BARS[min(len(BARS) - 1, max(0, int(share * len(BARS))))]


def band(value: float | None, warning_from: float, critical_above: float) -> Tone:
    """The tone of one value; a critical threshold below the warning says that lower is worse."""
    if value is None:
        return Tone.FAINT
    if critical_above < warning_from:
        value, warning_from, critical_above = -value, -warning_from, -critical_above
    if value > critical_above:
        return Tone.BAD
    return Tone.WARN if value >= warning_from else Tone.CALM


def sparkline(values: Sequence[float | None], width: int, warning_from: float, critical_above: float) -> Line:
    """The last `width` values, the newest at the right end; neighbours of one tone share a span."""
    shown = list(values)[-width:] if width > 0 else []
    top = max([critical_above, *(value for value in shown if value is not None)])
    before = [(" ", Tone.FAINT)] * max(0, width - len(shown))
    return joined([*before, *((bar(value, top), band(value, warning_from, critical_above)) for value in shown)])
