"""Metrics, gates and rollback triggers."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from cockpit.runbook.base import Document, Duration, Identifier, Text


class Measures(StrEnum):
    """What a query measures, so that a rehearsal can answer it."""

    ERROR_RATE = "error_rate"
    LATENCY_P95 = "latency_p95"
    CPU = "cpu"
    MEMORY = "memory"
    RESTARTS = "restarts"
    SERVER_ERRORS = "server_errors"
    REQUESTS = "requests"
    ALERTS_CRITICAL = "alerts_critical"
    CANDIDATE_SHARE = "candidate_share"
    CANARY_RATE = "canary_rate"
    CUSTOM = "custom"


class Bands(Document):
    """Normal below `warning_from`, Warning from there up to and including `critical_above`, Critical above."""

    warning_from: float
    critical_above: float


class Samples(Document):
    """How many samples a measurement must rest on."""

    query: Text
    at_least: float = Field(gt=0)


class Metric(Document):
    """A number that is measured during the whole run."""

    id: Identifier
    title: Text
    query: Text = Field(description="PromQL with one result; ${window} is the rate window.")
    unit: Annotated[str, Field(max_length=8)] = Field("", description="Shown after the value: %, ms.")
    decimals: int = Field(2, ge=0, le=6)
    bands: Bands
    samples: Samples | None = None
    measures: Measures = Measures.CUSTOM


class Signal(Document):
    """A number without bands."""

    query: Text
    measures: Measures = Measures.CUSTOM


class Residual(Signal):
    """Requests a second that still reach the canary route; it proves that the route is out of service."""

    measures: Measures = Measures.CANARY_RATE
    at_most: float = Field(0.1, ge=0, description="Requests a second that still count as none.")


class Monitoring(Document):
    """Where and how often to measure."""

    prometheus: Text = Field(description="Base URL of the Prometheus API.")
    token: Identifier | None = Field(None, description="The secret that holds a bearer token.")
    interval: Duration = timedelta(seconds=15)
    window: Duration = Field(timedelta(minutes=2), description="Rate window; shorter right after a weight change.")
    warmup: Duration = Field(timedelta(seconds=30), description="After a weight change nothing counts for this long.")
    timeout: Duration = Field(timedelta(seconds=5), description="Total time for one query.")
    stale_after: Duration = Field(timedelta(minutes=1), description="An older sample is no data.")
    metrics: tuple[Metric, ...] = Field(min_length=1)
    alerts_critical: Signal | None = Field(None, description="The number of firing critical alerts.")
    candidate_share: Signal | None = Field(None, description="The candidate's share of requests, in percent.")
    residual: Residual | None = Field(
        None, description="Measured once the canary route is out of service; it must fall to about 0."
    )


class StableLevel(StrEnum):
    """The worst verdict that still counts as stable."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"


class Condition(Document):
    """One thing that must hold; exactly one of metric, alerts_critical, all_metrics, confirm."""

    metric: Identifier | None = None
    below: float | None = Field(None, description="The metric's value must be less than this.")
    alerts_critical: Annotated[int, Field(ge=0)] | None = Field(None, description="At most so many critical alerts.")
    all_metrics: StableLevel | None = Field(None, description="Every metric's verdict is at worst this.")
    confirm: Text | None = Field(None, description="A statement that a person confirms.")
    confirm_id: Identifier | None = Field(None, description="The name by which `cockpit tick` confirms it.")


class Gate(Document):
    """What must hold, without a break, before the run may go on."""

    conditions: tuple[Condition, ...] = Field(min_length=1)
    hold: Duration


class TriggerResponse(StrEnum):
    """What a tripped trigger does."""

    ROLLBACK = "rollback"
    PROMPT = "prompt"


class Trigger(Document):
    """When to roll back: a metric above a number, or what a person declares (no metric)."""

    id: Identifier
    title: Text
    metric: Identifier | None = None
    above: float | None = None
    breaches: int = Field(2, ge=1, le=100, description="So many of the last `of` measurements.")
    of: int = Field(3, ge=1, le=100)
    response: TriggerResponse = TriggerResponse.ROLLBACK
    countdown: Duration = Field(timedelta(seconds=60), description="For `prompt`: time until it rolls back by itself.")

    @property
    def declared(self) -> bool:
        """Whether a person declares it because no metric shows it."""
        return self.metric is None
