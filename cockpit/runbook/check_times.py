"""Whether the times of a runbook run forwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from cockpit.runbook.base import format_duration
from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.schema import Phase, Planned, Runbook, Window
from cockpit.runbook.walk import actions, gates, placed, rollback_steps

_Plans = Iterable[tuple[Path, Planned | None]]


def window(runbook: Runbook) -> Iterator[Problem]:
    """The window ends after it starts, in a time zone that exists."""
    if runbook.window.start >= runbook.window.end:
        yield Problem(("window", "end"), "is not after the window's start", "A window lies within one day.")
    if not _zone_exists(runbook.window.timezone):
        hint = "Write an IANA name such as UTC or Europe/Berlin."
        yield Problem(("window", "timezone"), "is no time zone that this system knows", hint)


def plan(runbook: Runbook) -> Iterator[Problem]:
    """Phases follow each other inside the window, and steps inside their phase."""
    phases = [((*path, "planned"), phase.planned) for path, phase in placed(runbook.phases, "phases")]
    yield from _follow(phases, runbook.window, "the window")
    for path, phase in placed(runbook.phases, "phases"):
        yield from _follow(_step_plans(path, phase), phase.planned, "its phase")


def clock_lists(runbook: Runbook) -> Iterator[Problem]:
    """Timed updates, and timed items of one checklist, stand in the order of their times."""
    updates = placed(runbook.communications.updates, "communications", "updates")
    yield from _rising([((*path, "at"), item.at) for path, item in updates])
    for path, checklist in placed(runbook.checklists, "checklists"):
        yield from _rising([((*at, "at"), item.at) for at, item in placed(checklist.items, *path, "items")])


def escalation(runbook: Runbook) -> Iterator[Problem]:
    """The levels follow each other without gaps."""
    end: timedelta | None = timedelta()
    for index, level in enumerate(runbook.escalation.levels):
        path = ("escalation", "levels", index)
        if level.level != index + 1:
            yield Problem((*path, "level"), f"is {level.level} in place {index + 1}", "Number the levels 1, 2, 3 …")
        if end is None:
            yield Problem(path, "follows a level without an end", "Write `until:` in the level before.")
        elif level.after != end:
            hint = f"Write `after: {format_duration(end)}`."
            yield Problem((*path, "after"), "leaves a gap or an overlap to the level before", hint)
        if level.until is not None and level.until <= level.after:
            yield Problem((*path, "until"), "is not later than `after`", "Let each level last some time.")
        end = level.until


def positive(runbook: Runbook) -> Iterator[Problem]:
    """Times that something must take or repeat in are longer than nothing."""
    for path, duration in _must_last(runbook):
        if duration <= timedelta():
            yield Problem(path, "is no time at all", "Write a duration such as 15s.")


def _must_last(runbook: Runbook) -> Iterator[tuple[Path, timedelta]]:
    for field in ("interval", "scrape_interval", "window", "timeout", "stale_after", "loss_after"):
        duration = getattr(runbook.monitoring, field)
        if duration is not None:
            yield ("monitoring", field), duration
    for path, gate in gates(runbook):
        if gate.interval is not None:
            yield (*path, "interval"), gate.interval
    yield ("rollback", "budget"), runbook.rollback.budget
    for path, step in rollback_steps(runbook):
        yield (*path, "budget"), step.budget
    for item in actions(runbook):
        yield (*item.path, "deadline"), item.action.deadline


def _follow(plans: _Plans, outer: Planned | Window | None, name: str) -> Iterator[Problem]:
    before: time | None = None
    for path, planned in plans:
        if planned is None:
            continue
        if planned.start >= planned.end:
            yield Problem((*path, "end"), "is not after the start", "Write a later end.")
        if outer is not None and not outer.start <= planned.start <= planned.end <= outer.end:
            hint = f"It lasts from {outer.start:%H:%M} to {outer.end:%H:%M}."
            yield Problem(path, f"lies outside {name}", hint)
        if before is not None and planned.start < before:
            hint = f"Start at {before:%H:%M} or later."
            yield Problem((*path, "start"), "is before the end of the one before it", hint)
        before = planned.end


def _step_plans(path: Path, phase: Phase) -> _Plans:
    return [((*at, "planned"), step.planned) for at, step in placed(phase.steps, *path, "steps")]


def _rising(times: Iterable[tuple[Path, time | None]]) -> Iterator[Problem]:
    before = time()
    for path, at in times:
        if at is None:
            continue
        if at < before:
            yield Problem(path, "is earlier than the one before it", "Put the list in the order of its times.")
        before = at


def _zone_exists(name: str) -> bool:
    if name == "UTC":
        return True
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
