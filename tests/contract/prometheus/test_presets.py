"""Every shipped preset measures the truth of a page as the real exporters write it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.adapters.prometheus import PrometheusMetrics
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.gate import Metric, Monitoring, Residual, Signal
from cockpit.runbook.presets import METRICS, SIGNALS, presets
from cockpit.runbook.variables import substitute
from tests.contract.prometheus import shapes
from tests.contract.prometheus.servers import SCRAPE_S, WINDOW_S, Server, prometheus, until
from tests.contract.prometheus.shapes import Shapes
from tests.contract.prometheus.truth import Ask

LABELS = {
    "ingress-nginx": {"REQUEST_LABELS": 'namespace="shop",ingress=~"shop-ingress.*"'},
    "gateway-istio": {
        "ROUTE_LABELS": 'reporter="source",destination_service_namespace="shop",destination_service_name=~"shop-.*"',
        "CANDIDATE_LABELS": 'reporter="source",destination_service_namespace="shop",'
        'destination_service_name="shop-blue"',
    },
    "gateway-envoy": {
        "ROUTE_LABELS": 'envoy_cluster_name=~"httproute/shop/shop/rule/0.*"',
        "CANDIDATE_LABELS": 'envoy_cluster_name="httproute/shop/shop/rule/0/backend/1"',
    },
    "kubernetes": {"POD_LABELS": 'namespace="shop",pod=~"shop-(blue|green)-.*"'},
}
TRUTH = {
    "error_rate": shapes.FAILED,
    "errors_5xx": shapes.SERVER_FAILED,
    "p95_latency": shapes.P95_MS,
    "cpu": shapes.CPU,
    "memory": shapes.MEMORY,
    "pod_restarts": float(shapes.RESTARTS),
    "candidate_share": shapes.SHARE,
    "residual": shapes.REQUESTS * shapes.SHARE / 100.0,
    "alerts_critical": 1.0,
}
EXACT = ("pod_restarts", "alerts_critical", "memory")
OF_A_RATE = 0.02
"""All counters of a scrape have the same age; only a rate by itself sees the jitter of a scrape, in milliseconds."""


def filled(section: str) -> dict[str, Metric | Signal]:
    """The presets as a runbook with these labels has them."""
    found: dict[str, Metric | Signal] = {}
    for name, entry in presets(section).items():
        whole, problems = substitute(dict(entry), LABELS[name.partition("/")[0]], {})
        assert not problems
        kind = Metric if section == METRICS else Residual if name.endswith("/residual") else Signal
        found[name] = kind.model_validate(whole)
    return found


async def scraped(server: Server) -> bool:
    """Whether the page has been seen: an increase needs a value to begin at."""
    return await server.value("kube_pod_container_status_restarts_total") is not None


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Ask]:
    """A Prometheus that has scraped the page for a whole window."""
    async with Shapes().serving() as page, prometheus(tmp_path / "prometheus", {"shapes": page.address}) as server:

        async def full() -> bool:
            return (await server.value(f"count_over_time(up[{WINDOW_S:.0f}s])") or 0) >= WINDOW_S / SCRAPE_S

        await until(lambda: scraped(server))
        page.restarts = shapes.RESTARTS
        await until(full)
        metrics = PrometheusMetrics(server.url)
        monitoring = Monitoring(
            prometheus=server.url,
            window=timedelta(seconds=WINDOW_S),
            stale_after=timedelta(seconds=10),
            metrics=(next(metric for metric in filled(METRICS).values() if isinstance(metric, Metric)),),
        )
        try:
            yield Ask(metrics, monitoring)
        finally:
            await metrics.close()


async def test_every_preset_measures_the_truth(ask: Ask) -> None:
    measured: dict[str, Measurement] = {}
    for name, metric in filled(METRICS).items():
        assert isinstance(metric, Metric)
        measured[name] = await ask.metric(metric)
    for name, signal in filled(SIGNALS).items():
        measured[name] = await ask.signal(name, signal.query)

    families = {name.partition("/")[0] for name in measured}
    assert families == set(LABELS)
    for name, found in measured.items():
        truth = TRUTH[name.partition("/")[2]]
        bound = 1e-6 if name.partition("/")[2] in EXACT else OF_A_RATE
        assert found.value == pytest.approx(truth, rel=bound), (name, found)
        assert found.verdict.measured
    assert measured["kubernetes/cpu"].verdict is Verdict.WARNING
    assert measured["gateway-envoy/error_rate"].samples == pytest.approx(shapes.REQUESTS * WINDOW_S, rel=OF_A_RATE)
