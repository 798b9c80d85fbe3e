"""Metrics, gates and rollback triggers."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import ConfigDict, Field

from cockpit.model.address import shown
from cockpit.model.verdict import Thresholds
from cockpit.runbook.base import Document, Duration, Identifier, Text
from cockpit.runbook.compare import Compare


class Measures(StrEnum):
    """What a query measures, so that a rehearsal can answer it."""

    ERROR_RATE = "error_rate"
    SUCCESS_RATE = "success_rate"
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


def _or_preset(schema: dict[str, Any]) -> None:
    """In the JSON Schema, what a preset fills in need not be written."""
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["preset"]}]


Preset = Annotated[str | None, Field(description="A shipped one, such as ingress-nginx/error_rate, to start from.")]


class Bands(Document):
    """Where values begin to be bad: exactly one of `critical_above` and `critical_below` says in which direction.

    Normal below `warning_from`, Warning from there up to and including `critical_above`, Critical above. Where lower is
    worse it is the mirror image: Normal above `warning_from`, Warning down to and including `critical_below`.
    """

    warning_from: float
    critical_above: float | None = Field(None, description="Higher is worse; this itself is still Warning.")
    critical_below: float | None = Field(None, description="Lower is worse; this itself is still Warning.")

    @property
    def low_is_bad(self) -> bool:
        """Whether a lower value is worse."""
        return self.critical_below is not None

    @property
    def critical(self) -> float:
        """The number beyond which a value is critical."""
        if self.critical_below is not None:
            return self.critical_below
        return self.warning_from if self.critical_above is None else self.critical_above

    @property
    def thresholds(self) -> Thresholds:
        """The numbers and their direction."""
        return Thresholds(self.warning_from, self.critical, self.low_is_bad)


class Samples(Document):
    """How many samples a measurement must rest on."""

    query: Text
    at_least: float = Field(gt=0)


class Metric(Document):
    """A number that is measured during the whole run.

    Where `measures` is `restarts` the value is rounded to a whole number before it is judged: `increase()` extrapolates
    to the ends of its window, and 2.04 restarts are the two that the band up to 2 means.
    """

    model_config = ConfigDict(json_schema_extra=_or_preset)

    preset: Preset = None
    id: Identifier
    title: Text
    query: Text = Field(description="PromQL with one result; ${window} is the rate window.")
    unit: Annotated[str, Field(max_length=8)] = Field("", description="Shown after the value: %, ms.")
    decimals: int = Field(2, ge=0, le=6)
    bands: Bands
    samples: Samples | None = None
    age: Text | None = Field(
        None, description="PromQL: the age of the newest sample in seconds; an instant query's own time says nothing."
    )
    compare: Compare | None = Field(None, description="The candidate next to the stable track.")
    dashboard: Identifier | None = Field(None, description="The dashboard, of `dashboards`, that shows it.")
    measures: Measures = Measures.CUSTOM


class Signal(Document):
    """A number without bands."""

    model_config = ConfigDict(json_schema_extra=_or_preset)

    preset: Preset = None
    query: Text
    measures: Measures = Measures.CUSTOM


class Residual(Signal):
    """Requests a second that still reach the canary route; it proves that the route is out of service."""

    measures: Measures = Measures.CANARY_RATE
    at_most: float = Field(0.1, ge=0, description="Requests a second that still count as none.")


class MonitoringLoss(StrEnum):
    """What it means that no trigger can be seen any more."""

    FREEZE = "freeze"
    ROLLBACK = "rollback"


class BasicAuth(Document):
    """A user name, and the secret that holds its password."""

    username: Text
    password: Identifier


class Access(Document):
    """How a monitoring server is reached; whatever is secret is named, never written."""

    token: Identifier | None = Field(None, description="The secret that holds a bearer token.")
    basic_auth: BasicAuth | None = None
    ca_file: Text | None = Field(None, description="Certificates (PEM) to trust in place of the well-known ones.")
    headers: dict[Identifier, Text] = Field(default={}, description="Sent with every request, such as X-Scope-OrgID.")
    secret_headers: dict[Identifier, Identifier] = Field(
        default={}, description="The same by the names of the secrets that hold the values."
    )


class Alertmanager(Access):
    """Where to ask for the alerts that fire and that nobody has silenced; it takes the place of `alerts_critical`."""

    url: Text = Field(description="Base URL of the Alertmanager.")
    filters: tuple[Text, ...] = Field(
        ('severity="critical"',), description="Matchers of the critical alerts; all of them must match."
    )
    watchdog: Text | None = Field(
        None,
        description='Matcher of an alert that always fires, such as alertname="Watchdog"; while it does not, alerts do '
        "not arrive, and none that fires shows nothing.",
    )


class Monitoring(Access):
    """Where and how often to measure."""

    prometheus: Text = Field(description="Base URL of the Prometheus API.")
    prometheus_fallbacks: tuple[Text, ...] = Field(
        (), description="Other servers with the same metrics, asked in this order when the one before does not answer."
    )
    alertmanager: Alertmanager | None = None
    interval: Duration = timedelta(seconds=15)
    scrape_interval: Duration = Field(
        timedelta(seconds=15), description="How often the server scrapes; no window is shorter than two of these."
    )
    window: Duration = Field(timedelta(minutes=2), description="Rate window; shorter right after a weight change.")
    warmup: Duration = Field(timedelta(seconds=30), description="After a weight change nothing counts for this long.")
    timeout: Duration = Field(timedelta(seconds=5), description="Total time for one query.")
    stale_after: Duration | None = Field(
        None, description="An older sample is no data; two scrape intervals if left out."
    )
    on_monitoring_loss: MonitoringLoss = Field(
        MonitoringLoss.FREEZE, description="`rollback` goes back when no trigger could be measured for `loss_after`."
    )
    loss_after: Duration = timedelta(minutes=5)
    metrics: tuple[Metric, ...] = Field(min_length=1)
    alerts_critical: Signal | None = Field(None, description="The number of firing critical alerts.")
    candidate_share: Signal | None = Field(None, description="The candidate's share of requests, in percent.")
    residual: Residual | None = Field(
        None, description="Measured once the canary route is out of service; it must fall to about 0."
    )

    def link(self, query: str, server: str = "") -> str:
        """Where a browser shows the query's last hour, at the server that answered; without secrets of its address."""
        parts = urlsplit(shown(server or self.prometheus))
        asked = {"g0.expr": query, "g0.tab": "0", "g0.range_input": "1h"}
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/graph", urlencode(asked), ""))

    @property
    def stale_limit(self) -> timedelta:
        """The age beyond which a sample is no data."""
        return 2 * self.scrape_interval if self.stale_after is None else self.stale_after

    @property
    def shortest_window(self) -> timedelta:
        """The floor of the rate window, as a rate needs two samples.

        So long after a weight change nothing counts; every window that is asked later lies behind the change.
        """
        return max(self.warmup, 2 * self.scrape_interval)


