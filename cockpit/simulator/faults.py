"""Failures of the simulated services, by scenario or set by a test."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Mode = Literal["error", "close", "lose", "delay"]
Trigger = Literal["start", "traffic", "set"]

SURFACES = (
    "kube", "prometheus", "slack", "cloudflare", "statuspage", "grafana", "datadog", "sentry", "registry", "app",
    "exec", "log", "portforward", "smtp",
)  # fmt: skip
"""What can fail."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for a surface to fail.

    `error` answers `status`; `close` drops the connection; `lose` does the work and then drops the connection;
    `delay` answers late. `rate` is the share of requests that fail. It begins `after` run seconds from its trigger
    (the start, the candidate's first traffic, or the moment it was set) and `lasts` run seconds, or for ever.
    `delay` is in run seconds.
    """

    surface: str
    mode: Mode = "error"
    status: int = 503
    rate: float = 1.0
    trigger: Trigger = "start"
    after: float = 0.0
    lasts: float | None = None
    delay: float = 0.0


class FaultBoard:
    """Which faults are in force. Times are run seconds since the epoch."""

    def __init__(self, start: float, seed: int) -> None:
        self.started = start
        self.first_traffic: float | None = None
        self._scenario: tuple[Fault, ...] = ()
        self._set: list[tuple[float, Fault]] = []
        self._random = random.Random(f"faults-{seed}")

    def use(self, faults: tuple[Fault, ...]) -> None:
        """Replace the scenario's faults."""
        self._scenario = faults

    def set(self, fault: Fault, now: float) -> None:
        """Add a fault from now on."""
        self._set.append((now, fault))

    def clear(self, surface: str | None = None) -> None:
        """Take away the faults that were set, of one surface or all."""
        self._set = [item for item in self._set if surface is not None and item[1].surface != surface]

    def strike(self, surface: str, now: float) -> Fault | None:
        """The fault that hits a request arriving now, or None."""
        draw = self._random.random()
        for fault in self._in_force(surface, now):
            if draw < fault.rate:
                return fault
            draw -= fault.rate
        return None

    def down(self, surface: str, now: float) -> bool:
        """Whether every request to a surface fails now."""
        failing = (fault for fault in self._in_force(surface, now) if fault.mode in ("error", "close"))
        return sum(fault.rate for fault in failing) >= 1.0

    def _in_force(self, surface: str, now: float) -> list[Fault]:
        found = [fault for origin, fault in self._set if _covers(fault, origin, now)]
        for fault in self._scenario:
            origin = self.first_traffic if fault.trigger == "traffic" else self.started
            if origin is not None and _covers(fault, origin, now):
                found.append(fault)
        return [fault for fault in found if fault.surface == surface]


def _covers(fault: Fault, origin: float, now: float) -> bool:
    begin = origin + fault.after
    return now >= begin and (fault.lasts is None or now < begin + fault.lasts)
