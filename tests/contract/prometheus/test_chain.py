"""Everything that can be wrong with a metrics server, through the engine: silence neither advances nor rolls back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.adapters.prometheus import PrometheusMetrics
from cockpit.model.clock import RunClock
from cockpit.model.run import GateState
from cockpit.model.status import GateStatus
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.gate import Bands, Measures, Metric, Samples
from cockpit.runbook.load import LoadedRunbook
from tests.contract.prometheus.proxy import Proxy
from tests.contract.prometheus.reaching import gate_open
from tests.contract.prometheus.servers import SCRAPE_S, Server, prometheus, until
from tests.contract.prometheus.shapes import Shapes
from tests.engine.world import MemoryStore, Stage, World, shipped

WINDOW_S = 2
REQUESTS = "nginx_ingress_controller_requests"
FAILURES = f'100 * (sum(rate({REQUESTS}{{status="502"}}[${{window}}])) or vector(0))'
METRICS = (
    Metric(
        id="error_rate",
        title="Error Rate",
        query=f"{FAILURES} / sum(rate({REQUESTS}[${{window}}]))",
        unit="%",
        bands=Bands(warning_from=4, critical_above=5),
        samples=Samples(query=f"sum(increase({REQUESTS}[${{window}}]))", at_least=100),
        measures=Measures.ERROR_RATE,
    ),
    Metric(
        id="memory",
        title="Memory Usage",
        query='sum(max(container_memory_working_set_bytes{pod="shop-blue-1"}))',
        bands=Bands(warning_from=1e12, critical_above=1e13),
        age='sum(time() - max(timestamp(container_memory_working_set_bytes{pod="shop-blue-1"})))',
    ),
)


def chain_book(url: str) -> LoadedRunbook:
    """The shipped runbook with two metrics of the page, asked four times a second, and a trigger without mercy."""
    loaded = shipped()
    book = loaded.runbook
    monitoring = book.monitoring.model_copy(
        update={
            "prometheus": url,
            "interval": timedelta(milliseconds=250),
            "scrape_interval": timedelta(seconds=SCRAPE_S),
            "window": timedelta(seconds=WINDOW_S),
            "warmup": timedelta(seconds=1),
            "stale_after": timedelta(seconds=2),
            "metrics": METRICS,
            "alerts_critical": None,
            "candidate_share": None,
            "residual": None,
        }
    )
    step = book.phases[1].steps[0]
    assert step.gate is not None
    conditions = tuple(
        step.gate.conditions[0].model_copy(update={"metric": metric.id, "below": metric.bands.warning_from})
        for metric in METRICS
    )
    gated = step.model_copy(
        update={"gate": step.gate.model_copy(update={"conditions": conditions, "hold": timedelta(hours=1)})}
    )
    phase = book.phases[1].model_copy(update={"steps": (gated, *book.phases[1].steps[1:])})
    trigger = book.rollback.triggers[0].model_copy(update={"above": 5.0, "breaches": 1, "of": 1})
    return replace(
        loaded,
        runbook=book.model_copy(
            update={
                "monitoring": monitoring,
                "phases": (book.phases[0], phase, *book.phases[2:]),
                "rollback": book.rollback.model_copy(update={"triggers": (trigger,)}),
            }
        ),
    )


@dataclass
class Chain:
    """Exporter, Prometheus, proxy and an engine whose gate is held open."""

    page: Shapes
    server: Server
    proxy: Proxy
    stage: Stage

    def seen(self, metric: str) -> Measurement:
        """The last measurement."""
        assert self.stage.session is not None
        return self.stage.session._core.seen.measurements[metric]

    @property
    def gate(self) -> GateState:
        """The gate of the step that shifts the first traffic."""
        assert self.stage.session is not None
        gate = self.stage.session._core.state.steps["2.1"].gate
        assert gate is not None
        return gate

    async def holding(self) -> None:
        """Wait until everything is measured well and the hold clock runs."""

        async def good() -> bool:
            verdicts = {self.seen(metric.id).verdict for metric in METRICS}
            return verdicts == {Verdict.NORMAL} and self.gate.status is GateStatus.HOLDING

        try:
            await until(good, 40)
        except TimeoutError:
            raise AssertionError(([self.seen(metric.id) for metric in METRICS], self.gate)) from None

    async def told(self, metric: str, verdict: Verdict, reason: str) -> None:
        """Wait until a measurement says what is wrong and what was asked, and the hold clock has stopped."""
        query = next(each.query for each in METRICS if each.id == metric)
        asked = query.replace("${window}", f"{WINDOW_S}s")

        async def said() -> bool:
            seen = self.seen(metric)
            assert self.gate.status is not GateStatus.PASSED
            return (
                (seen.verdict, seen.query) == (verdict, asked)
                and reason in f"{seen.reason} {' '.join(seen.warnings)}"
                and self.gate.status is GateStatus.WAITING
            )

        try:
            await until(said, 30)
        except TimeoutError:
            raise AssertionError((self.seen(metric), self.gate)) from None

    def never_moved(self) -> None:
        """Neither forth nor back."""
        types = set(self.stage.types())
        assert not types & {"gate.passed", "rollback.started", "trigger.tripped", "step.decided"}
        assert self.stage.world.weight == 10


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(Shapes().serving())
        server = await stack.enter_async_context(prometheus(tmp_path / "prometheus", {"page": page.address}))
        proxy = await stack.enter_async_context(Proxy(server.url).serving())
        metrics = PrometheusMetrics(proxy.url, timeout=0.5)
        stack.push_async_callback(metrics.close)
        clock = RunClock.starting(datetime.now(UTC), 1.0)
        world = World(rollout_s=0.0)
        stage = Stage(world, MemoryStore(), tmp_path, chain_book(proxy.url), clock=clock, metrics=metrics)
        await stage.start()
        stack.push_async_callback(stage.kill)
        await gate_open(stage)
        yield Chain(page, server, proxy, stage)


FAULTS: list[tuple[str, Callable[[Chain], None], str, Verdict, str]] = [
    ("slow", lambda chain: setattr(chain.proxy, "mode", "tarpit"), "error_rate", Verdict.BROKEN, "within 0.5 s"),
    ("html", lambda chain: setattr(chain.proxy, "mode", "html"), "error_rate", Verdict.BROKEN, "not an answer"),
    ("two series", lambda chain: setattr(chain.proxy, "mode", "series"), "error_rate", Verdict.BROKEN, "2 series"),
    ("an hour behind", lambda chain: setattr(chain.proxy, "mode", "behind"), "memory", Verdict.NO_DATA, "s old"),
    ("an hour ahead", lambda chain: setattr(chain.proxy, "mode", "ahead"), "memory", Verdict.NO_DATA, "in the future"),
    ("warnings", lambda chain: setattr(chain.proxy, "mode", "warnings"), "error_rate", Verdict.WARNING, "gateway 2"),
    ("no traffic", lambda chain: chain.page.stand_still(), "error_rate", Verdict.NO_DATA, "not a number"),
    ("target down", lambda chain: setattr(chain.page, "down", True), "error_rate", Verdict.NO_DATA, "no series"),
    ("old samples", lambda chain: setattr(chain.page, "down", True), "memory", Verdict.NO_DATA, "s old"),
]


async def test_silence_and_nonsense_stop_the_clock_and_move_nothing(chain: Chain) -> None:
    told = []
    for name, spoil, metric, verdict, reason in FAULTS:
        await chain.holding()
        spoil(chain)
        await chain.told(metric, verdict, reason)
        told.append(name)
        chain.never_moved()
        chain.proxy.mode = ""
        chain.page.recover()
    await chain.holding()
    # A counter that begins anew is no jump: rate() takes the new value as the increase.
    chain.page.restart()
    asked = len(chain.proxy.queries)
    await until(lambda: _many_more(chain, asked))
    assert chain.seen("error_rate").value == pytest.approx(2.0, rel=0.2)
    await chain.holding()
    chain.never_moved()

    chain.server.stop()
    await chain.told("error_rate", Verdict.BROKEN, "502")
    chain.never_moved()
    assert len(told) == len(FAULTS)


async def _many_more(chain: Chain, asked: int) -> bool:
    """So many rounds that the window has passed over the restart."""
    rounds = 4 * (WINDOW_S + 1)
    return len(chain.proxy.queries) - asked > rounds * 4


async def test_a_true_trigger_goes_back_all_the_same(chain: Chain) -> None:
    """The control: what the faults above do not do, a real number does."""
    await chain.holding()
    chain.page.failing = 20.0

    event = await chain.stage.until("rollback.started", 60)

    assert "Error" in getattr(event, "reason", "")
