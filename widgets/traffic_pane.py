"""The candidate's share of the traffic: commanded, live, observed, on one scale with the stops of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.formatting import ago, track_tone
from widgets.lines import Line, Tone, ends, fit, heading, width_of
from widgets.pane import Pane
from widgets.traffic_notes import count, fully, residual, shortly

if TYPE_CHECKING:
    from cockpit.model.snapshot import HeaderView, TrafficView

NARROW_HEIGHT = 3


class TrafficPane(Pane):
    """The weight scale."""

    TITLE = "TRAFFIC"
    NUMBER = "5"

    traffic: var[TrafficView | None] = var(None)
    header: var[HeaderView | None] = var(None)
    draft: var[int | None] = var(None)

    watch_traffic = watch_header = watch_draft = Pane.rewrite

    def summary(self) -> Line:
        """Where the Service points, and how many notes there are."""
        if self.traffic is None:
            return ()
        notes = count(self.traffic)
        return (*notes, ("  ", Tone.TEXT), *active(self.traffic)) if notes else active(self.traffic)

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Scale, markers and numbers; the markers go first when there is little room."""
        traffic = self.traffic
        title = f"TRAFFIC to {self.header.candidate}" if self.header else self.TITLE
        if traffic is None:
            return [heading(title, width, (), self.NUMBER), (("waiting for the traffic …", Tone.QUIET),)][:height]
        if height < NARROW_HEIGHT:
            second = ends(numbers(traffic, self.now), count(traffic), width)
            return [narrow(title, traffic, width, self.draft), second][:height]
        rows = [heading(title, width, self.summary(), self.NUMBER)]
        rows += [stops_row(traffic, width)] if height > 4 else []
        rows += [scale_row(traffic, width, self.draft), markers_row(traffic, width, self.draft)]
        rows += [numbers(traffic, self.now), *notes(traffic, self.draft)]
        return remarked(rows, traffic, width, height, replaceable=self.draft is None)


def remarked(
    rows: list[Line], traffic: TrafficView, width: int, height: int, *, replaceable: bool = True
) -> list[Line]:
    """The rows with what must be known of the route: all of it, or a line each, or the worst in place of the last."""
    room = height - len(rows)
    for remarks in (fully(traffic, width), shortly(traffic)):
        if len(remarks) <= room:
            return [*rows, *remarks]
    if room > 0:
        return [*rows, *shortly(traffic)[:room]]
    calm = replaceable and traffic.canary_enabled and not traffic.observed_problem and not traffic.settling
    return [*rows[: height - 1], shortly(traffic)[0]] if calm and len(rows) == height else rows


def at(weight: float, width: int) -> int:
    """The cell of a share on a scale of that width."""
    return round(max(0.0, min(100.0, weight)) / 100 * (width - 1))


def scale_row(traffic: TrafficView, width: int, draft: int | None) -> Line:
    """The bar: filled up to what is commanded, with a tick at every stop."""
    filled = at(traffic.commanded, width)
    cells = ["━" if x <= filled else "─" for x in range(width)]
    for stop in traffic.stops:
        cells[at(stop, width)] = "┿" if at(stop, width) <= filled else "┼"
    cells[filled] = "●"
    bar: Line = (("".join(cells[: filled + 1]), Tone.NOW), ("".join(cells[filled + 1 :]), Tone.FAINT))
    if draft is None:
        return bar
    x = at(draft, width)
    text = "".join(cells)
    tones = (Tone.NOW if x <= filled else Tone.FAINT, Tone.NOW if x < filled else Tone.FAINT)
    return ((text[:x], tones[0]), ("◆", Tone.WARN), (text[x + 1 :], tones[1]))


