"""The scenarios, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cockpit.simulator.faults import Fault


@dataclass(frozen=True, slots=True)
class Ramp:
    """An extra that grows while the candidate carries at least half of the traffic.

    `light` is the extra below that share; `heavy` is reached `seconds` of run time after the share was reached,
    along a curve of the given `power`.
    """

    light: float = 0.0
    heavy: float = 0.0
    seconds: float = 240.0
    power: float = 1.0

    def at(self, heavy_for: float | None) -> float:
        """The extra when the candidate has been heavily loaded for so many run seconds (None: it is not)."""
        if heavy_for is None:
            return self.light
        grown = math.pow(min(1.0, heavy_for / self.seconds), self.power)
        return self.light + (self.heavy - self.light) * grown


@dataclass(frozen=True, slots=True)
class Drift:
    """Another writer who changes the canary weight `after` run seconds from the candidate's first traffic."""

    weight: int
    after: float
    manager: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way the world goes. Times are run seconds, `load_factor` scales the normal load.

    `errors` (percent) and `latency` (milliseconds) are extras of the candidate. `pod_start` is how long a container
    needs from starting to ready. `lag_forward` and `lag_back` are how long a route change takes to reach the
    traffic, for a growing and for a shrinking share of the candidate. `sticky` is the share of users pinned to
    where they are. `watch_seconds` is how long a watch of the Kubernetes API lasts before it is cut off.
    """

    name: str
    summary: str
    load_factor: float = 1.0
    pod_start: tuple[float, float] = (18.0, 30.0)
    errors: Ramp = Ramp()
    latency: Ramp = Ramp()
    candidate_crashes: bool = False
    lag_forward: float = 3.0
    lag_back: float = 3.0
    sticky: float = 0.0
    drift: Drift | None = None
    watch_seconds: float | None = None
    faults: tuple[Fault, ...] = ()


_ALL = (
    Scenario("healthy", "Everything goes well."),
    Scenario("slow-start", "Pods need two minutes each: the rollout takes about six.", pod_start=(105.0, 120.0)),
    Scenario("crashloop", "The candidate's new pods crash again and again.", candidate_crashes=True),
    Scenario(
        "error-spike",
        "At half of the traffic the candidate's errors climb above five percent of all requests.",
        errors=Ramp(light=0.2, heavy=16.0, seconds=270.0, power=1.5),
    ),
    Scenario(
        "latency-spike",
        "At half of the traffic the candidate's latency climbs above a second.",
        latency=Ramp(light=8.0, heavy=2600.0, seconds=270.0, power=1.5),
    ),
    Scenario("low-traffic", "One request in five seconds: too few to judge by.", load_factor=0.2 / 120.0),
    Scenario(
        "prometheus-down",
        "Prometheus stops answering when the candidate first gets traffic.",
        faults=(
            Fault("prometheus", "error", 503, rate=0.5, trigger="traffic"),
            Fault("prometheus", "close", rate=0.5, trigger="traffic"),
        ),
    ),
    Scenario(
        "api-flaky",
        "One request in six to the Kubernetes API fails, some after they took effect; watches break off.",
        watch_seconds=90.0,
        faults=(
            Fault("kube", "error", 503, rate=0.06),
            Fault("kube", "error", 429, rate=0.04),
            Fault("kube", "close", rate=0.04),
            Fault("kube", "lose", rate=0.03),
        ),
    ),
    Scenario(
        "api-down",
        "The Kubernetes API is away for three minutes, one minute after the candidate first gets traffic.",
        faults=(Fault("kube", "close", trigger="traffic", after=60.0, lasts=180.0),),
    ),
    Scenario("cdn-down", "Cloudflare answers 503.", faults=(Fault("cloudflare", "error", 503),)),
    Scenario(
        "slack-down",
        "Slack fails: half of the posts get 503, half no answer.",
        faults=(Fault("slack", "error", 503, rate=0.5), Fault("slack", "close", rate=0.5)),
    ),
    Scenario(
        "drift",
        "Two minutes after the candidate first gets traffic somebody else sets its weight to 30.",
        drift=Drift(weight=30, after=120.0, manager="argocd-application-controller"),
    ),
    Scenario("sticky-sessions", "Four users in ten stay where their cookie pins them, weight or not.", sticky=0.4),
    Scenario(
        "rollback-slow",
        "Route changes back to stable, Redis and Cloudflare are slow.",
        lag_back=40.0,
        faults=(Fault("exec", "delay", delay=20.0), Fault("cloudflare", "delay", delay=15.0)),
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in _ALL}
"""Every scenario by name."""
