"""The simulator's truth beside what the engine's own measuring makes of it through a real Prometheus.

Every bound follows from what a scraping server can know:

- a ratio of two rates sees the window shifted by at most one scrape and one slice of the world at either end, which is
  `EDGE` of it; and a counter on the page is a whole number, so that a count may be off by one a series;
- a quantile is interpolated inside the bucket that holds the true value, and can be off by that bucket's width;
- a gauge is at most one scrape and one slice old.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cockpit.adapters.prometheus import PrometheusMetrics
from cockpit.engine.verdicts import Answers, Asked, measure, measure_signal
from cockpit.model.clock import RunClock
from cockpit.model.verdict import Measurement
from cockpit.runbook.compare import CompareKind, TrackQueries
from cockpit.runbook.gate import Metric, Monitoring
from cockpit.runbook.load import load
from cockpit.runbook.schema import Runbook
from cockpit.runbook.shipped import config_path
from cockpit.simulator.blueprint import MetricQuery, Signal
from cockpit.simulator.scenario import Ramp, Scenario
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook
from cockpit.simulator.world.kinds import INGRESS, POD
from cockpit.simulator.world.latency import BUCKETS
from cockpit.simulator.world.objects import CANARY, CANARY_WEIGHT
from cockpit.simulator.world.world import World
from tests.contract.prometheus.servers import SCRAPE_S, WINDOW_S, Server, prometheus, until

LOAD = 2000.0
SLICE_S = 1.0
EDGE = 2 * (SCRAPE_S + SLICE_S) / WINDOW_S
SICK = Scenario(
    "sick",
    "The candidate fails one request in twenty, and takes a fifth of a second.",
    errors=Ramp(light=5.0, heavy=5.0),
    latency=Ramp(light=150.0, heavy=150.0),
    lag_forward=0.0,
)
WEIGHT = 30


def window(query: str, seconds: float = WINDOW_S) -> str:
    """The query as the engine asks it."""
    return query.replace("${window}", f"{seconds:.0f}s")


def real_book(book: Runbook, url: str) -> Runbook:
    """The runbook with a Prometheus that scrapes four times a second."""
    monitoring = book.monitoring.model_copy(
        update={
            "prometheus": url,
            "scrape_interval": timedelta(seconds=SCRAPE_S),
            "interval": timedelta(seconds=1),
            "window": timedelta(seconds=WINDOW_S),
            "stale_after": timedelta(seconds=10),
        }
    )
    return book.model_copy(update={"monitoring": monitoring})


@dataclass(frozen=True)
class Row:
    """One number: the truth, what was measured, and how far the two may be apart."""

    name: str
    unit: str
    truth: float
    measured: float
    bound: float
    why: str

    @property
    def holds(self) -> bool:
        return abs(self.truth - self.measured) <= self.bound

    def line(self) -> str:
        apart = abs(self.truth - self.measured)
        numbers = f"{self.truth:10.4f} {self.measured:10.4f} {self.unit:<2} {apart:9.4f} ≤ {self.bound:8.4f}"
        return f"{self.name:<14} {numbers}  {'ok ' if self.holds else 'OFF'}  {self.why}"


HEAD = f"{'':<14} {'truth':>10} {'measured':>10}    {'apart':>9}   {'bound':>8}       why"


class Ask:
    """Measures as the engine does, through the adapter."""

    def __init__(self, metrics: PrometheusMetrics, monitoring: Monitoring) -> None:
        self._metrics = metrics
        self._monitoring = monitoring

    def _resolved(self, query: str) -> str:
        return window(query, self._monitoring.window.total_seconds())

    async def metric(self, metric: Metric) -> Measurement:
        expression = self._resolved(metric.query)
        value = await self._metrics.query(expression)
        samples = await self._metrics.query(self._resolved(metric.samples.query)) if metric.samples else None
        age = await self._metrics.query(self._resolved(metric.age)) if metric.age else None
        asked = Asked(expression, datetime.now(UTC), self._monitoring.window)
        return measure(metric, self._monitoring, asked, Answers(value, samples, age))

    async def signal(self, name: str, query: str) -> Measurement:
        expression = self._resolved(query)
        answer = await self._metrics.query(expression)
        asked = Asked(expression, datetime.now(UTC), self._monitoring.window)
        return measure_signal(name, self._monitoring, asked, answer)

    async def counts(self, kind: CompareKind, track: TrackQueries) -> list[dict[str, float]]:
        """What a comparison counts of a track, by the label `le`, which is empty for plain counts."""
        answers = [await self._metrics.query(self._resolved(query)) for query in track.asked(kind)]
        return [{sample.labels.get("le", ""): sample.value for sample in answer.samples} for answer in answers]


@dataclass
class Field:
    """A world at real speed, a Prometheus that scrapes it, and the runbook that asks it."""

    simulator: Simulator
    server: Server
    book: Runbook
    ask: Ask

    @property
    def world(self) -> World:
        return self.simulator.world

    def signal(self, name: Signal, seconds: float = WINDOW_S) -> float:
        """The world's own number of the present window."""
        found = self.world.signals.read(MetricQuery("", name, "all"), self.world.cluster.now, seconds)
        assert found is not None
        return found

    def busiest(self, field: str) -> float:
        """The mean of a usage, of the track that has most of it."""
        samples = self.world.history.window(self.world.cluster.now, WINDOW_S if field == "cpu" else SLICE_S)
        tracks = self.world.spec.tracks
        return max(sum(getattr(sample.tracks[track], field) for sample in samples) / len(samples) for track in tracks)

    def make_sick(self) -> None:
        """30 % of the traffic to a candidate that fails; two of its containers restart."""
        world = self.world
        store, spec = world.cluster.store, world.spec
        ingress = store.get(INGRESS, spec.namespace, spec.canary_ingress)
        assert ingress is not None
        annotations = ingress["metadata"].setdefault("annotations", {})
        annotations |= {CANARY: "true", CANARY_WEIGHT: str(WEIGHT)}
        world.use(SICK)

    def restart_two(self) -> None:
        """Two containers of the candidate restart."""
        world = self.world
        ours = [
            pod
            for pod in world.cluster.store.select(POD, world.spec.namespace)
            if world.router.track_of(pod) == world.spec.candidate
        ]
        for pod in ours[:2]:
            pod["status"]["containerStatuses"][0]["restartCount"] += 1
            world.history.add_restart(world.cluster.now, world.spec.candidate)

    async def full_window(self) -> None:
        """Wait until the window holds nothing but the present state of the world.

        A rate over a window that the server has scraped only a part of is too small, and has to be waited out, too.
        """
        end = self.world.cluster.now + WINDOW_S + 2 * SCRAPE_S

        async def passed() -> bool:
            scrapes = await self.server.value(f"min(count_over_time(up[{WINDOW_S:.0f}s]))")
            return self.world.cluster.now > end and scrapes is not None and scrapes >= WINDOW_S / SCRAPE_S

        await until(passed)