def stops_row(traffic: TrafficView, width: int) -> Line:
    """The numbers above the scale: its ends and the stops of the plan."""
    cells = [" "] * width
    for stop in sorted({0, *traffic.stops, 100}):
        text = str(stop)
        first = min(max(0, at(stop, width) - len(text) // 2), width - len(text))
        if all(cell == " " for cell in cells[max(0, first - 1) : first + len(text) + 1]):
            cells[first : first + len(text)] = text
    return (("".join(cells), Tone.QUIET),)


def markers_row(traffic: TrafficView, width: int, draft: int | None) -> Line:
    """Below the scale: where the traffic was seen, and the draft of the commander."""
    if draft is not None:
        label = f"◆ {draft} %"
        return _marker(label, at(draft, width), width, Tone.WARN)
    if traffic.observed is None:
        return ()
    return _marker(f"↑ {traffic.observed:.1f} % observed", at(traffic.observed, width), width, observed_tone(traffic))


def _marker(label: str, x: int, width: int, tone: Tone) -> Line:
    """A label whose first cell points at `x`; it turns to the left side near the right end."""
    if x + len(label) > width:
        label = label[2:] + " " + label[0]
        x = max(0, x - len(label) + 1)
    return ((" " * x, Tone.TEXT), (label, tone))


def observed_tone(traffic: TrafficView) -> Tone:
    """Whether the data plane does what was commanded."""
    if traffic.observed is None or traffic.observed_problem:
        return Tone.WARN
    close = abs(traffic.observed - traffic.commanded) <= max(2.0, traffic.commanded * 0.1)
    return Tone.GOOD if close else Tone.WARN


def numbers(traffic: TrafficView, now: datetime | None) -> Line:
    """Commanded, live and observed as numbers."""
    return (
        ("commanded ", Tone.QUIET),
        (f"{traffic.commanded} %", Tone.STRONG),
        ("  live ", Tone.QUIET),
        *live(traffic),
        ("  observed ", Tone.QUIET),
        *observed(traffic, now),
    )


def live(traffic: TrafficView) -> Line:
    """What the cluster says, and whether it is what was commanded."""
    if traffic.live is None:
        return (("○ unknown", Tone.WARN),)
    if traffic.live == traffic.commanded:
        return ((f"{traffic.live} % ✔", Tone.GOOD),)
    return ((f"{traffic.live} % ✖", Tone.BAD),)


def observed(traffic: TrafficView, now: datetime | None) -> Line:
    """What the data plane shows, with its age when it is not of now."""
    if traffic.observed is None:
        return (("○ unknown" if traffic.observed_problem else "○ not measured", Tone.WARN),)
    tone = observed_tone(traffic)
    text = f"{traffic.observed:.1f} % {'✔' if tone is Tone.GOOD else '▲'}"
    if traffic.observed_problem:
        return ((text, tone), (f" {ago(traffic.observed_at, now)}", Tone.WARN))
    return ((text, tone),)


def active(traffic: TrafficView) -> Line:
    """The active Service, and whether the cluster agrees."""
    spans: Line = (("active ", Tone.QUIET), (traffic.active, track_tone(traffic.active)))
    if traffic.live_active is None:
        return spans
    if traffic.live_active == traffic.active:
        return (*spans, (" ✔", Tone.GOOD))
    return (*spans, (f" ✖ cluster says {traffic.live_active}", Tone.BAD))


def notes(traffic: TrafficView, draft: int | None) -> list[Line]:
    """What the commander may do, or does."""
    if draft is not None:
        beyond = f"  ▲ beyond {traffic.allowed} %: asks a reason" if draft > traffic.allowed else ""
        keys: Line = (("Enter", Tone.KEY), (" sets ", Tone.QUIET), (f"{draft} %", Tone.WARN))
        return [(*keys, ("   Esc", Tone.KEY), (" leaves it", Tone.QUIET), (beyond, Tone.WARN))]
    if not traffic.canary_enabled:
        return [residual(traffic)]
    if traffic.observed_problem:
        return [((f"▲ {traffic.observed_problem}", Tone.WARN),)]
    state = "   settling …" if traffic.settling else ""
    return [((f"{traffic.backend}   plan allows up to {traffic.allowed} %", Tone.QUIET), (state, Tone.NOW))]


def narrow(title: str, traffic: TrafficView, width: int, draft: int | None) -> Line:
    """Title, scale and active track on one line."""
    start: Line = ((fit(title, min(len(title), 18)) + " ", Tone.TITLE),)
    end: Line = ((" ", Tone.TEXT), *active(traffic))
    room = width - width_of(start) - width_of(end)
    return (*start, *scale_row(traffic, room, draft), *end) if room > 9 else ends(start, end, width)
