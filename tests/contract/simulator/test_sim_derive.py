"""Worlds made from the shipped runbooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cockpit.model.verdict import Verdict
from cockpit.runbook.actions import HttpChecks
from cockpit.runbook.gate import Measures
from cockpit.runbook.load import load
from cockpit.runbook.schema import Runbook
from cockpit.runbook.shipped import config_path
from cockpit.simulator.spec import default_spec, from_runbook

from .conftest import JSON_PATCH, Stage, StageMaker


def runbook(name: str) -> Runbook:
    return load(config_path(f"runbooks/{name}.yaml"), {}, {}).runbook


async def value(stage: Stage, query: str) -> float:
    text = query.replace("${window}", "120s")
    answer = await stage.get(f"{stage.simulator.prometheus_url}/api/v1/query", params={"query": text})
    return float(answer["data"]["result"][0]["value"][1])


def test_the_source_runbook_gives_the_hand_made_world() -> None:
    made, by_hand = from_runbook(runbook("moshimoshi")), default_spec()
    for field in ("namespace", "app", "tracks", "stable", "candidate", "active_service", "main_ingress",
                  "canary_ingress", "candidate_image", "images", "backend", "redis"):  # fmt: skip
        assert getattr(made, field) == getattr(by_hand, field), field


@pytest.mark.parametrize("name", ["moshimoshi", "minimal", "gateway"])
async def test_every_query_of_a_runbook_has_a_normal_answer(make_stage: StageMaker, name: str) -> None:
    book = runbook(name)
    stage = await make_stage(spec=from_runbook(book))
    for metric in book.monitoring.metrics:
        found = await value(stage, metric.query)
        assert found < metric.bands.warning_from, metric.id
        if metric.samples is not None:
            assert await value(stage, metric.samples.query) > metric.samples.at_least
    for signal in (book.monitoring.alerts_critical, book.monitoring.candidate_share, book.monitoring.residual):
        if signal is not None:
            assert await value(stage, signal.query) == 0


@pytest.mark.parametrize("name", ["moshimoshi", "gateway"])
async def test_the_comparisons_of_a_runbook_are_answered_for_each_track(make_stage: StageMaker, name: str) -> None:
    book = runbook(name)
    counts, latency = (metric.compare for metric in book.monitoring.metrics[:2])
    assert counts is not None
    assert latency is not None
    stage = await make_stage(spec=from_runbook(book), scenario="error-spike")
    await shifted(stage, book, 10)
    stage.forward(200)
    found = {}
    for side, track in (("candidate", counts.candidate), ("stable", counts.stable)):
        errors, requests = [await value(stage, query) for query in track.asked(counts.kind)]
        found[side] = (requests, errors / requests)
    assert found["candidate"][0] == pytest.approx(found["stable"][0] / 9, rel=0.2)
    assert found["candidate"][1] == pytest.approx(0.00245, rel=0.1), "the scenario's, of the candidate alone"
    assert found["stable"][1] == pytest.approx(0.00045, rel=0.3)
    (query,) = latency.candidate.asked(latency.kind)
    params = {"query": query.replace("${window}", "120s")}
    answer = await stage.get(f"{stage.simulator.prometheus_url}/api/v1/query", params=params)
    buckets = {entry["metric"]["le"]: float(entry["value"][1]) for entry in answer["data"]["result"]}
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets["+Inf"] == pytest.approx(found["candidate"][0])


async def test_what_must_not_fall_can_be_rehearsed(make_stage: StageMaker, tmp_path: Path) -> None:
    low = config_path("runbooks/minimal.yaml").read_text()
    for wrong, right in (
        ("{warning_from: 0.1, critical_above: 1}", "{warning_from: 99.9, critical_below: 99}"),
        ("measures: error_rate", "measures: success_rate"),
        ("metric: error_rate, below: 0.5", "metric: error_rate, above: 99.5"),
        ("metric: error_rate, above: 5", "metric: error_rate, below: 95"),
    ):
        assert wrong in low
        low = low.replace(wrong, right)
    file = tmp_path / "runbook.yaml"
    file.write_text(low)
    book = load(file, {}, {}).runbook
    metric = book.monitoring.metrics[0]
    stage = await make_stage(spec=from_runbook(book))
    assert await value(stage, metric.query) == pytest.approx(99.955, abs=0.03)
    assert metric.bands.thresholds.judge(await value(stage, metric.query)) is Verdict.NORMAL
    custom = metric.model_copy(update={"measures": Measures.CUSTOM})
    monitoring = book.monitoring.model_copy(update={"metrics": (custom,)})
    calm = from_runbook(book.model_copy(update={"monitoring": monitoring})).metrics[0].value
    assert metric.bands.thresholds.judge(calm) is Verdict.NORMAL


async def shifted(stage: Stage, book: Runbook, weight: int) -> None:
    """So much of the traffic to the candidate."""
    if book.cluster.traffic.backend == "nginx":
        return await stage.weight(weight)
    tracks = ((book.cluster.active_service.name, 100 - weight), (book.cluster.tracks["blue"].service, weight))
    refs = [{"name": service, "port": 80, "weight": part} for service, part in tracks]
    patch = [{"op": "replace", "path": "/spec/rules/0/backendRefs", "value": refs}]
    status, answer = await stage.patch(stage.url("httproutes", "web"), patch, JSON_PATCH)
    assert status == 200, answer


async def test_the_checks_of_a_runbook_pass_once_its_image_is_deployed(make_stage: StageMaker) -> None:
    book = runbook("moshimoshi")
    stage = await make_stage(spec=from_runbook(book))
    checks = next(action for step in book.steps for action in step.actions if isinstance(action, HttpChecks)).checks

    async def passed() -> dict[str, bool]:
        found: dict[str, bool] = {}
        for check in checks:
            url = stage.url("services", "moshimoshi-blue:80/proxy") + check.path
            status, body = await stage.call("GET", url)
            found[check.name] = status == check.status and holds(body, check.fields)
        return found

    assert [name for name, good in (await passed()).items() if not good] == ["Version check"]
    await stage.deploy(stage.simulator.spec.candidate_image)
    stage.forward(200)
    assert all((await passed()).values())


def holds(body: Any, fields: dict[str, str]) -> bool:
    return all(body.get(key) == wanted for key, wanted in fields.items())


async def test_the_objects_that_a_runbook_expects_are_there(make_stage: StageMaker) -> None:
    for name in ("moshimoshi", "minimal"):
        cluster = runbook(name).cluster
        stage = await make_stage(spec=from_runbook(runbook(name)))
        services = await stage.get(stage.url("services", namespace=cluster.namespace))
        ingresses = await stage.get(stage.url("ingresses", namespace=cluster.namespace))
        assert set(cluster.expected_services) <= {item["metadata"]["name"] for item in services["items"]}
        assert set(cluster.expected_routes) <= {item["metadata"]["name"] for item in ingresses["items"]}
        params = {"labelSelector": cluster.app_label}
        pods = await stage.get(stage.url("pods", namespace=cluster.namespace), params=params)
        assert len(pods["items"]) == sum(track.replicas for track in cluster.tracks.values())
