"""The cells of a pod's table row, by the rules of the API server's printer."""

from __future__ import annotations

from typing import Any

from cockpit.simulator.world.pods import restarts
from cockpit.simulator.world.values import Obj, dig, human_age, parse_time

_NONE = "<none>"


def _statuses(pod: Obj) -> list[Obj]:
    found: list[Obj] = dig(pod, "status", "containerStatuses", default=[])
    return found


def ready_cell(pod: Obj, now: float) -> str:
    """Ready containers of all containers."""
    ready = sum(bool(status["ready"]) for status in _statuses(pod))
    return f"{ready}/{len(dig(pod, 'spec', 'containers', default=[]))}"


def pod_status_cell(pod: Obj, now: float) -> str:
    """The one word for the pod's state: its phase, or what its container waits for, or why it ended."""
    reason = str(dig(pod, "status", "phase", default=""))
    for status in reversed(_statuses(pod)):
        reason = _container_reason(status["state"]) or reason
    if dig(pod, "metadata", "deletionTimestamp"):
        return "Terminating"
    return reason


def _container_reason(state: Obj) -> str:
    ended: Any = state.get("terminated")
    if ended:
        return str(ended.get("reason") or f"ExitCode:{ended['exitCode']}")
    return str(dig(state, "waiting", "reason", default=""))


def restarts_cell(pod: Obj, now: float) -> str:
    """How often the containers were restarted, and how long ago the last one ended."""
    count = restarts(pod)
    times = [dig(status, "lastState", "terminated", "finishedAt") for status in _statuses(pod)]
    latest = max((parse_time(time) for time in times if time), default=None)
    if not count or latest is None:
        return str(count)
    return f"{count} ({human_age(now - latest)} ago)"


def pod_ip_cell(pod: Obj, now: float) -> str:
    """The pod's address."""
    return dig(pod, "status", "podIP") or _NONE


def node_cell(pod: Obj, now: float) -> str:
    """The node the pod is on."""
    return dig(pod, "spec", "nodeName") or _NONE