class StableLevel(StrEnum):
    """The worst verdict that still counts as stable."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"


class Condition(Document):
    """One thing that must hold; exactly one of metric, compare, alerts_critical, all_metrics, confirm."""

    metric: Identifier | None = None
    below: float | None = Field(None, description="The metric's value must be less than this.")
    above: float | None = Field(None, description="The metric's value must be greater than this.")
    compare: Identifier | None = Field(None, description="The metric whose candidate must not be worse than stable.")
    alerts_critical: Annotated[int, Field(ge=0)] | None = Field(None, description="At most so many critical alerts.")
    all_metrics: StableLevel | None = Field(None, description="Every metric's verdict is at worst this.")
    confirm: Text | None = Field(None, description="A statement that a person confirms.")
    confirm_id: Identifier | None = Field(None, description="The name by which `cockpit tick` confirms it.")
    advisory: bool = Field(False, description="Shown, and never decides.")


class GiveUp(StrEnum):
    """What a gate does that cannot pass in time any more."""

    HOLD = "hold"
    ROLLBACK = "rollback"


class Gate(Document):
    """What must hold, without a break, before the run may go on.

    `failures_allowed` and `errors_allowed` let the hold bear looks that fail and looks that cannot be told; what can be
    told and what cannot are counted apart, and the gate never passes in a look of either kind. A look is as bad as the
    worst measurement in it.
    """

    conditions: tuple[Condition, ...] = Field(min_length=1)
    hold: Duration
    interval: Duration | None = Field(
        None,
        description="How long a look lasts, and how often is measured at least while the gate is open; "
        "`monitoring.interval` if left out.",
    )
    failures_allowed: int = Field(0, ge=0, le=100, description="So many failed looks, of the last `of`.")
    of: int | None = Field(None, ge=1, le=1000, description="Of how many looks; of the whole hold if left out.")
    errors_allowed: int = Field(0, ge=0, le=100, description="So many looks in a row that cannot be told.")
    give_up_after: Duration | None = Field(
        None, description="From its opening; once the hold does not fit in any more, `on_give_up` happens at once."
    )
    on_give_up: GiveUp = GiveUp.HOLD

    def pace(self, usual: timedelta) -> timedelta:
        """How often is measured while the gate is open: never less often than usual, so that the guard sees as much."""
        return usual if self.interval is None else min(usual, self.interval)


class TriggerResponse(StrEnum):
    """What a tripped trigger does."""

    ROLLBACK = "rollback"
    PROMPT = "prompt"


class Trigger(Document):
    """When to roll back: a metric above or below a number, or what a person declares (no metric)."""

    id: Identifier
    title: Text
    metric: Identifier | None = None
    above: float | None = None
    below: float | None = Field(None, description="In place of `above`, for a metric of which lower is worse.")
    breaches: int = Field(2, ge=1, le=100, description="So many of the last `of` measurements.")
    of: int = Field(3, ge=1, le=100)
    response: TriggerResponse = TriggerResponse.ROLLBACK
    countdown: Duration = Field(timedelta(seconds=60), description="For `prompt`: time until it rolls back by itself.")

    def breached_by(self, value: float) -> bool:
        """Whether a value is beyond the trigger's number."""
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)

    @property
    def limit(self) -> str:
        """The number with its sign, such as `> 5`."""
        return f"> {self.above:g}" if self.above is not None else f"< {self.below or 0:g}"

    @property
    def declared(self) -> bool:
        """Whether a person declares it because no metric shows it."""
        return self.metric is None
