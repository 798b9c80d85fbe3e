"""Which moment it is: a pure choice of the one thing to say, most urgent first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cockpit.model.status import GateStatus, RunStatus
from widgets.formatting import RUN, clock, duration, seconds_between
from widgets.link_state import Line, LinkState

if TYPE_CHECKING:
    from cockpit.model.snapshot import DriftView, GateView, GuardView, HeaderView, NextView, TriggerView

Keys = tuple[tuple[str, str], ...]


class Kind(StrEnum):
    """The kind of moment; the banner's colours follow it."""

    NEXT = "next"
    WAIT = "wait"
    HELD = "held"
    ASK = "ask"
    ALARM = "alarm"
    LOST = "lost"
    DONE = "done"


class Notice(NamedTuple):
    """What the banner says. `clock` is seconds, with `clock_label` below it."""

    kind: Kind
    label: str
    title: str
    detail: str = ""
    keys: Keys = ()
    clock: float | None = None
    clock_label: str = ""


_FINAL = {
    RunStatus.COMPLETED: (Kind.DONE, "The deployment is complete."),
    RunStatus.ROLLED_BACK: (Kind.ASK, "The run went back to stable."),
    RunStatus.ROLLBACK_FAILED: (Kind.ALARM, "The way back did not succeed: use the break-glass sheet (b)."),
    RunStatus.ABORTED: (Kind.ASK, "The run ended; nothing had been changed."),
}


class _Moment(NamedTuple):
    header: HeaderView
    next: NextView
    guard: GuardView | None
    now: datetime | None
    consent: str
    gate: GateView | None
    drift: DriftView | None


def notice(
    header: HeaderView | None,
    following: NextView | None,
    guard: GuardView | None,
    link: LinkState,
    now: datetime | None,
    *,
    keys: bool = True,
    consent: str = "",
    gate: GateView | None = None,
    drift: DriftView | None = None,
) -> Notice:
    """The most urgent thing to say. Without `keys` (observers) no keys that change anything are named."""
    if link.line is not Line.UP or header is None or following is None:
        return _line(link, header, guard, now)
    moment = _Moment(header, following, guard, now, consent, gate, drift)
    said = next(found for rule in _RULES if (found := rule(moment)) is not None)
    return said if keys else said._replace(keys=())


def _line(link: LinkState, header: HeaderView | None, guard: GuardView | None, now: datetime | None) -> Notice:
    if link.line is Line.CLOSED:
        status = f": {RUN[header.status].word}" if header else ""
        return Notice(Kind.LOST, "RUN CLOSED", f"The engine has ended{status}", link.reason, (("q", "leave"),))
    if link.line not in (Line.LOST, Line.SILENT):
        return Notice(Kind.WAIT, "CONNECTING", "waiting for the engine …", "Nothing on this screen is known yet.")
    speed = header.speed if header else 1.0
    gone = seconds_between(link.since, now) / speed
    alarm = tripped(guard)
    was = f" A rollback was due at {clock(alarm.rollback_at)}." if alarm and alarm.rollback_at else ""
    if link.line is Line.SILENT:
        return _silent(link, f"{link.reason}.{was}", gone)
    detail = f"{link.reason}.{was} The engine may well go on without this screen; it is tried again and again."
    title = f"last seen {clock(link.since)} UTC – all values below are OLD"
    keys = (("b", "break-glass sheet"), ("q", "leave"))
    return Notice(Kind.LOST, "ENGINE LOST", title, detail, keys, gone, "no answer")


def _silent(link: LinkState, said: str, gone: float) -> Notice:
    detail = f"{said} It is stopped, or the machine is out of memory or time."
    title = f"NOTHING GUARDS the run – last heard {clock(link.since)} UTC, all values below are OLD"
    return Notice(
        Kind.LOST, "ENGINE SILENT", title, detail, (("b", "break-glass sheet"), ("q", "leave")), gone, "engine silent"
    )


def tripped(guard: GuardView | None) -> TriggerView | None:
    """The tripped trigger to show: the one with the nearest countdown first."""
    found = [trigger for trigger in guard.triggers if trigger.tripped] if guard else []
    return min(found, key=lambda trigger: (trigger.rollback_at is None, trigger.rollback_at), default=None)


def _final(moment: _Moment) -> Notice | None:
    if not moment.header.status.final:
        return None
    kind, words = _FINAL[moment.header.status]
    mark = RUN[moment.header.status]
    keys = (("c", "tasks"), ("q", "leave"))
    return Notice(kind, f"{mark.glyph} {mark.word}", words, moment.header.status_reason, keys)


_SILENT = {
    "decisions": (
        "■ ENGINE HANGS",
        "nothing goes on: no step, no countdown",
        "The journal's disk may hang. Look at the machine; the break-glass sheet needs no engine.",
    ),
    "guard": (
        "■ GUARD SILENT",
        "nothing watches the rollback triggers",
        "A query or the journal's disk may hang. Watch the metrics yourself; a rollback by hand is tried.",
    ),
    "lease": (
        "■ LEASE SILENT",
        "another bastion may take over",
        "A request to the API server may hang. Forward stops when it has lapsed; a rollback goes on.",
    ),
}