@asynccontextmanager
async def field(directory: Path, runbook: str = "runbooks/moshimoshi.yaml") -> AsyncIterator[Field]:
    """A healthy world, scraped."""
    loaded = load(config_path(runbook), {}, {})
    spec = replace(from_runbook(loaded.runbook), load=LOAD)
    async with Simulator(spec, RunClock.starting(datetime.now(UTC), 1.0)) as simulator:
        target = simulator.http_url.removeprefix("http://")
        async with prometheus(directory / "prometheus", {"world": target}) as server:
            book = real_book(loaded.runbook, server.url)
            metrics = PrometheusMetrics(server.url, timeout=10)
            try:
                yield Field(simulator, server, book, Ask(metrics, book.monitoring))
            finally:
                await metrics.close()


async def table(found: Field) -> list[Row]:
    """Every metric and signal of the runbook beside the truth, now."""
    metrics = {metric.id: metric for metric in found.book.monitoring.metrics}
    rows = []
    for name, truth, bound, why in _truths(found):
        measured = (await found.ask.metric(metrics[name])).value
        rows.append(Row(name, metrics[name].unit, truth, _number(name, measured), bound, why))
    share, alerts = found.book.monitoring.candidate_share, found.book.monitoring.alerts_critical
    assert share is not None
    assert alerts is not None
    real = found.signal("candidate_share")
    measured = (await found.ask.signal("share", share.query)).value
    rows.append(Row("share", "%", real, _number("share", measured), real * EDGE, "edges of the window"))
    measured = (await found.ask.signal("alerts", alerts.query)).value
    firing = float(found.signal("error_rate", 6.0) > 1.0)
    rows.append(Row("alerts", "", firing, _number("alerts", measured), 0.0, "exact: one rule, one alert"))
    return rows


def _truths(found: Field) -> list[tuple[str, float, float, str]]:
    requests = found.signal("requests")
    # Two tracks, each with a row for its 5xx and one for its other failures.
    whole = 100.0 * 4 / requests
    errors, server = found.signal("error_rate"), found.signal("server_errors")
    p95, cpu, restarts = found.signal("latency_p95"), found.busiest("cpu"), found.signal("restarts", 3600.0)
    edges = f"edges of the window ({100 * EDGE:.0f} %), whole counts"
    return [
        ("error_rate", errors, errors * EDGE + whole, edges),
        ("errors_5xx", server, server * EDGE + whole, edges),
        ("p95_latency", p95, _bucket_width_ms(p95), "the width of the true value's bucket"),
        ("cpu", cpu, cpu * EDGE, "edges of the window"),
        ("memory", found.busiest("memory"), 1.0, "one scrape and one slice old"),
        ("pod_restarts", restarts, 0.0, "exact: rounded to whole restarts"),
    ]


def _bucket_width_ms(value_ms: float) -> float:
    return next(1000 * (above - below) for below, above in pairwise((0.0, *BUCKETS)) if value_ms <= 1000 * above)


def _number(name: str, value: float | None) -> float:
    assert value is not None, f"{name} has no value"
    return value


async def two_tables(directory: Path) -> dict[str, list[Row]]:
    """The table of a healthy world, and of one whose candidate is sick."""
    async with field(directory) as found:
        await found.full_window()
        healthy = await table(found)
        found.make_sick()
        found.restart_two()
        await found.full_window()
        return {"healthy": healthy, "sick": await table(found)}


def text(tables: dict[str, list[Row]]) -> str:
    """The tables for people."""
    lines = [f"scrape {SCRAPE_S:g} s, window {WINDOW_S:g} s, {LOAD:g} requests a second"]
    for name, rows in tables.items():
        lines += ["", f"{name} world", HEAD, *(row.line() for row in rows)]
    return "\n".join(lines)


def measured_text() -> str:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        return text(asyncio.run(two_tables(Path(name))))
