"""The banner: the one thing the commander must know now, what the keys would do about it, and by when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.digits import big
from widgets.formatting import duration
from widgets.lines import Line, Tone, cut_line, ends, fit, width_of, wrap
from widgets.link_state import LinkState
from widgets.notice import Kind, Notice, notice
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import DriftView, GateView, GuardView, HeaderView, NextView

KINDS = tuple(f"-{kind}" for kind in Kind)


class NextBanner(Pane):
    """Its colour, word and glyph tell what kind of moment it is."""

    DEFAULT_CSS = """
    NextBanner { height: 4; background: $next-surface; border-left: outer $now; }
    NextBanner.-wait, NextBanner.-held, NextBanner.-ask { background: $ask-surface; border-left: outer $warn; }
    NextBanner.-alarm { background: $alarm-surface; border-left: outer $alarm; }
    NextBanner.-lost { background: $panel; border-left: outer $alarm; }
    NextBanner.-done { background: $surface; border-left: outer $good; }
    """

    header: var[HeaderView | None] = var(None)
    next: var[NextView | None] = var(None)
    guard: var[GuardView | None] = var(None)
    gate: var[GateView | None] = var(None)
    drift: var[DriftView | None] = var(None)
    link: var[LinkState] = var(LinkState())
    observing: var[bool] = var(False)
    consent: var[str] = var("")

    def rewrite(self) -> None:
        """The kind of moment also sets the banner's colours."""
        kind = f"-{self.notice.kind}"
        if not self.has_class(kind):
            self.update_classes({name: name == kind for name in KINDS})
        super().rewrite()

    watch_header = watch_next = watch_guard = watch_gate = watch_drift = watch_link = watch_observing = (
        watch_consent
    ) = watch_now = rewrite

    @property
    def notice(self) -> Notice:
        """What the banner says now."""
        keys = not self.observing
        return notice(
            self.header,
            self.next,
            self.guard,
            self.link,
            self.now,
            keys=keys,
            consent=self.consent,
            gate=self.gate,
            drift=self.drift,
        )

    def watch_lost(self, lost: bool) -> None:
        """The banner itself is never old: it says that the rest is."""

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Label and title, detail, keys; the time left in big digits when there is room."""
        said = self.notice
        if height >= 4 and width >= 70:
            return _tall(said, width, height)
        time: Line = ((f" {duration(said.clock)} ", Tone.ALARM),) if said.clock is not None else ()
        title: Line = ((f" {said.label} ", _label_tone(said.kind)), (f" {said.title}", Tone.STRONG))
        rows = [ends(title, time, width)]
        detail = wrap(said.detail, width, max(1, height - 2)) if height > 2 else []
        return [*rows, *(((text, Tone.TEXT),) for text in detail), keys_line(said.keys, width)][:height]


def _tall(said: Notice, width: int, height: int) -> list[Line]:
    clock = big(duration(said.clock)) if said.clock is not None else ("", "", "")
    clock_width = max(len(row) for row in clock)
    room = width - clock_width - (2 if clock_width else 0)
    title: Line = ((f" {said.label} ", _label_tone(said.kind)), (f"  {said.title}", Tone.STRONG))
    details = [((text, Tone.TEXT),) for text in wrap(said.detail, room, height - 2)]
    body: list[Line] = [cut_line(title, room), *details]
    body += [()] * (height - 1 - len(body))
    body.append(keys_line(said.keys, room))
    tone = Tone.BAD if said.kind in (Kind.ALARM, Kind.LOST) else Tone.STRONG
    if not clock_width:
        return body
    digits = [*clock, fit(said.clock_label, clock_width)]
    return [
        _beside(line, digits[y] if y < 4 else "", room, tone if y < 3 else Tone.QUIET) for y, line in enumerate(body)
    ]


def _beside(line: Line, digits: str, room: int, tone: Tone) -> Line:
    return (*line, (" " * (room - width_of(line) + 2), Tone.TEXT), (digits, tone))


def keys_line(keys: Sequence[tuple[str, str]], width: int) -> Line:
    """`n go on   h hold`."""
    line: Line = ()
    for key, words in keys:
        line += (("   " if line else "", Tone.TEXT), (f" {key} ", Tone.CAP), (f" {words}", Tone.TEXT))
    return cut_line(line, width)


def _label_tone(kind: Kind) -> Tone:
    if kind in (Kind.ALARM, Kind.LOST):
        return Tone.ALARM
    return {Kind.NEXT: Tone.SELECTED, Kind.DONE: Tone.SELECTED}.get(kind, Tone.NOTICE)
