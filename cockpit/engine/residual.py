"""What still reaches the canary route after it was taken out of service. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain

from cockpit.engine.plan import rollback_actions
from cockpit.model.events import Noted
from cockpit.model.run import RunState
from cockpit.model.status import ActionStatus
from cockpit.model.verdict import Measurement
from cockpit.runbook.actions import CanaryOff
from cockpit.runbook.gate import Residual
from cockpit.runbook.schema import Runbook

LONG = 3
"""After so many warm-up times requests that still arrive are worth a warning."""


def window(book: Runbook) -> timedelta:
    """The rate window: the warm-up time, so that it soon holds nothing from before."""
    return max(timedelta(seconds=1), book.monitoring.shortest_window)


def is_off(state: RunState) -> bool:
    """Whether the route is out of service, as commanded or as it was found."""
    return state.traffic is not None and not state.traffic.canary


def note(book: Runbook, state: RunState, seen: Measurement | None, now: datetime) -> Noted | None:
    """What a measurement proves, once the run has taken the route out of service and the warm-up time is over."""
    residual, traffic = book.monitoring.residual, state.traffic
    if residual is None or traffic is None or traffic.canary or not _taken_out(book, state):
        return None
    since = now - traffic.changed_at
    if seen is None or seen.value is None or since < book.monitoring.warmup:
        return None
    return _said(residual, seen.value, since, book.monitoring.warmup, now)


def _said(residual: Residual, rate: float, since: timedelta, warmup: timedelta, now: datetime) -> Noted | None:
    if rate <= residual.at_most:
        text = f"Residual canary requests: {rate:.2f}/s; nobody is left on the canary route"
        return Noted(at=now, actor="engine", text=text)
    if since < LONG * warmup:
        return None
    seconds = since.total_seconds()
    text = f"{rate:.2f} requests/s still reach the canary route, {seconds:.0f} s after it was taken out of service"
    return Noted(at=now, actor="engine", text=text, level="warning")


def _taken_out(book: Runbook, state: RunState) -> bool:
    forward = chain.from_iterable(step.actions for step in book.steps)
    actions = (*forward, *rollback_actions(book))
    done = (state.action(action.id).status for action in actions if isinstance(action, CanaryOff))
    return ActionStatus.DONE in done
