"""Words, glyphs and tones of every status, and times as people read them: one table, used by all panes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cockpit.model.status import ActionStatus, GateStatus, RunStatus, StepStatus
from cockpit.model.words import Importance, duration
from widgets.lines import Line, Tone

if TYPE_CHECKING:
    from cockpit.model.snapshot import SignalView

__all__ = ["Mark", "age", "ago", "clock", "clock_minutes", "duration", "seconds_between", "signed", "track_tone"]


class Mark(NamedTuple):
    """A state, three times: glyph, word, tone."""

    glyph: str
    word: str
    tone: Tone

    @property
    def line(self) -> Line:
        """Glyph and word."""
        return ((f"{self.glyph} {self.word}", self.tone),)


STEP: dict[StepStatus, Mark] = {
    StepStatus.PENDING: Mark("·", "pending", Tone.QUIET),
    StepStatus.ACTING: Mark("▶", "acting", Tone.NOW),
    StepStatus.GATING: Mark("◐", "gating", Tone.NOW),
    StepStatus.DECIDING: Mark("◆", "deciding", Tone.WARN),
    StepStatus.DONE: Mark("✔", "done", Tone.GOOD),
    StepStatus.FAILED: Mark("✖", "failed", Tone.BAD),
    StepStatus.SKIPPED: Mark("↷", "skipped", Tone.QUIET),
    StepStatus.AMBIGUOUS: Mark("‽", "unclear", Tone.BAD),
    StepStatus.STOPPED: Mark("◀", "stopped", Tone.QUIET),
}

ACTION: dict[ActionStatus, Mark] = {
    ActionStatus.PENDING: Mark("·", "pending", Tone.QUIET),
    ActionStatus.RUNNING: Mark("▶", "running", Tone.NOW),
    ActionStatus.DONE: Mark("✔", "done", Tone.GOOD),
    ActionStatus.FAILED: Mark("✖", "failed", Tone.BAD),
    ActionStatus.SKIPPED: Mark("↷", "skipped", Tone.QUIET),
    ActionStatus.AMBIGUOUS: Mark("‽", "unclear", Tone.BAD),
}

VERDICT: dict[str, Mark] = {
    "NORMAL": Mark("●", "NORMAL", Tone.GOOD),
    "WARNING": Mark("▲", "WARNING", Tone.WARN),
    "CRITICAL": Mark("■", "CRITICAL", Tone.BAD),
    "NO_DATA": Mark("○", "NO DATA", Tone.WARN),
    "BROKEN": Mark("✖", "BROKEN", Tone.BAD),
}

GATE: dict[GateStatus, Mark] = {
    GateStatus.WAITING: Mark("○", "waiting", Tone.WARN),
    GateStatus.HOLDING: Mark("◐", "holding", Tone.NOW),
    GateStatus.PASSED: Mark("✔", "passed", Tone.GOOD),
    GateStatus.OVERRIDDEN: Mark("↷", "overridden", Tone.WARN),
}

RUN: dict[RunStatus, Mark] = {
    RunStatus.PREPARING: Mark("○", "PREPARING", Tone.NOW),
    RunStatus.RUNNING: Mark("▶", "RUNNING", Tone.NOW),
    RunStatus.VALIDATING: Mark("◐", "VALIDATING", Tone.NOW),
    RunStatus.COMPLETED: Mark("✔", "COMPLETED", Tone.GOOD),
    RunStatus.ROLLING_BACK: Mark("◀", "ROLLING BACK", Tone.ALARM),
    RunStatus.ROLLED_BACK: Mark("◀", "ROLLED BACK", Tone.WARN),
    RunStatus.ROLLBACK_FAILED: Mark("✖", "ROLLBACK FAILED", Tone.ALARM),
    RunStatus.ABORTED: Mark("■", "ABORTED", Tone.WARN),
}

IMPORTANCE: dict[Importance, tuple[str, Tone]] = {
    Importance.INFO: ("·", Tone.QUIET),
    Importance.GOOD: ("✔", Tone.GOOD),
    Importance.NOTICE: ("●", Tone.NOW),
    Importance.WARNING: ("▲", Tone.WARN),
    Importance.BAD: ("✖", Tone.BAD),
}

_ROLLBACK_STEP = {
    "pending": Mark("·", "pending", Tone.QUIET),
    "running": Mark("▶", "running", Tone.NOW),
    "done": Mark("✔", "done", Tone.GOOD),
    "failed": Mark("✖", "failed", Tone.BAD),
    "skipped": Mark("↷", "skipped", Tone.QUIET),
}
_MESSAGE = {
    "queued": Mark("·", "queued", Tone.QUIET),
    "sending": Mark("▶", "sending", Tone.NOW),
    "sent": Mark("✔", "sent", Tone.GOOD),
    "failed": Mark("✖", "failed", Tone.BAD),
}
_POD_GOOD = frozenset({"Running", "Completed", "Succeeded"})
_POD_MOVING = frozenset({"Pending", "ContainerCreating", "PodInitializing", "Terminating"})


STANDING_TONES: Mapping[str, Tone] = {
    "WORSE": Tone.WARN,
    "NOT_WORSE": Tone.QUIET,
    "BETTER": Tone.QUIET,
    "TOO_FEW": Tone.QUIET,
    "UNKNOWN": Tone.WARN,
}
"""By `Standing`, by its words: the first frame loads no models."""
STALE_INTERVALS = 3
"""A measurement that is older than so many intervals is old."""


def valued(metric: SignalView, value: float | None, places: int = 0) -> str:
    """A value with its unit, or a dash."""
    return "–" if value is None else f"{value:.{metric.decimals + places}f} {metric.unit}".rstrip()


def rollback_step_mark(status: str) -> Mark:
    """The mark of a rollback step."""
    return _ROLLBACK_STEP.get(status, Mark("·", status, Tone.TEXT))


def message_mark(status: str) -> Mark:
    """The mark of a message in the outbox."""
    return _MESSAGE.get(status, Mark("·", status, Tone.TEXT))


@lru_cache(256)
def pod_mark(status: str, healthy: bool) -> Mark:
    """The mark of a pod: its own word, and whether that is good."""
    if status in _POD_GOOD and (healthy or status != "Running"):
        return Mark("●", status, Tone.GOOD)
    if status in _POD_MOVING or status == "Running" or status.startswith("Init:"):
        return Mark("○", status, Tone.WARN)
    return Mark("✖", status, Tone.BAD)


def track_tone(track: str) -> Tone:
    """Tracks that are named after a colour have it."""
    return {"blue": Tone.BLUE, "green": Tone.GREEN}.get(track, Tone.STRONG)


def seconds_between(start: datetime | None, end: datetime | None) -> float:
    """Seconds from `start` to `end`, never negative; 0 when one is unknown."""
    if start is None or end is None:
        return 0.0
    return max(0.0, (end - start).total_seconds())


def age(seconds: float) -> str:
    """A rough length of time in at most four cells: 4s, 3m, 2h, 5d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def ago(moment: datetime | None, now: datetime | None) -> str:
    """How old something is, in words; empty when unknown."""
    return f"{age(seconds_between(moment, now))} ago" if moment and now else ""


def clock(moment: datetime | None) -> str:
    """A time of day in UTC with seconds."""
    return f"{moment:%H:%M:%S}" if moment else "--:--:--"


def clock_minutes(moment: datetime | None) -> str:
    """A time of day in UTC."""
    return f"{moment:%H:%M}" if moment else "--:--"


def signed(seconds: float) -> str:
    """A drift in whole minutes, or seconds below two minutes, with its sign."""
    sign = "+" if seconds >= 0 else "−"
    size = abs(seconds)
    return f"{sign}{int(size)}s" if size < 120 else f"{sign}{int(size // 60)}m"