def _silent_worker(moment: _Moment) -> Notice | None:
    """The engine speaks, and a part of it does not come round."""
    if moment.guard is None or not moment.guard.silent or moment.header.status.final:
        return None
    worst = moment.guard.silent[0]
    label, title, detail = _SILENT[worst.worker]
    gone = seconds_between(worst.since, moment.now) / moment.header.speed
    keys = (("R", "roll back"), ("b", "break-glass sheet"))
    said = f"Last round at {clock(worst.since)} UTC. {detail}"
    return Notice(Kind.ALARM, f"{label} {duration(gone)}", title, said, keys, gone, "silent")


def _alarm(moment: _Moment) -> Notice | None:
    trigger = tripped(moment.guard)
    if trigger is None or moment.header.status is RunStatus.ROLLING_BACK:
        return None
    keys = (("R", "roll back NOW"), ("D", "dismiss with a reason"))
    if trigger.rollback_at is None:
        return Notice(Kind.ALARM, "▲ TRIGGER", trigger.title, f"{trigger.state}. Nothing happens by itself.", keys)
    left = seconds_between(moment.now, trigger.rollback_at)
    label = f"▲ ROLLBACK IN {duration(left)}"
    return Notice(Kind.ALARM, label, trigger.title, trigger.state, keys, left, "to rollback")


def _fenced(moment: _Moment) -> Notice | None:
    if moment.drift is None or not moment.drift.fenced_by or moment.header.status.final:
        return None
    since = f"since {clock(moment.drift.fenced_at)} UTC, epoch {moment.drift.fenced_epoch}"
    detail = "This engine writes nothing more: no step, no rollback. Attach to the run that commands."
    return Notice(Kind.ALARM, "■ FENCED", f"{moment.drift.fenced_by} commands {since}", detail, (("q", "leave"),))


def _drift(moment: _Moment) -> Notice | None:
    if moment.drift is None or not moment.drift.entries:
        return None
    first, *rest = moment.drift.entries
    by = f"by {first.manager}" if first.manager else "by somebody else"
    more = f" (and {len(rest)} more)" if rest else ""
    detail = f"Found {first.found}, expected {first.expected}. The run stands still until it is settled."
    keys = (("e", "adopt or restore"), ("R", "roll back"))
    return Notice(Kind.ALARM, "≠ DRIFT", f"{first.object} was changed {by}{more}", detail, keys)


def _rolling(moment: _Moment) -> Notice | None:
    if moment.header.status is not RunStatus.ROLLING_BACK:
        return None
    return Notice(Kind.ALARM, "◀ ROLLING BACK", "to stable", moment.header.status_reason, (("b", "break-glass sheet"),))


def _held(moment: _Moment) -> Notice | None:
    if not moment.header.held:
        return None
    detail = f"{sentence(moment.header.held_reason)}The guard goes on; a rollback is possible at any time."
    return Notice(Kind.HELD, "‖ HELD", "No new forward action starts.", detail, (("h", "resume"), ("R", "roll back")))


def sentence(text: str) -> str:
    """The text with an end, and room for the next one; nothing of nothing."""
    return "" if not text else f"{text} " if text.endswith((".", "?", "!", "…")) else f"{text}. "


def _consent(moment: _Moment) -> Notice | None:
    if not moment.consent:
        return None
    keys = (("y", "give consent or skip"), ("h", "hold"), ("R", "roll back"))
    return Notice(Kind.ASK, "◆ CONSENT", moment.consent, moment.next.detail or moment.next.blocked, keys)


def _question(moment: _Moment) -> Notice | None:
    following = moment.next
    if not following.question:
        return None
    left = seconds_between(moment.now, following.deadline) if following.deadline else None
    until = f"Without an answer until {clock(following.deadline)}: {following.default}."
    default = until if following.deadline else ""
    blocked = f"Blocked: {following.blocked}." if following.blocked else ""
    keys: Keys = (("n", following.verb or "continue"), ("h", "hold"), ("R", "roll back"))
    if following.blocked:
        keys = (("o", following.override), *keys[1:]) if following.override else keys[1:]
    detail = " · ".join(filter(None, (following.detail, blocked, default)))
    label = "◆ DECIDE" if left is None else f"◆ DECIDE IN {duration(left)}"
    return Notice(Kind.ASK, label, following.question, detail, keys, left, "to decide")


def _blocked(moment: _Moment) -> Notice | None:
    following = moment.next
    if not following.blocked:
        return None
    keys: Keys = (("h", "hold"), ("R", "roll back"))
    if following.override:
        # What it goes past stands in the line above.
        what = "" if following.override == following.blocked else f": {following.override}"
        keys = (("o", f"override{what}"), *keys)
    after = f"Then: {': '.join(filter(None, (following.verb, following.detail)))}"
    if moment.gate is not None and moment.gate.status is GateStatus.HOLDING and moment.gate.held_since is not None:
        left = max(0.0, moment.gate.needs_s - seconds_between(moment.gate.held_since, moment.now))
        return Notice(Kind.NEXT, f"◐ MEASURING {duration(left)} more", following.blocked, after, keys)
    return Notice(Kind.WAIT, "○ WAITING", following.blocked, after, keys)


def _free(moment: _Moment) -> Notice:
    following = moment.next
    keys = (("n", following.verb), ("h", "hold"), ("R", "roll back")) if following.verb else ()
    return Notice(Kind.NEXT, "▶ NEXT", following.verb or "nothing to do", following.detail, keys)


_RULES: tuple[Callable[[_Moment], Notice | None], ...] = (
    _final,
    _fenced,
    _silent_worker,
    _rolling,
    _alarm,
    _drift,
    _held,
    _consent,
    _question,
    _blocked,
    _free,
)
