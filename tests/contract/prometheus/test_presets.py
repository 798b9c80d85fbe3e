"""Every shipped preset measures the truth of a page as the real exporters write it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.adapters.prometheus import PrometheusMetrics
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.compare import CompareKind
from cockpit.runbook.gate import Metric, Monitoring, Residual, Signal
from cockpit.runbook.presets import METRICS, SIGNALS, presets
from cockpit.runbook.variables import substitute
from tests.contract.prometheus import shapes
from tests.contract.prometheus.servers import SCRAPE_S, Server, prometheus, until
from tests.contract.prometheus.shapes import Shapes
from tests.contract.prometheus.truth import Ask

LABELS = {
    "ingress-nginx": {"REQUEST_LABELS": 'namespace="shop",ingress=~"shop-ingress.*"'},
    "gateway-istio": {
        "ROUTE_LABELS": 'reporter="source",destination_service_namespace="shop",destination_service_name=~"shop-.*"',
        "CANDIDATE_LABELS": 'reporter="source",destination_service_namespace="shop",'
        'destination_service_name="shop-blue"',
        "STABLE_LABELS": 'reporter="source",destination_service_namespace="shop",'
        'destination_service_name=~"shop-(active|green)"',
    },
    "gateway-envoy": {
        "ROUTE_LABELS": 'envoy_cluster_name=~"httproute/shop/shop/rule/0(/backend/.*)?"',
        "CANDIDATE_LABELS": 'envoy_cluster_name="httproute/shop/shop/rule/0/backend/1"',
        "STABLE_LABELS": 'envoy_cluster_name="httproute/shop/shop/rule/0/backend/0"',
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
WINDOW_S = 6.0
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


@dataclass(frozen=True)
class Scraped:
    """A page, and the way to ask a Prometheus that has scraped it for a whole window."""

    page: Shapes
    ask: Ask
    server: Server


@pytest.fixture
async def scraped_page(tmp_path: Path) -> AsyncIterator[Scraped]:
    async with Shapes().serving() as page, prometheus(tmp_path / "prometheus", {"shapes": page.address}) as server:

        async def full() -> bool:
            whole = (await server.value(f"count_over_time(up[{WINDOW_S:.0f}s])") or 0) >= WINDOW_S / SCRAPE_S
            return whole and await server.value(f"up offset {1000 * (WINDOW_S + SCRAPE_S):.0f}ms") == 1

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
            yield Scraped(page, Ask(metrics, monitoring), server)
        finally:
            await metrics.close()


async def test_every_preset_measures_the_truth(scraped_page: Scraped) -> None:
    ask = scraped_page.ask
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
    await tracks_are_counted(ask, 0.0)
    await labels_that_match_nothing_give_no_number(ask)
    await what_a_target_counted_before_it_was_known_is_not_counted(scraped_page.server)

    scraped_page.page.burst = 50

    async def seen() -> bool:
        return await scraped_page.server.value('envoy_cluster_upstream_rq{envoy_response_code="503"}') is not None

    await until(seen)
    # `increase()` alone would not see them: their series have one value.
    await tracks_are_counted(ask, 50.0)
    await a_pod_without_a_limit_is_not_left_out(scraped_page)
    await restarts_of_long_ago_are_no_measurement(scraped_page)


async def a_pod_without_a_limit_is_not_left_out(scraped: Scraped) -> None:
    """It may be the busiest one: the others say nothing about it."""
    scraped.page.unlimited = True
    for name in ("cpu", "memory"):
        metric = filled(METRICS)[f"kubernetes/{name}"]
        assert isinstance(metric, Metric)

        async def unknown(metric: Metric = metric) -> bool:
            seen = await scraped.ask.metric(metric)
            return seen.verdict is Verdict.NO_DATA and seen.reason.startswith("not a number")

        await until(unknown)
    scraped.page.unlimited = False


async def restarts_of_long_ago_are_no_measurement(scraped: Scraped) -> None:
    """An increase over four hours goes on for four hours after the last scrape."""
    metric = filled(METRICS)["kubernetes/pod_restarts"]
    assert isinstance(metric, Metric)
    scraped.page.down = True

    async def gone() -> bool:
        return (await scraped.ask.metric(metric)).verdict is Verdict.NO_DATA

    await until(gone)
    assert (await scraped.ask.metric(metric)).reason == "the age of the samples: no series: nothing was measured"
    assert await scraped.server.value(metric.query) == shapes.RESTARTS


async def tracks_are_counted(ask: Ask, burst: float) -> None:
    """Every comparison of a preset counts the candidate apart from stable, and the first value of a series with it."""
    compared = 0
    for name, metric in filled(METRICS).items():
        if not isinstance(metric, Metric) or metric.compare is None:
            continue
        compared += 1
        kind, more = metric.compare.kind, burst if metric.compare.kind is CompareKind.COUNTS else 0.0
        for track, share, first in (
            (metric.compare.candidate, shapes.SHARE, more),
            (metric.compare.stable, 100 - shapes.SHARE, 0.0),
        ):
            requests = shapes.REQUESTS * share / 100 * WINDOW_S
            counted = await ask.counts(kind, track)
            if kind is CompareKind.LATENCY:
                (buckets,) = counted
                assert buckets["+Inf"] == pytest.approx(requests, rel=OF_A_RATE), name
                hundred = next(count for le, count in buckets.items() if le in ("0.1", "100"))
                assert hundred == pytest.approx(shapes.FAST * requests, rel=OF_A_RATE), name
                continue
            errors, total = (each[""] for each in counted)
            assert errors == pytest.approx(requests * shapes.FAILED / 100 + first, rel=OF_A_RATE), name
            assert total == pytest.approx(requests + first, rel=OF_A_RATE), name
    assert compared == 6


async def what_a_target_counted_before_it_was_known_is_not_counted(server: Server) -> None:
    """A window that is longer than this Prometheus has lived: its series are new, and hold a past of unknown length."""
    for metric in filled(METRICS).values():
        if isinstance(metric, Metric) and metric.compare is not None:
            for query in metric.compare.candidate.asked(metric.compare.kind):
                assert await server.value(query.replace("${window}", "1h")) is None, query


async def labels_that_match_nothing_give_no_number(ask: Ask) -> None:
    """One cluster for both backends, a wrong Service: no share and no residual, rather than none of the traffic."""
    for name, signal in filled(SIGNALS).items():
        family, _, what = name.partition("/")
        if what == "residual" or (family, what) == ("gateway-envoy", "candidate_share"):
            lost = signal.query.replace("backend/1", "backend/7").replace("shop-blue", "shop-red")
            found = await ask.signal(name, lost.replace('canary!=""', 'canary="other"'))
            assert (found.verdict, found.value) == (Verdict.NO_DATA, None), name
            assert "no series" in found.reason
