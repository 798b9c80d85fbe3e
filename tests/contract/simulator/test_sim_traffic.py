"""Routes and the share they give; the scenarios' truths."""

from __future__ import annotations

import math

import pytest
from aiohttp import ClientConnectionError

from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path
from cockpit.simulator.scenario import SCENARIOS
from cockpit.simulator.spec import default_spec, from_runbook
from cockpit.simulator.world.kinds import INGRESS

from .conftest import CANARY, Stage, StageMaker

NEW = "gcr.io/moshimoshi-prod/moshimoshi:1.0.0"


async def canary(stage: Stage, value: str) -> None:
    body = {"metadata": {"annotations": {CANARY: value}}}
    status, _ = await stage.patch(stage.url("ingresses", "moshimoshi-ingress-canary"), body)
    assert status == 200


async def activate(stage: Stage, track: str) -> None:
    body = {"spec": {"selector": {"version": track}}}
    status, _ = await stage.patch(stage.url("services", "moshimoshi-active"), body)
    assert status == 200


async def test_the_world_begins_on_green_with_healthy_numbers(stage: Stage) -> None:
    state = await stage.state()
    assert (state["active"], state["weight"], state["canary_enabled"]) == ("green", 0, True)
    assert await stage.measure("candidate_share") == 0
    assert await stage.measure("requests") == pytest.approx(7200, rel=0.1)


@pytest.mark.parametrize("weight", [10, 50, 100])
async def test_the_observed_share_follows_the_weight_after_its_lag(stage: Stage, weight: int) -> None:
    await stage.weight(weight)
    stage.forward(2)
    assert await stage.measure("candidate_share", 2) == 0
    stage.forward(120)
    share = await stage.measure("candidate_share")
    assert share == pytest.approx(weight, abs=2.5)
    if weight < 100:
        assert share != weight


async def test_a_canary_out_of_service_carries_nothing(stage: Stage) -> None:
    await stage.weight(50)
    stage.forward(100)
    await canary(stage, "false")
    stage.forward(100)
    assert await stage.measure("candidate_share") == 0
    assert await stage.measure("canary_requests") == 0
    assert (await stage.state())["weight"] == 0


async def test_the_switch_sends_everything_to_the_candidate(stage: Stage) -> None:
    await activate(stage, "blue")
    stage.forward(100)
    assert (await stage.state())["active"] == "blue"
    assert await stage.measure("candidate_share") == 100
    assert await stage.measure("canary_requests") == 0


