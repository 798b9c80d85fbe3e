"""Writes: every patch type, conflicts, dry run, managed fields."""

from __future__ import annotations

import pytest

from .conftest import CANARY, JSON_PATCH, MERGE, STRATEGIC, WEIGHT, Stage

POINTER = "/metadata/annotations/" + WEIGHT.replace("/", "~1")


def canary(stage: Stage) -> str:
    return stage.url("ingresses", "moshimoshi-ingress-canary")


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
async def test_merge_patches_set_one_annotation_and_keep_the_others(stage: Stage, kind: str) -> None:
    status, body = await stage.patch(canary(stage), {"metadata": {"annotations": {WEIGHT: "10"}}}, kind)
    assert status == 200
    assert body["metadata"]["annotations"] == {CANARY: "true", WEIGHT: "10"}


async def test_a_merge_patch_with_null_takes_a_key_away(stage: Stage) -> None:
    status, body = await stage.patch(canary(stage), {"metadata": {"annotations": {WEIGHT: None}}})
    assert status == 200
    assert body["metadata"]["annotations"] == {CANARY: "true"}


async def test_a_json_patch_whose_tests_hold_is_applied(stage: Stage) -> None:
    operations = [
        {"op": "test", "path": POINTER, "value": "0"},
        {"op": "add", "path": "/metadata/annotations/cockpit~1epoch", "value": "1"},
        {"op": "replace", "path": POINTER, "value": "50"},
        {"op": "copy", "from": POINTER, "path": "/metadata/annotations/copied"},
        {"op": "move", "from": "/metadata/annotations/copied", "path": "/metadata/annotations/moved"},
        {"op": "remove", "path": "/metadata/annotations/moved"},
    ]
    status, body = await stage.patch(canary(stage), operations, JSON_PATCH)
    assert status == 200
    assert body["metadata"]["annotations"] == {CANARY: "true", WEIGHT: "50", "cockpit/epoch": "1"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": POINTER, "value": "99"},
        {"op": "test", "path": "/metadata/annotations/absent", "value": "1"},
        {"op": "replace", "path": "/metadata/annotations/absent", "value": "1"},
        {"op": "remove", "path": "/spec/rules/7"},
        {"op": "remove", "path": POINTER + "/deeper"},
        {"op": "add", "path": "/spec/rules/9", "value": {}},
        {"op": "shuffle", "path": "/spec"},
    ],
)
async def test_a_json_patch_that_fails_answers_422_and_changes_nothing(stage: Stage, operation: dict[str, str]) -> None:
    before = await stage.get(canary(stage))
    first = {"op": "replace", "path": POINTER, "value": "77"}
    status, body = await stage.patch(canary(stage), [first, operation], JSON_PATCH)
    assert (status, body["kind"], body["reason"], body["code"]) == (422, "Status", "Invalid", 422)
    assert body["message"] == "the server rejected our request due to an error in our request"
    assert await stage.get(canary(stage)) == before


async def test_an_apply_patch_is_an_unsupported_media_type(stage: Stage) -> None:
    status, body = await stage.patch(canary(stage), {}, "application/apply-patch+yaml")
    assert (status, body["reason"]) == (415, "UnsupportedMediaType")


async def test_a_malformed_patch_is_a_bad_request(stage: Stage) -> None:
    headers = {"Content-Type": MERGE}
    status, body = await stage.call("PATCH", canary(stage), data=b"{", headers=headers)
    assert (status, body["reason"]) == (400, "BadRequest")


async def test_a_strategic_patch_merges_containers_and_env_by_name(stage: Stage) -> None:
    container = {"name": "web", "image": "x:1", "env": [{"name": "EXTRA", "value": "1"}]}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    status, after = await stage.patch(stage.url("deployments", "moshimoshi-blue"), body, STRATEGIC)
    assert status == 200
    (web,) = after["spec"]["template"]["spec"]["containers"]
    assert web["image"] == "x:1"
    assert [item["name"] for item in web["env"]] == ["NODE_ENV", "EXTRA"]
    assert web["resources"]["limits"]["cpu"] == "500m"
    assert after["metadata"]["generation"] == 2


async def test_a_strategic_patch_can_delete_a_container_by_directive(stage: Stage) -> None:
    url = stage.url("deployments", "redis")
    add = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "busybox:1.36"}]}}}}
    _, with_side = await stage.patch(url, add, STRATEGIC)
    assert len(with_side["spec"]["template"]["spec"]["containers"]) == 2
    drop = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    _, without = await stage.patch(url, drop, STRATEGIC)
    assert [item["name"] for item in without["spec"]["template"]["spec"]["containers"]] == ["redis"]


