"""Lists, Tables and watches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from .conftest import WEIGHT, Stage, StageMaker

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
IMAGE = "gcr.io/moshimoshi-prod/moshimoshi:1.0.0"


class Events:
    """The events of one watch, as they come."""

    def __init__(self, content: Any) -> None:
        self._content = content

    async def next(self) -> Any:
        async with asyncio.timeout(10):
            line = await self._content.readline()
        return json.loads(line) if line else None


@asynccontextmanager
async def watching(stage: Stage, url: str, accept: str = "application/json", **params: str) -> AsyncIterator[Events]:
    headers = {"Accept": accept}
    query = {"watch": "true", **params}
    async with stage.session.get(url, params=query, headers=headers) as response:
        assert response.status == 200
        yield Events(response.content)


async def version(stage: Stage, url: str) -> str:
    return (await stage.get(url))["metadata"]["resourceVersion"]


async def test_a_list_selects_by_labels_and_fields(stage: Stage) -> None:
    url = stage.url("pods")
    blue = await stage.get(url, params={"labelSelector": "app=moshimoshi,version in (blue)"})
    assert blue["kind"] == "PodList"
    assert len(blue["items"]) == 3
    others = await stage.get(url, params={"labelSelector": "version!=blue,!job-name"})
    assert len(others["items"]) == 4
    name = blue["items"][0]["metadata"]["name"]
    one = await stage.get(url, params={"fieldSelector": f"metadata.name={name},status.phase=Running"})
    assert [item["metadata"]["name"] for item in one["items"]] == [name]
    node = blue["items"][0]["spec"]["nodeName"]
    on_node = await stage.get(url, params={"fieldSelector": f"spec.nodeName={node}"})
    assert 0 < len(on_node["items"]) < 7
    status, body = await stage.call("GET", url, params={"fieldSelector": "spec.colour=red"})
    assert (status, body["reason"]) == (400, "BadRequest")


async def test_a_list_comes_in_pages(stage: Stage) -> None:
    url, names, token = stage.url("pods"), [], ""
    whole = [item["metadata"]["name"] for item in (await stage.get(url))["items"]]
    for remaining in (4, 1, None):
        page = await stage.get(url, params={"limit": "3", "continue": token})
        assert page["metadata"].get("remainingItemCount") == remaining
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
    assert (names, token) == (whole, "")


async def test_an_old_continue_token_is_gone(stage: Stage) -> None:
    page = await stage.get(stage.url("pods"), params={"limit": "2"})
    await stage.weight(10)
    await stage.call("POST", f"{stage.simulator.http_url}/sim/compact")
    token = page["metadata"]["continue"]
    status, body = await stage.call("GET", stage.url("pods"), params={"limit": "2", "continue": token})
    assert (status, body["reason"]) == (410, "Expired")


async def test_a_watch_tells_what_happens_after_its_version(stage: Stage) -> None:
    url = stage.url("ingresses")
    since = await version(stage, url)
    await stage.weight(10)
    async with watching(stage, url, resourceVersion=since) as events:
        first = await events.next()
        assert first["type"] == "MODIFIED"
        assert first["object"]["metadata"]["annotations"][WEIGHT] == "10"
        await stage.weight(20)
        second = await events.next()
        assert second["object"]["metadata"]["annotations"][WEIGHT] == "20"
        assert int(second["object"]["metadata"]["resourceVersion"]) > int(
            first["object"]["metadata"]["resourceVersion"]
        )


async def test_a_watch_without_a_version_begins_with_what_there_is(stage: Stage) -> None:
    async with watching(stage, stage.url("services")) as events:
        names = [(await events.next())["object"]["metadata"]["name"] for _ in range(4)]
    assert names == ["moshimoshi-active", "moshimoshi-blue", "moshimoshi-green", "redis"]


async def test_initial_events_end_with_a_marked_bookmark(stage: Stage) -> None:
    params = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    async with watching(stage, stage.url("services"), **params) as events:
        found = [await events.next() for _ in range(5)]
    assert [event["type"] for event in found] == ["ADDED"] * 4 + ["BOOKMARK"]
    assert found[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_version_older_than_the_history_ends_in_an_expired_error(stage: Stage) -> None:
    url = stage.url("ingresses")
    since = await version(stage, url)
    await stage.weight(10)
    await stage.call("POST", f"{stage.simulator.http_url}/sim/compact")
    async with watching(stage, url, resourceVersion=since) as events:
        event = await events.next()
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert await events.next() is None


async def test_a_watch_ends_at_its_timeout(stage: Stage) -> None:
    since = await version(stage, stage.url("pods"))
    params = {"resourceVersion": since, "timeoutSeconds": "1"}
    async with watching(stage, stage.url("pods"), **params) as events:
        assert await events.next() is None


async def test_objects_enter_and_leave_a_selection(stage: Stage) -> None:
    url = stage.url("pods")
    since = await version(stage, url)
    params = {"resourceVersion": since, "labelSelector": "quarantine=yes"}
    async with watching(stage, url, **params) as events:
        name = (await stage.get(url))["items"][0]["metadata"]["name"]
        for value in ("yes", "no"):
            await stage.patch(stage.url("pods", name), {"metadata": {"labels": {"quarantine": value}}})
        assert [(await events.next())["type"] for _ in range(2)] == ["ADDED", "DELETED"]


async def test_tables_have_the_columns_that_kubectl_shows(stage: Stage) -> None:
    wanted = {
        "pods": ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"],
        "deployments": ["Name", "Ready", "Up-to-date", "Available", "Age", "Containers", "Images", "Selector"],
        "services": ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"],
        "ingresses": ["Name", "Class", "Hosts", "Address", "Ports", "Age"],
        "replicasets": ["Name", "Desired", "Current", "Ready", "Age", "Containers", "Images", "Selector"],
    }
    for plural, names in wanted.items():
        table = await stage.get(stage.url(plural), headers={"Accept": TABLE})
        assert table["kind"] == "Table"
        assert [column["name"] for column in table["columnDefinitions"]] == names
        assert all(len(row["cells"]) == len(names) for row in table["rows"])


async def test_a_table_includes_what_is_asked(stage: Stage) -> None:
    kinds = {}
    for include in ("None", "Metadata", "Object"):
        params = {"includeObject": include, "labelSelector": "version=blue"}
        table = await stage.get(stage.url("pods"), headers={"Accept": TABLE}, params=params)
        assert table["rows"][0]["cells"][1:5] == ["1/1", "Running", "0", "3d"]
        shown = table["rows"][0]["object"]
        kinds[include] = shown and shown["kind"]
    assert kinds == {"None": None, "Metadata": "PartialObjectMetadata", "Object": "Pod"}


async def test_a_table_watch_gives_its_columns_once(stage: Stage) -> None:
    url = stage.url("pods")
    params = {"resourceVersion": await version(stage, url), "includeObject": "None"}
    async with watching(stage, url, TABLE, **params) as events:
        await stage.deploy(IMAGE)
        stage.forward(1)
        first, second = await events.next(), await events.next()
    assert first["object"]["kind"] == second["object"]["kind"] == "Table"
    assert first["object"]["columnDefinitions"] is not None
    assert second["object"]["columnDefinitions"] is None
    (row,) = first["object"]["rows"]
    assert row["cells"][1:3] == ["0/1", "Pending"]
    assert first["object"]["metadata"]["resourceVersion"].isdigit()


async def test_partial_metadata_can_be_asked_for(stage: Stage) -> None:
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    found = await stage.get(stage.url("pods"), headers={"Accept": accept})
    assert found["kind"] == "PartialObjectMetadataList"
    assert set(found["items"][0]) == {"kind", "apiVersion", "metadata"}


async def test_an_unknown_form_is_not_acceptable(stage: Stage) -> None:
    accept = "application/vnd.kubernetes.protobuf"
    status, body = await stage.call("GET", stage.url("pods"), headers={"Accept": accept})
    assert (status, body["reason"]) == (406, "NotAcceptable")


async def test_discovery_names_every_group(stage: Stage) -> None:
    root = stage.simulator.kube_url
    groups = {group["name"] for group in (await stage.get(f"{root}/apis"))["groups"]}
    assert groups == {
        "apps", "batch", "networking.k8s.io", "gateway.networking.k8s.io", "coordination.k8s.io",
        "discovery.k8s.io", "authorization.k8s.io", "authentication.k8s.io", "events.k8s.io",
    }  # fmt: skip
    core = await stage.get(f"{root}/api/v1")
    assert {"pods", "pods/log", "pods/exec", "services", "events"} <= {item["name"] for item in core["resources"]}
    assert (await stage.get(f"{root}/version"))["major"] == "1"
    assert (await stage.call("GET", f"{root}/apis/none/v1"))[0] == 404


async def test_both_event_groups_show_the_same_events(stage: Stage) -> None:
    await stage.deploy(IMAGE)
    stage.forward(10)
    core = (await stage.get(stage.url("events")))["items"]
    newer = (await stage.get(stage.url("events", group="events.k8s.io/v1")))["items"]
    assert {item["reason"] for item in core} >= {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Started"}
    assert [item["note"] for item in newer] == [item["message"] for item in core]


@pytest.mark.parametrize(("scenario", "seconds"), [("api-down", 70), ("api-flaky", 91)])
async def test_watches_break_off_when_the_api_does(make_stage: StageMaker, scenario: str, seconds: float) -> None:
    stage = await make_stage("healthy")
    since = await version(stage, stage.url("pods"))
    await stage.call("POST", f"{stage.simulator.http_url}/sim/scenario", json={"name": scenario})
    stage.world.faults.first_traffic = stage.clock.timestamp()
    async with stage.session.get(stage.url("pods"), params={"watch": "1", "resourceVersion": since}) as response:
        stage.forward(seconds)
        async with asyncio.timeout(10):
            assert await response.content.read() == b""
