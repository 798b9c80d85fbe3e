"""Exec, logs, access, leases and config maps."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from cockpit.simulator.kube.exec import PROTOCOLS

from .conftest import NAMESPACE, Stage

STDOUT, STDERR, ERROR = 1, 2, 3


async def pod_name(stage: Stage, selector: str) -> str:
    found = await stage.get(stage.url("pods"), params={"labelSelector": selector})
    return str(found["items"][0]["metadata"]["name"])


async def run(stage: Stage, pod: str, *argv: str, protocol: str = PROTOCOLS[0]) -> tuple[dict[int, bytes], Any]:
    """What a command writes by channel, and its final status."""
    params = [("command", word) for word in argv] + [("stdout", "true"), ("stderr", "true")]
    channels: dict[int, bytes] = {}
    url = stage.url("pods", f"{pod}/exec")
    async with stage.session.ws_connect(url, params=params, protocols=(protocol,)) as socket:
        assert socket.protocol == protocol
        async for message in socket:
            assert message.type is WSMsgType.BINARY
            channels[message.data[0]] = channels.get(message.data[0], b"") + message.data[1:]
    return channels, json.loads(channels[ERROR])


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_redis_is_flushed_through_exec(stage: Stage, protocol: str) -> None:
    redis = await pod_name(stage, "app=redis")
    channels, status = await run(stage, redis, "redis-cli", "DBSIZE", protocol=protocol)
    assert int(channels[STDOUT]) > 1000
    assert status == {"metadata": {}, "status": "Success"}
    channels, _ = await run(stage, redis, "redis-cli", "FLUSHALL", "ASYNC", protocol=protocol)
    assert channels[STDOUT] == b"OK\n"
    channels, _ = await run(stage, redis, "redis-cli", "DBSIZE", protocol=protocol)
    assert channels[STDOUT] == b"0\n"
    assert (await stage.state())["redis_flushes"] == 1
    argvs = [effect.detail["argv"] for effect in stage.world.record.all("exec")]
    assert argvs[1] == ["redis-cli", "FLUSHALL", "ASYNC"]


async def test_redis_tells_its_role_and_keyspace(stage: Stage) -> None:
    redis = await pod_name(stage, "app=redis")
    assert (await run(stage, redis, "redis-cli", "PING"))[0][STDOUT] == b"PONG\n"
    assert (await run(stage, redis, "redis-cli", "ROLE"))[0][STDOUT].startswith(b"master\n")
    assert b"role:master" in (await run(stage, redis, "redis-cli", "INFO", "replication"))[0][STDOUT]
    assert b"db0:keys=" in (await run(stage, redis, "redis-cli", "INFO", "keyspace"))[0][STDOUT]


async def test_an_unknown_program_ends_with_127(stage: Stage) -> None:
    channels, status = await run(stage, await pod_name(stage, "version=blue"), "redis-cli", "PING")
    assert b"not found" in channels[STDERR]
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "127"}]


async def test_a_shell_reads_its_input(stage: Stage) -> None:
    pod = await pod_name(stage, "version=blue")
    params = [("command", "/bin/sh"), ("stdin", "true"), ("stdout", "true"), ("tty", "true")]
    seen = b""
    async with stage.session.ws_connect(stage.url("pods", f"{pod}/exec"), params=params, protocols=PROTOCOLS) as socket:
        await socket.send_bytes(b"\x00hostname\nexit 3\n")
        async for message in socket:
            if message.data[0] == ERROR:
                status = json.loads(message.data[1:])
            else:
                seen += message.data[1:]
    assert pod.encode() in seen
    assert status["details"]["causes"][0]["message"] == "3"


async def test_closing_the_input_ends_a_shell(stage: Stage) -> None:
    pod = await pod_name(stage, "version=blue")
    params = [("command", "sh"), ("stdin", "true"), ("stdout", "true")]
    async with stage.session.ws_connect(stage.url("pods", f"{pod}/exec"), params=params, protocols=PROTOCOLS) as socket:
        await socket.send_bytes(b"\x00echo one two\n")
        await socket.send_bytes(b"\xff\x00")
        received = b"".join([message.data async for message in socket])
    assert b"one two\n" in received
    assert b'"Success"' in received


async def test_exec_refuses_what_cannot_run(stage: Stage) -> None:
    for pod, params, wanted in (("absent", {"command": "true"}, 404), (await pod_name(stage, "app=redis"), {}, 400)):
        with pytest.raises(WSServerHandshakeError) as caught:
            await stage.session.ws_connect(stage.url("pods", f"{pod}/exec"), params=params, protocols=PROTOCOLS)
        assert caught.value.status == wanted


async def test_a_lost_exec_has_happened_and_gives_no_status(stage: Stage) -> None:
    redis = await pod_name(stage, "app=redis")
    fault = {"surface": "exec", "mode": "lose"}
    await stage.call("POST", f"{stage.simulator.http_url}/sim/fault", json=fault)
    params = [("command", "redis-cli"), ("command", "FLUSHALL")]
    async with stage.session.ws_connect(
        stage.url("pods", f"{redis}/exec"), params=params, protocols=PROTOCOLS
    ) as socket:
        assert [message async for message in socket] == []
    assert (await stage.state())["redis_flushes"] == 1


async def test_logs_have_a_tail_and_can_be_followed(stage: Stage) -> None:
    pod = await pod_name(stage, "version=blue")
    url = stage.url("pods", f"{pod}/log")
    async with stage.session.get(url, params={"tailLines": "3", "timestamps": "true"}) as response:
        lines = (await response.text()).splitlines()
    assert len(lines) == 3
    assert all(json.loads(line.split(" ", 1)[1])["level"] == "info" for line in lines)
    async with stage.session.get(url, params={"tailLines": "0", "follow": "true"}) as response:
        stage.forward(10)
        async with asyncio.timeout(10):
            line = json.loads(await response.content.readline())
    assert line["time"] > "2026-11-26T08:00:00Z"
    assert line["msg"] == "request"


async def test_logs_of_containers_that_have_none_are_refused(stage: Stage) -> None:
    pod = await pod_name(stage, "version=blue")
    for params in ({"previous": "true"}, {"container": "other"}):
        assert (await stage.call("GET", stage.url("pods", f"{pod}/log"), params=params))[0] == 400


async def test_a_crashed_container_has_a_previous_log(stage: Stage) -> None:
    await stage.call("POST", f"{stage.simulator.http_url}/sim/scenario", json={"name": "crashloop"})
    await stage.deploy("gcr.io/moshimoshi-prod/moshimoshi:1.0.0")
    stage.forward(60)
    found = (await stage.get(stage.url("pods"), params={"labelSelector": "version=blue"}))["items"]
    crashed = next(pod for pod in found if pod["status"]["containerStatuses"][0]["restartCount"])
    url = stage.url("pods", f"{crashed['metadata']['name']}/log")
    async with stage.session.get(url, params={"previous": "true"}) as response:
        lines = [json.loads(line) for line in (await response.text()).splitlines()]
    assert [line["level"] for line in lines] == ["info"] * (len(lines) - 1) + ["fatal"]


def review(verb: str, resource: str, subresource: str = "") -> dict[str, Any]:
    attributes = {"verb": verb, "resource": resource, "subresource": subresource, "namespace": "production"}
    return {"spec": {"resourceAttributes": attributes}}


async def test_reviews_tell_who_one_is_and_what_one_may(stage: Stage) -> None:
    root = f"{stage.simulator.kube_url}/apis"
    status, body = await stage.call("POST", f"{root}/authentication.k8s.io/v1/selfsubjectreviews", json={})
    assert (status, body["status"]["userInfo"]["username"]) == (201, "commander@simulator")
    url = f"{root}/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answers = {}
    for verb, resource in (("patch", "ingresses"), ("get", "secrets"), ("*", "*")):
        _, body = await stage.call("POST", url, json=review(verb, resource))
        answers[(verb, resource)] = body["status"]["allowed"]
    assert answers == {("patch", "ingresses"): True, ("get", "secrets"): False, ("*", "*"): False}


async def test_a_bound_role_is_everything_its_holder_may(stage: Stage) -> None:
    rules = [
        {"verbs": ["patch"], "apiGroups": [""], "resources": ["services"], "resourceNames": ["moshimoshi-active"]},
        {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["services"]},
    ]
    role = {"metadata": {"namespace": NAMESPACE}, "rules": rules}
    stage.simulator.kube.access.bind(stage.simulator.token, role)
    root = f"{stage.simulator.kube_url}/apis/authorization.k8s.io/v1"

    async def may(verb: str, resource: str, **more: str) -> bool:
        attributes = {"verb": verb, "resource": resource, "namespace": NAMESPACE, **more}
        body = {"spec": {"resourceAttributes": attributes}}
        return bool((await stage.call("POST", f"{root}/selfsubjectaccessreviews", json=body))[1]["status"]["allowed"])

    assert await may("patch", "services", name="moshimoshi-active")
    assert not await may("patch", "services", name="moshimoshi-blue")
    assert not await may("patch", "services")
    assert await may("list", "services")
    assert not await may("list", "services", namespace="default")
    assert not await may("list", "services", group="apps")
    assert not await may("get", "services", subresource="proxy", name="moshimoshi-active")
    dry = {"params": {"dryRun": "All"}}
    assert (await stage.patch(stage.url("services", "moshimoshi-active"), {}, **dry))[0] == 200
    assert (await stage.patch(stage.url("services", "moshimoshi-blue"), {}, **dry))[0] == 403
    review = {"spec": {"namespace": NAMESPACE}}
    status, body = await stage.call("POST", f"{root}/selfsubjectrulesreviews", json=review)
    assert (status, body["status"]["resourceRules"]) == (201, rules)
    assert (await stage.call("POST", f"{root}/selfsubjectrulesreviews", json={"spec": {}}))[0] == 400


async def test_an_observer_reads_and_no_more(stage: Stage) -> None:
    headers = {"Authorization": f"Bearer {stage.simulator.observer_token}"}
    async with ClientSession(headers=headers) as session:
        async with session.get(stage.url("pods")) as response:
            assert response.status == 200
        async with session.patch(stage.url("services", "moshimoshi-active"), json={}) as response:
            assert response.status == 403
            assert (await response.json())["reason"] == "Forbidden"
        async with session.get(stage.url("pods", "any/exec"), params={"command": "true"}) as response:
            assert response.status == 403
        url = f"{stage.simulator.kube_url}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        async with session.post(url, json=review("create", "pods", "exec")) as response:
            assert (await response.json())["status"]["allowed"] is False


async def test_a_wrong_token_is_unauthorized(stage: Stage) -> None:
    async with (
        ClientSession(headers={"Authorization": "Bearer wrong"}) as session,
        session.get(stage.url("pods")) as answer,
    ):
        assert answer.status == 401


async def test_rights_can_be_taken_away(stage: Stage) -> None:
    door = f"{stage.simulator.http_url}/sim/deny"
    await stage.call("POST", door, json={"verb": "patch", "resource": "ingresses"})
    status, body = await stage.patch(stage.url("ingresses", "moshimoshi-ingress"), {})
    assert status == 403
    assert 'cannot patch resource "ingresses"' in body["message"]
    await stage.call("POST", door, json={})
    assert (await stage.patch(stage.url("ingresses", "moshimoshi-ingress"), {}))[0] == 200


async def test_a_lease_can_be_taken_once(stage: Stage) -> None:
    lease = {"metadata": {"name": "cockpit"}, "spec": {"holderIdentity": "a", "leaseTransitions": 1}}
    status, made = await stage.call("POST", stage.url("leases"), json=lease)
    assert status == 201
    status, body = await stage.call("POST", stage.url("leases"), json=lease)
    assert (status, body["reason"]) == (409, "AlreadyExists")
    made["spec"]["holderIdentity"] = "b"
    assert (await stage.call("PUT", stage.url("leases", "cockpit"), json=made))[0] == 200
    made["spec"]["holderIdentity"] = "c"
    assert (await stage.call("PUT", stage.url("leases", "cockpit"), json=made))[0] == 409
    assert (await stage.get(stage.url("leases", "cockpit")))["spec"]["holderIdentity"] == "b"


async def test_config_maps_are_made_changed_and_deleted_with_preconditions(stage: Stage) -> None:
    url = stage.url("configmaps", "journal")
    body = {"metadata": {"name": "journal"}, "data": {"1": "a"}}
    _, made = await stage.call("POST", stage.url("configmaps"), json=body)
    await stage.patch(url, {"data": {"2": "b"}})
    assert (await stage.get(url))["data"] == {"1": "a", "2": "b"}
    old = {"preconditions": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    assert (await stage.call("DELETE", url, json=old))[0] == 409
    assert (await stage.call("DELETE", url, json={"preconditions": {"uid": made["metadata"]["uid"]}}))[0] == 200
    assert (await stage.call("GET", url))[0] == 404
    status, answer = await stage.call("POST", stage.url("configmaps", namespace="absent"), json=body)
    assert (status, answer["details"]["kind"]) == (404, "namespaces")
