"""What a commander must hear of at once, also while something else has the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.model.status import RunStatus
from widgets.formatting import clock
from widgets.link_state import Line
from widgets.notice import tripped

if TYPE_CHECKING:
    from cockpit.tui.screens.main import MainScreen


def alarms(main: MainScreen) -> dict[str, str]:
    """The alarms of this moment: a key that stays the same while one lasts, and its words."""
    found: dict[str, str] = {}
    trigger = tripped(main.guard)
    if trigger is not None:
        when = f"; rollback at {clock(trigger.rollback_at)}" if trigger.rollback_at else ""
        found[f"trigger {trigger.id}"] = f"ROLLBACK TRIGGER TRIPPED: {trigger.title} – {trigger.state}{when}"
    found |= _of_the_run(main)
    ladder = main.escalation
    if ladder is not None and ladder.since is not None and not ladder.acknowledged_by:
        found[f"escalation {ladder.level}"] = f"ESCALATION LEVEL {ladder.level}: {ladder.cause}"
    if main.link.line in (Line.LOST, Line.CLOSED):
        found["link"] = f"THE ENGINE DOES NOT ANSWER: {main.link.reason}"
    return found


def _of_the_run(main: MainScreen) -> dict[str, str]:
    found: dict[str, str] = {}
    status = main.header.status if main.header else None
    if status is RunStatus.ROLLING_BACK:
        found["rolling back"] = f"ROLLBACK IS RUNNING: {main.rollback.reason if main.rollback else ''}"
    elif status is not None and status.final:
        found[f"over {status}"] = f"THE RUN IS {status.replace('_', ' ').upper()}"
    following = main.next
    if following is not None and following.question:
        until = f" (until {clock(following.deadline)}, then {following.default})" if following.deadline else ""
        found[f"question {following.question}"] = f"YOU ARE ASKED: {following.question}{until}"
    return found
