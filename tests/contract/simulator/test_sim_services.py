"""The other services: sinks, mail, registry, the application, Prometheus, the simulator's own door."""

from __future__ import annotations

import smtplib
from asyncio import to_thread
from email.message import EmailMessage

import pytest
from aiohttp import ClientConnectionError

from .conftest import Stage, StageMaker

BEARER = {"Authorization": "Bearer secret"}


async def test_slack_takes_messages_and_keeps_them(stage: Stage) -> None:
    url = stage.simulator.addresses()["slack"]
    async with stage.session.post(url, json={"text": "Deployment started"}) as response:
        assert (response.status, await response.text()) == (200, "ok")
    async with stage.session.post(url, json={}) as response:
        assert response.status == 400
    (effect,) = stage.world.record.all("slack")
    assert effect.detail["text"] == "Deployment started"
    assert (await stage.state())["messages"]["slack"] == 1


async def test_cloudflare_purges_with_a_token_only(stage: Stage) -> None:
    url = f"{stage.simulator.addresses()['cloudflare']}/zones/zone1/purge_cache"
    status, body = await stage.call("POST", url, json={"purge_everything": True}, headers=BEARER)
    assert status == 200
    assert body["success"] is True
    assert len(body["result"]["id"]) == 32
    status, again = await stage.call("POST", url, json={"purge_everything": True}, headers=BEARER)
    assert again["result"]["id"] != body["result"]["id"]
    status, body = await stage.call("POST", url, json={"purge_everything": True}, headers={"Authorization": ""})
    assert (status, body["success"]) == (403, False)
    assert body["errors"][0]["code"] == 9109
    status, body = await stage.call("POST", url, json={}, headers=BEARER)
    assert (status, body["success"]) == (400, False)
    assert (await stage.state())["purges"] == 2


async def test_statuspage_opens_and_updates_incidents(stage: Stage) -> None:
    url = f"{stage.simulator.addresses()['statuspage']}/pages/p1/incidents"
    status, made = await stage.call("POST", url, json={"incident": {"name": "Deployment"}}, headers=BEARER)
    assert status == 201
    change = {"incident": {"status": "resolved"}}
    status, changed = await stage.call("PATCH", f"{url}/{made['id']}", json=change, headers=BEARER)
    assert (status, changed["name"], changed["status"]) == (200, "Deployment", "resolved")
    assert (await stage.call("PATCH", f"{url}/none", json=change, headers=BEARER))[0] == 404
    assert (await stage.call("POST", url, json={"incident": {}}, headers=BEARER))[0] == 422
    assert [effect.detail["action"] for effect in stage.world.record.all("incident")] == ["open", "update"]


async def test_dashboards_and_the_error_tracker_take_their_notes(stage: Stage) -> None:
    http = stage.simulator.http_url
    note = {"text": "10 %", "tags": ["deploy"], "time": 1}
    assert (await stage.call("POST", f"{http}/grafana/api/annotations", json=note, headers=BEARER))[0] == 200
    headers = {"DD-API-KEY": "key"}
    event = {"title": "Deployment", "text": "10 %"}
    assert (await stage.call("POST", f"{http}/datadog/api/v1/events", json=event, headers=headers))[0] == 202
    assert (await stage.call("POST", f"{http}/datadog/api/v1/events", json=event))[0] == 403
    release = {"version": "1.0.0", "projects": ["web"]}
    url = f"{http}/sentry/api/0/organizations/moshimoshi/releases/"
    assert (await stage.call("POST", url, json=release, headers=BEARER))[0] == 201
    assert (await stage.call("POST", f"{url}1.0.0/deploys/", json={"environment": "production"}, headers=BEARER))[
        0
    ] == 201
    counts = (await stage.state())["messages"]
    assert (counts["annotations"], counts["datadog"], counts["sentry"]) == (1, 1, 2)