async def test_a_selector_patch_merges_and_the_switch_is_recorded(stage: Stage) -> None:
    url = stage.url("services", "moshimoshi-active")
    status, body = await stage.patch(url, {"spec": {"selector": {"version": "blue"}}}, STRATEGIC)
    assert status == 200
    assert body["spec"]["selector"] == {"app": "moshimoshi", "version": "blue"}
    assert (await stage.state())["active"] == "blue"
    (effect,) = stage.world.record.all("selector")
    assert effect.detail["before"]["version"] == "green"
    assert effect.actor == "commander@simulator"


async def test_an_old_resource_version_conflicts_in_put_and_merge_patch(stage: Stage) -> None:
    old = await stage.get(canary(stage))
    await stage.weight(10)
    status, body = await stage.call("PUT", canary(stage), json=old)
    assert (status, body["reason"]) == (409, "Conflict")
    stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"], "annotations": {WEIGHT: "20"}}}
    status, body = await stage.patch(canary(stage), stale)
    assert (status, body["reason"]) == (409, "Conflict")
    assert (await stage.state())["weight"] == 10


async def test_a_put_with_the_present_version_is_stored(stage: Stage) -> None:
    current = await stage.get(canary(stage))
    current["metadata"]["annotations"][WEIGHT] = "30"
    status, body = await stage.call("PUT", canary(stage), json=current)
    assert status == 200
    assert int(body["metadata"]["resourceVersion"]) > int(current["metadata"]["resourceVersion"])
    assert (await stage.state())["weight"] == 30


async def test_a_write_that_changes_nothing_makes_no_new_version(stage: Stage) -> None:
    before = await stage.get(canary(stage))
    status, after = await stage.patch(canary(stage), {"metadata": {"annotations": {WEIGHT: "0"}}})
    assert status == 200
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_dry_run_is_checked_and_returned_but_not_stored(stage: Stage) -> None:
    params = {"dryRun": "All"}
    body = {"metadata": {"annotations": {WEIGHT: "50"}}}
    status, shown = await stage.patch(canary(stage), body, params=params)
    assert (status, shown["metadata"]["annotations"][WEIGHT]) == (200, "50")
    failing = [{"op": "test", "path": POINTER, "value": "1"}]
    assert (await stage.patch(canary(stage), failing, JSON_PATCH, params=params))[0] == 422
    made = {"metadata": {"name": "dry"}, "data": {"a": "1"}}
    assert (await stage.call("POST", stage.url("configmaps"), json=made, params=params))[0] == 201
    assert (await stage.call("GET", stage.url("configmaps", "dry")))[0] == 404
    assert (await stage.call("DELETE", canary(stage), params=params))[0] == 200
    assert (await stage.state())["weight"] == 0
    assert stage.world.record.all() == []


async def test_managed_fields_name_who_set_what(stage: Stage) -> None:
    body = {"metadata": {"annotations": {WEIGHT: "10"}}}
    await stage.patch(canary(stage), body, params={"fieldManager": "first"})
    body = {"metadata": {"annotations": {WEIGHT: "20", "note": "x"}}}
    _, after = await stage.patch(canary(stage), body, params={"fieldManager": "second"})
    fields = {entry["manager"]: entry["fieldsV1"] for entry in after["metadata"]["managedFields"]}
    assert list(fields) == ["second"]
    assert set(fields["second"]["f:metadata"]["f:annotations"]) == {f"f:{WEIGHT}", "f:note"}
    entry = after["metadata"]["managedFields"][0]
    assert (entry["operation"], entry["fieldsType"]) == ("Update", "FieldsV1")


async def test_the_field_manager_is_the_agent_where_none_is_named(stage: Stage) -> None:
    headers = {"User-Agent": "helm/3.16", "Content-Type": MERGE}
    url = stage.url("deployments", "moshimoshi-blue")
    _, after = await stage.call("PATCH", url, json={"spec": {"replicas": 4}}, headers=headers)
    entry = after["metadata"]["managedFields"][-1]
    assert entry["manager"] == "helm"
    assert entry["fieldsV1"] == {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize(
    ("plural", "name", "body"),
    [
        ("deployments", "moshimoshi-blue", {"spec": {"replicas": -1}}),
        ("deployments", "moshimoshi-blue", {"spec": {"selector": {"matchLabels": {"version": "x"}}}}),
        ("services", "moshimoshi-active", {"spec": {"selector": {"version": 3}}}),
        ("ingresses", "moshimoshi-ingress-canary", {"metadata": {"annotations": {WEIGHT: 10}}}),
        ("ingresses", "moshimoshi-ingress-canary", {"metadata": {"name": "other"}}),
    ],
)
async def test_invalid_objects_are_refused_with_422(stage: Stage, plural: str, name: str, body: object) -> None:
    status, answer = await stage.patch(stage.url(plural, name), body)
    assert (status, answer["reason"]) == (422, "Invalid")
    assert answer["details"]["causes"][0]["field"]


async def test_patching_what_is_not_there_is_404(stage: Stage) -> None:
    status, body = await stage.patch(stage.url("services", "absent"), {})
    assert (status, body["message"]) == (404, 'services "absent" not found')
