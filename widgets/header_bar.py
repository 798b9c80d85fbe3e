"""The first line of the screen: which run, where, who commands, what time it is, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.reactive import var
from textual.strip import Strip

from widgets.formatting import RUN, clock, clock_minutes, signed
from widgets.lines import BLANK, Line, Tone, ends, width_of
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import HeaderView, PlanView

_SEPARATOR: Line = ((" │ ", Tone.FAINT),)


class HeaderBar(Pane):
    """Identity on the left, time and state on the right; parts of less weight go first when room is short."""

    DEFAULT_CSS = "HeaderBar { height: 1; background: $panel; padding: 0 1; }"

    header: var[HeaderView | None] = var(None)
    plan: var[PlanView | None] = var(None)
    role: var[str] = var("")

    watch_header = watch_plan = watch_role = Pane.rewrite

    def watch_lost(self, lost: bool) -> None:
        """The name and the clock stay true; what the engine said last is put in the past."""
        self.rewrite()

    def render_line(self, y: int) -> Strip:
        """Paint in full colour."""
        return self.strip(self.line_at(y), self.size.width)

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """One line."""
        if self.header is None:
            return [((f"Deployment Cockpit  {_waiting(self.lost)}", Tone.QUIET),)]
        left = identity(self.header, self.role)
        right = state(self.header, self.plan, self.now, lost=self.lost)
        return [_joined(left, right, width)]


def _waiting(lost: bool) -> str:
    return "no engine answers" if lost else "waiting for the engine …"


LOCKS = {
    "lapsed": "LEASE LAPSED",
    "lost": "LEASE LOST",
    "other": "LEASE ELSEWHERE",
    "local": "LOCAL LOCK ONLY",
}
"""What a person must know of the Lease; nothing when it is held."""


def identity(header: HeaderView, role: str) -> list[Line]:
    """Name and version, environment, person; the most important first."""
    name: Line = ((f"{header.name} ", Tone.STRONG), (header.version, Tone.STRONG))
    where = rehearsal(header) if header.rehearsal else environment(header)
    if role == "observer":
        who: Line = (("OBSERVER", Tone.WARN), (f" of {header.commander}", Tone.QUIET))
    else:
        who = (("COMMANDER ", Tone.TITLE), (header.commander, Tone.STRONG))
    place: Line = ((f"{header.context} / {header.namespace}".strip(" /"), Tone.QUIET),)
    return [name, where, who, place]


def environment(header: HeaderView) -> Line:
    """Where the run does what it does; production cannot be overlooked."""
    production = header.environment.lower().startswith("prod")
    return ((f" {header.environment.upper()} ", Tone.PRODUCTION if production else Tone.NOTICE),)


def rehearsal(header: HeaderView) -> Line:
    """That nothing here is real, and how fast its time passes."""
    speed = "" if header.speed == 1 else f" {header.speed:g}×"
    return ((f" REHEARSAL{speed} ", Tone.NOTICE),)


def state(header: HeaderView, plan: PlanView | None, now: datetime | None, *, lost: bool = False) -> list[Line]:
    """Clock first, then what is unusual, then the plan."""
    parts: list[Line] = [((clock(now), Tone.STRONG), (" UTC", Tone.QUIET))]
    if header.lease in LOCKS:
        parts.append(((f" {LOCKS[header.lease]} ", Tone.NOTICE),))
    if header.held:
        parts.append(((" ‖ HELD ", Tone.NOTICE),))
    if lost:
        return [*parts, ((f"was {RUN[header.status].word}", Tone.QUIET),)]
    parts.append(RUN[header.status].line)
    if plan is not None and plan.drift_s is not None:
        parts.append(drift(plan.drift_s))
    parts.append(window(header, now))
    return parts


def drift(seconds: float) -> Line:
    """How the run stands against its plan."""
    if abs(seconds) < 60:
        return (("on plan", Tone.GOOD),)
    word, tone = ("late ", Tone.WARN) if seconds > 0 else ("early ", Tone.TEXT)
    return ((word + signed(seconds), tone),)


def window(header: HeaderView, now: datetime | None) -> Line:
    """The hours in which forward steps may be taken, and whether that is now."""
    inside = now is None or header.window_start <= now <= header.window_end
    hours = f"{clock_minutes(header.window_start)}–{clock_minutes(header.window_end)}"
    return ((f"window {hours}", Tone.QUIET),) if inside else ((f"▲ OUTSIDE window {hours}", Tone.WARN),)


def _joined(left: list[Line], right: list[Line], width: int) -> Line:
    """All parts that fit; the last ones of each side are given up first, the right side before the left."""
    while len(right) > 1 and _width(left) + _width(right) + 1 > width:
        right = right[:-1]
    while len(left) > 1 and _width(left) + _width(right) + 1 > width:
        left = left[:-1]
    return ends(_parts(left), _parts(right), width)


def _width(parts: list[Line]) -> int:
    return width_of(_parts(parts))


def _parts(parts: list[Line]) -> Line:
    line: Line = BLANK
    for number, part in enumerate(parts):
        line += (_SEPARATOR if number else BLANK) + part
    return line