async def test_mail_arrives(stage: Stage) -> None:
    message = EmailMessage()
    message["Subject"] = "Déployment scheduled"
    message["From"], message["To"] = "a@moshimoshi.app", "deployment@moshimoshi.app"
    message.set_content("No expected downtime")

    def send() -> None:
        with smtplib.SMTP(*stage.simulator.smtp_address, timeout=5) as client:
            client.send_message(message)

    await to_thread(send)
    (effect,) = stage.world.record.all("mail")
    assert effect.detail["subject"] == "Déployment scheduled"
    assert effect.target == "deployment@moshimoshi.app"
    assert "No expected downtime" in effect.detail["body"]


async def test_the_registry_knows_the_images_of_the_world(stage: Stage) -> None:
    base = f"{stage.simulator.http_url}/v2/"
    async with stage.session.get(base) as response:
        assert response.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    url = f"{base}moshimoshi-prod/moshimoshi/manifests/"
    async with stage.session.head(f"{url}1.0.0") as response:
        assert response.status == 200
        digest = response.headers["Docker-Content-Digest"]
    async with stage.session.get(f"{url}{digest}") as response:
        assert response.status == 200
    status, body = await stage.call("GET", f"{url}9.9.9")
    assert (status, body["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


async def test_the_application_answers_its_health_checks(stage: Stage) -> None:
    app = stage.simulator.addresses()["app"]
    proxy = stage.url("services", "moshimoshi-blue:80/proxy")
    for root in (f"{app}/blue", proxy):
        assert (await stage.get(f"{root}/health"))["status"] == "ok"
        assert (await stage.get(f"{root}/version"))["version"] == "0.9.4"
        assert (await stage.get(f"{root}/health/database"))["database"] == "ok"
        assert (await stage.get(f"{root}/health/redis"))["redis"] == "ok"
        assert (await stage.call("GET", f"{root}/ready"))[0] == 200
        assert (await stage.call("GET", f"{root}/nowhere"))[0] == 404
    await stage.deploy("gcr.io/moshimoshi-prod/moshimoshi:1.0.0")
    stage.forward(200)
    assert (await stage.get(f"{app}/blue/version"))["version"] == "1.0.0"
    assert (await stage.get(f"{app}/active/version"))["version"] == "0.9.4"


async def test_a_track_without_ready_pods_is_unavailable(stage: Stage) -> None:
    await stage.patch(stage.url("deployments", "moshimoshi-blue"), {"spec": {"replicas": 0}})
    stage.forward(10)
    assert (await stage.call("GET", f"{stage.simulator.addresses()['app']}/blue/health"))[0] == 503
    status, body = await stage.call("GET", stage.url("services", "moshimoshi-blue:80/proxy/health"))
    assert (status, body["reason"]) == (503, "ServiceUnavailable")


async def test_prometheus_answers_in_its_own_shapes(stage: Stage) -> None:
    url = f"{stage.simulator.prometheus_url}/api/v1/query"
    query = next(item.query for item in stage.simulator.spec.metrics if item.signal == "error_rate")
    spaced = query.replace("${window}", "5m").replace("sum(", "sum(\n  ")
    now = stage.clock.timestamp()
    for answer in (
        await stage.get(url, params={"query": spaced}),
        (await stage.call("POST", url, data={"query": spaced}))[1],
    ):
        assert answer["data"]["resultType"] == "vector"
        (sample,) = answer["data"]["result"]
        assert sample["metric"] == {}
        assert sample["value"][0] == pytest.approx(now, abs=1)
        assert isinstance(sample["value"][1], str)
    assert (await stage.get(url, params={"query": "unknown_metric"}))["data"]["result"] == []
    assert (await stage.get(url, params={"query": "vector(1)"}))["data"]["result"][0]["value"][1] == "1"
    late = {"query": spaced, "time": str(now + 86400)}
    assert (await stage.get(url, params=late))["data"]["result"] == []
    status, body = await stage.call("GET", url)
    assert (status, body["status"], body["errorType"]) == (400, "error", "bad_data")


async def test_prometheus_answers_ranges_alerts_and_readiness(stage: Stage) -> None:
    base, now = stage.simulator.prometheus_url, stage.clock.timestamp()
    query = next(item.query for item in stage.simulator.spec.metrics if item.signal == "requests")
    params = {"query": query.replace("${window}", "60s"), "start": str(now - 300), "end": str(now), "step": "60s"}
    answer = await stage.get(f"{base}/api/v1/query_range", params=params)
    assert answer["data"]["resultType"] == "matrix"
    assert len(answer["data"]["result"][0]["values"]) == 6
    assert (await stage.get(f"{base}/api/v1/alerts"))["data"]["alerts"] == []
    async with stage.session.get(f"{base}/-/ready") as response:
        assert response.status == 200


async def test_the_metrics_page_tells_the_same_truth(stage: Stage) -> None:
    def total(text: str, part: str) -> float:
        lines = [line for line in text.splitlines() if line.startswith("nginx_ingress_controller_requests{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if part in line)

    async def page() -> str:
        async with stage.session.get(f"{stage.simulator.http_url}/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            return await response.text()

    await stage.weight(50)
    stage.forward(10)
    before = await page()
    stage.forward(60)
    after = await page()
    everything = total(after, "") - total(before, "")
    canary = total(after, 'service="moshimoshi-blue"') - total(before, 'service="moshimoshi-blue"')
    assert everything == pytest.approx(await stage.measure("requests"), abs=8)
    assert 100 * canary / everything == pytest.approx(await stage.measure("candidate_share"), abs=0.5)
    for name in (
        "nginx_ingress_controller_request_duration_seconds_bucket", "kube_pod_container_status_restarts_total",
        "container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "kube_pod_container_resource_limits",
    ):  # fmt: skip
        assert f"\n{name}{{" in after


async def test_the_record_numbers_every_effect(stage: Stage) -> None:
    await stage.weight(10)
    stage.forward(30)
    await stage.weight(50)
    found = await stage.get(f"{stage.simulator.http_url}/sim/record")
    assert [(item["seq"], item["kind"], item["detail"]["after"]) for item in found] == [
        (1, "weight", "10"),
        (2, "weight", "50"),
    ]
    assert found[1]["at"] == "2026-11-26T08:00:30+00:00"
    assert found[0]["detail"]["agent"].startswith("Python/")


@pytest.mark.parametrize(("scenario", "surface"), [("cdn-down", "cloudflare"), ("slack-down", "slack")])
async def test_services_that_are_down_record_nothing(make_stage: StageMaker, scenario: str, surface: str) -> None:
    stage = await make_stage(scenario)
    addresses = stage.simulator.addresses()
    url = addresses["slack"] if surface == "slack" else f"{addresses['cloudflare']}/zones/z/purge_cache"
    for _ in range(10):
        try:
            async with stage.session.post(url, json={"text": "x", "purge_everything": True}, headers=BEARER) as answer:
                assert answer.status == 503
        except ClientConnectionError:
            assert surface == "slack"
    assert stage.world.record.all() == []


async def test_faults_can_be_set_and_cleared(stage: Stage) -> None:
    door = f"{stage.simulator.http_url}/sim/fault"
    fault = {"surface": "kube", "mode": "error", "status": 500, "lasts": 60}
    assert (await stage.call("POST", door, json=fault))[0] == 200
    status, body = await stage.call("GET", stage.url("pods"))
    assert (status, body["reason"]) == (500, "InternalError")
    stage.forward(61)
    assert (await stage.call("GET", stage.url("pods")))[0] == 200
    await stage.call("POST", door, json={"surface": "kube", "mode": "close"})
    with pytest.raises(ClientConnectionError):
        await stage.call("GET", stage.url("pods"))
    await stage.call("DELETE", door)
    assert (await stage.call("GET", stage.url("pods")))[0] == 200
    assert (await stage.call("POST", door, json={"surface": "moon"}))[0] == 400