async def test_a_canary_that_is_older_than_its_primary_takes_the_host_over(stage: Stage) -> None:
    found = stage.world.cluster.draft(INGRESS, "production", "moshimoshi-ingress-canary")
    assert found is not None
    found["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    stage.world.cluster.update(INGRESS, found)
    await canary(stage, "false")
    stage.forward(100)
    assert await stage.measure("candidate_share") == 100


async def test_requests_to_a_service_without_pods_fail(stage: Stage) -> None:
    await activate(stage, "nobody")
    stage.forward(100)
    assert await stage.measure("error_rate") == 100
    assert await stage.measure("server_errors") == 100
    assert await stage.measure("alerts_critical") >= 1


async def test_route_weights_split_the_traffic_of_a_gateway(make_stage: StageMaker) -> None:
    stage = await make_stage(spec=default_spec("gateway"))
    url = stage.url("httproutes", "moshimoshi-route")
    route = await stage.get(url)
    conditions = route["status"]["parents"][0]["conditions"]
    assert [item["observedGeneration"] for item in conditions] == [1, 1]
    refs = route["spec"]["rules"][0]["backendRefs"]
    assert [(ref["name"], ref["weight"]) for ref in refs] == [("moshimoshi-active", 100), ("moshimoshi-blue", 0)]
    operations = [
        {"op": "test", "path": "/spec/rules/0/backendRefs/1/weight", "value": 0},
        {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 75},
        {"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 25},
    ]
    status, _ = await stage.patch(url, operations, "application/json-patch+json")
    assert status == 200
    stage.forward(100)
    assert (await stage.state())["weight"] == 25
    assert await stage.measure("candidate_share") == pytest.approx(25, abs=2.5)
    conditions = (await stage.get(url))["status"]["parents"][0]["conditions"]
    assert [item["observedGeneration"] for item in conditions] == [2, 2]
    status, _ = await stage.patch(url, [{**operations[1], "value": -1}], "application/json-patch+json")
    assert status == 422


async def test_a_gateway_names_the_backend_that_is_missing_and_leaves_other_controllers_alone(
    make_stage: StageMaker,
) -> None:
    stage = await make_stage(spec=default_spec("gateway"))
    url = stage.url("httproutes", "moshimoshi-route")
    parents = (await stage.get(url))["status"]["parents"]
    theirs = {"parentRef": {"name": "inner"}, "controllerName": "example.test/other", "conditions": []}
    status, _ = await stage.patch(f"{url}/status", {"status": {"parents": [*parents, theirs]}})
    assert status == 200
    change = {"op": "replace", "path": "/spec/rules/0/backendRefs/1/name", "value": "nobody"}
    await stage.patch(url, [change], "application/json-patch+json")
    stage.forward(10)
    other, mine = (await stage.get(url))["status"]["parents"]
    assert other == theirs
    assert [(each["type"], each["status"], each["message"]) for each in mine["conditions"]] == [
        ("Accepted", "True", ""),
        ("ResolvedRefs", "False", "backend(s) not found: nobody"),
    ]


async def test_pinned_users_come_with_the_affinity_that_pins_them(make_stage: StageMaker) -> None:
    stage = await make_stage("sticky-sessions")
    main = await stage.get(stage.url("ingresses", "moshimoshi-ingress"))
    assert main["metadata"]["annotations"]["nginx.ingress.kubernetes.io/affinity"] == "cookie"
    routed = await make_stage("sticky-sessions", spec=default_spec("gateway"))
    route = await routed.get(routed.url("httproutes", "moshimoshi-route"))
    assert route["spec"]["rules"][0]["sessionPersistence"]["type"] == "Cookie"


async def test_the_rate_of_the_canary_is_that_of_its_requests(make_stage: StageMaker) -> None:
    book = load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook
    stage = await make_stage(spec=from_runbook(book))
    await stage.weight(50)
    stage.forward(100)
    assert await stage.measure("canary_rate", 30) == pytest.approx(60, rel=0.15)
    await canary(stage, "false")
    stage.forward(60)
    assert await stage.measure("canary_rate", 30) == 0


@pytest.mark.parametrize("weight", [0, 10, 50, 100])
async def test_a_healthy_run_stays_normal_for_an_hour(stage: Stage, weight: int) -> None:
    await stage.weight(weight)
    stage.forward(120)
    for _ in range(60):
        stage.forward(60)
        assert 0.03 <= await stage.measure("error_rate", 120) <= 0.06
        assert 80 <= await stage.measure("latency_p95", 120) <= 95
        assert 30 <= await stage.measure("cpu", 120) <= 45
        assert 45 <= await stage.measure("memory", 120) <= 55
        assert 0.002 <= await stage.measure("server_errors", 120) <= 0.005
        assert await stage.measure("restarts", 120) == 0
        assert await stage.measure("alerts_critical") == 0


async def test_an_error_spike_passes_at_ten_percent_and_breaks_at_fifty(make_stage: StageMaker) -> None:
    stage = await make_stage("error-spike")
    await stage.weight(10)
    for _ in range(30):
        stage.forward(60)
        assert await stage.measure("error_rate", 120) < 0.1
    await stage.weight(50)
    stage.forward(60)
    assert await stage.measure("error_rate", 120) < 5
    stage.forward(240)
    assert await stage.measure("error_rate", 120) > 5
    assert await stage.measure("alerts_critical") >= 1
    await stage.weight(0)
    stage.forward(130)
    assert await stage.measure("error_rate", 120) < 0.1


async def test_a_latency_spike_passes_at_ten_percent_and_breaks_at_fifty(make_stage: StageMaker) -> None:
    stage = await make_stage("latency-spike")
    await stage.weight(10)
    for _ in range(30):
        stage.forward(60)
        assert await stage.measure("latency_p95", 120) < 100
    await stage.weight(50)
    stage.forward(300)
    assert await stage.measure("latency_p95", 120) > 1000
    assert await stage.measure("error_rate", 120) < 0.1


async def test_low_traffic_gives_too_few_requests_to_judge(make_stage: StageMaker) -> None:
    stage = await make_stage("low-traffic")
    stage.forward(600)
    assert await stage.measure("requests", 60) < 40
    assert 60 < await stage.measure("requests", 600) < 180
    assert math.isnan(await stage.measure("error_rate", 1)) or await stage.measure("requests", 1) > 0


async def test_prometheus_is_there_until_the_candidate_gets_traffic(make_stage: StageMaker) -> None:
    stage = await make_stage("prometheus-down")
    assert await stage.measure("error_rate") < 0.1
    await stage.weight(10)
    stage.forward(10)
    outcomes = set()
    for _ in range(20):
        try:
            async with stage.session.get(f"{stage.simulator.prometheus_url}/api/v1/query?query=1") as response:
                outcomes.add(str(response.status))
        except ClientConnectionError as error:
            outcomes.add(type(error).__name__)
    assert "200" not in outcomes
    assert "503" in outcomes
    assert len(outcomes) == 2


async def test_sticky_sessions_hold_the_share_back_and_up(make_stage: StageMaker) -> None:
    stage = await make_stage("sticky-sessions")
    await stage.weight(50)
    stage.forward(100)
    assert await stage.measure("candidate_share") == pytest.approx(30, abs=2.5)
    await stage.weight(0)
    stage.forward(100)
    assert await stage.measure("candidate_share") == pytest.approx(12, abs=2.5)
    await canary(stage, "false")
    stage.forward(100)
    assert await stage.measure("candidate_share") == 0


async def test_drift_is_written_by_somebody_else(make_stage: StageMaker) -> None:
    stage = await make_stage("drift")
    await stage.weight(10)
    stage.forward(60)
    assert (await stage.state())["weight"] == 10
    stage.forward(100)
    assert (await stage.state())["weight"] == 30
    found = await stage.get(stage.url("ingresses", "moshimoshi-ingress-canary"))
    assert "argocd-application-controller" in {entry["manager"] for entry in found["metadata"]["managedFields"]}
    assert stage.world.record.all("weight")[-1].actor == "argocd-application-controller"
    await stage.weight(10)
    stage.forward(600)
    assert (await stage.state())["weight"] == 10


async def test_a_slow_way_back_takes_forty_seconds_to_reach_the_traffic(make_stage: StageMaker) -> None:
    stage = await make_stage("rollback-slow")
    await stage.weight(50)
    stage.forward(60)
    assert await stage.measure("candidate_share", 30) == pytest.approx(50, abs=4)
    await stage.weight(0)
    stage.forward(35)
    assert await stage.measure("candidate_share", 10) == pytest.approx(50, abs=6)
    stage.forward(30)
    assert await stage.measure("candidate_share", 10) == 0


async def test_a_late_change_does_not_undo_a_newer_one(make_stage: StageMaker) -> None:
    stage = await make_stage("rollback-slow")
    await stage.weight(50)
    stage.forward(10)
    await stage.weight(0)
    stage.forward(5)
    await stage.weight(100)
    stage.forward(120)
    assert await stage.measure("candidate_share") == 100


async def test_a_flaky_api_fails_sometimes_and_loses_answers(make_stage: StageMaker) -> None:
    stage = await make_stage("api-flaky")
    url = stage.url("configmaps")
    outcomes: dict[str, int] = {}
    for number in range(200):
        try:
            status, _ = await stage.call("POST", url, json={"metadata": {"name": f"c{number}"}})
            outcome = str(status)
        except ClientConnectionError:
            outcome = "lost"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert set(outcomes) == {"201", "503", "429", "lost"}
    assert outcomes["201"] > 140
    assert stage.world.record.count("create") > outcomes["201"]


async def test_the_api_goes_away_for_three_minutes(make_stage: StageMaker) -> None:
    stage = await make_stage("api-down")
    await stage.weight(10)
    stage.forward(62)
    assert (await stage.call("GET", stage.url("pods")))[0] == 200
    stage.forward(10)
    with pytest.raises(ClientConnectionError):
        await stage.call("GET", stage.url("pods"))
    stage.forward(180)
    assert (await stage.call("GET", stage.url("pods")))[0] == 200


async def test_the_scenario_can_be_switched_live(stage: Stage) -> None:
    url = f"{stage.simulator.http_url}/sim/scenario"
    status, body = await stage.call("POST", url, json={"name": "low-traffic"})
    assert (status, body) == (200, {"scenario": "low-traffic"})
    stage.forward(120)
    assert await stage.measure("requests") < 40
    assert (await stage.call("POST", url, json={"name": "no such"}))[0] == 400
    assert (await stage.state())["scenario"] == "low-traffic"


@pytest.mark.parametrize("name", sorted(SCENARIOS))
async def test_every_scenario_serves_a_whole_forward_path(make_stage: StageMaker, name: str) -> None:
    stage = await make_stage(name)
    assert stage.world.scenario.summary
    before = stage.world.history.bounds()[1]
    stage.forward(300)
    assert stage.world.history.bounds()[1] > before


async def test_two_worlds_of_one_seed_are_the_same(make_stage: StageMaker) -> None:
    values = []
    for _ in range(2):
        stage = await make_stage()
        await stage.weight(50)
        stage.forward(77)
        values.append((await stage.measure("candidate_share"), await stage.measure("error_rate")))
    assert values[0] == values[1]
