"""Turns a runbook into one that can only touch the simulator.

Every address outside the cluster is replaced, every secret gets a value without worth, and the user's own programs are
not started: they would reach what the runbook was written for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from cockpit.runbook.actions import Action, HttpChecks, PurgeCdn, Script
from cockpit.runbook.gate import Monitoring
from cockpit.runbook.load import LoadedRunbook
from cockpit.runbook.people import Channel
from cockpit.runbook.schema import Phase, Rollback, Runbook, Secret, Window

CONTEXT = "simulator"
BEFORE_WINDOW = timedelta(minutes=5)
_PREFIX = "COCKPIT_REHEARSAL_"
_WORTHLESS = "rehearsal"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A runbook for the simulator, the environment in which its secrets are found, and the registry to ask.

    Images keep their names, because the simulated pods carry them; None asks the registry that an image names.
    """

    loaded: LoadedRunbook
    environ: Mapping[str, str]
    registry: str | None = None


def rewrite(loaded: LoadedRunbook, addresses: Mapping[str, str]) -> Rewritten:
    """Point everything in the runbook at the simulator's `addresses` (as `Simulator.addresses` gives them)."""
    book = loaded.runbook
    webhooks = {channel.webhook for channel in book.communications.channels if channel.webhook}
    values = {name: addresses["slack"] if name in webhooks else _WORTHLESS for name in (*book.secrets, *webhooks)}
    rewritten = book.model_copy(
        update={
            "secrets": {name: Secret(env=(_PREFIX + name,), description=_WORTHLESS) for name in book.secrets},
            "cluster": book.cluster.model_copy(update={"context": CONTEXT}),
            "monitoring": _monitoring(book.monitoring, addresses),
            "phases": tuple(_phase(phase, addresses) for phase in book.phases),
            "rollback": _rollback(book.rollback, addresses),
            "communications": book.communications.model_copy(
                update={"channels": tuple(_channel(one, addresses) for one in book.communications.channels)}
            ),
        }
    )
    variables = {name: value for name, value in loaded.variables.items() if name not in webhooks}
    environ = {_PREFIX + name: value for name, value in values.items()}
    return Rewritten(
        replace(loaded, runbook=rewritten, variables=MappingProxyType(variables)),
        MappingProxyType(environ),
        addresses["registry"],
    )


def opening(book: Runbook, today: datetime, start_up: timedelta = timedelta()) -> datetime:
    """When a rehearsal begins in run time: five minutes before the window opens, today or on the next fitting day.

    Its processes start up to `start_up` of run time earlier, and that is never on the day before: a run's window is
    that of the day on which the run was opened.
    """
    zone = ZoneInfo(book.window.timezone)
    day = today.astimezone(zone).date() + timedelta(days=_days_until(book.window, today.astimezone(zone)))
    earliest = datetime.combine(day, time.min, zone) + start_up
    return max(earliest, datetime.combine(day, book.window.start, zone) - BEFORE_WINDOW)


def _days_until(window: Window, today: datetime) -> int:
    return (_DAYS.index(window.day) - today.weekday()) % len(_DAYS) if window.day else 0


def _monitoring(monitoring: Monitoring, addresses: Mapping[str, str]) -> Monitoring:
    """The simulator's servers, which nobody else's credentials or certificates reach."""
    nobody: dict[str, object] = {
        "token": None,
        "basic_auth": None,
        "ca_file": None,
        "headers": {},
        "secret_headers": {},
    }
    manager = monitoring.alertmanager
    if manager is not None:
        manager = manager.model_copy(update={**nobody, "url": addresses["alertmanager"], "watchdog": None})
    there = {"prometheus": addresses["prometheus"], "prometheus_fallbacks": (), "alertmanager": manager}
    return monitoring.model_copy(update={**nobody, **there})


def _phase(phase: Phase, addresses: Mapping[str, str]) -> Phase:
    steps = tuple(
        step.model_copy(update={"actions": tuple(_action(action, addresses) for action in step.actions)})
        for step in phase.steps
    )
    return phase.model_copy(update={"steps": steps})


def _rollback(rollback: Rollback, addresses: Mapping[str, str]) -> Rollback:
    steps = tuple(
        step.model_copy(update={"actions": tuple(_action(action, addresses) for action in step.actions)})
        for step in rollback.steps
    )
    return rollback.model_copy(update={"steps": steps})


def _action(action: Action, addresses: Mapping[str, str]) -> Action:
    match action:
        case PurgeCdn():
            return action.model_copy(update={"url": addresses["cloudflare"]})
        case HttpChecks():
            way = None if action.via == "url" else action.via
            return action.model_copy(update={"url": None, "via": way, "port": None})
        case Script():
            title = f"{action.title or action.id} (not started in a rehearsal)"
            return action.model_copy(update={"argv": ("/bin/true",), "title": title, "secrets": (), "env": {}})
    return action


def _channel(channel: Channel, addresses: Mapping[str, str]) -> Channel:
    match channel.kind:
        case "email":
            return channel.model_copy(update={"server": addresses["smtp"]})
        case "statuspage":
            return channel.model_copy(update={"api": addresses["statuspage"]})
    return channel
