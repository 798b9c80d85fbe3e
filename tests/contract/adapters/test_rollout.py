"""Why a rollout does not get on: by the real scheduler, quota and controllers, and by the simulator's kubelet.

The hollow kubelets of the throwaway control plane run no containers. What a kubelet says of a container is therefore
written to the status of pods on a node that does not exist, so that nobody writes over it.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.model.cluster import RolloutProblem

from .faulty import FaultyServer, answer
from .stage import Stage, until

Problems = tuple[RolloutProblem, ...]
real = pytest.mark.parametrize(
    "world", [pytest.param("real", marks=(pytest.mark.kube, pytest.mark.xdist_group("kube")))], indirect=True
)
simulated = pytest.mark.parametrize("world", ["simulator"], indirect=True)


async def change(stage: Stage, patch: dict[str, Any], name: str = "web-green") -> None:
    await stage.write_as("a-test", stage.at("apps", "deployments", name), patch)


def template(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


async def problems(stage: Stage, count: int = 1) -> Problems:
    """So many problems, waited for."""
    return await until(partial(stage.workloads.rollout_problems, "web-green"), lambda seen: len(seen) >= count)


async def ghosts(stage: Stage, number: int) -> list[str]:
    """The names of so many new pods of green on a node that does not exist."""
    spec = {**template(nodeName="nowhere")["spec"], "replicas": number, "strategy": {"rollingUpdate": {"maxSurge": 9}}}
    await change(stage, {"spec": spec})

    async def look() -> list[str]:
        pods = await stage.client.all_of(stage.at("", "pods"), {"labelSelector": "version=green"})
        return [pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName") == "nowhere"]

    return await until(look, lambda names: len(names) == number)


async def write_status(stage: Stage, name: str, **container: Any) -> None:
    """Write a pod's status as its kubelet would."""
    state = {"name": "web", "image": "web:1.0.0", "imageID": "", "ready": False, "restartCount": 0, **container}
    reply = await stage.client.once(
        "PATCH",
        Request("patch", stage.at("", "pods").named(name, "status")),
        {"fieldManager": "kubelet"},
        body={"status": {"containerStatuses": [state]}},
        content="application/merge-patch+json",
    )
    assert reply.status == 200, reply.body


async def write_event(stage: Stage, kind: str, name: str, reason: str, message: str, at: str) -> None:
    about = {"kind": kind, "name": name, "namespace": stage.namespace}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason.lower()}.{at[-3:-1]}", "namespace": stage.namespace},
        "involvedObject": about,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    await stage.client.create(stage.at("", "events"), event)


async def test_a_rollout_that_gets_on_has_no_problems(staffed: Stage) -> None:
    seen = await until(partial(staffed.workloads.deployment, "web-green"), lambda state: state.rolled_out)
    assert not seen.paused
    assert await staffed.workloads.rollout_problems("web-green") == ()

    await staffed.workloads.set_image(seen, "web:2.0.0")

    await until(partial(staffed.workloads.deployment, "web-green"), lambda state: state.rolled_out)
    assert await staffed.workloads.rollout_problems("web-green") == ()


async def test_a_paused_deployment_says_so(stage: Stage) -> None:
    await change(stage, {"spec": {"paused": True}})

    assert (await stage.workloads.deployment("web-green")).paused
    (problem,) = await stage.workloads.rollout_problems("web-green")
    assert (problem.reason, problem.patience) == ("DeploymentPaused", 0.0)
    assert "kubectl rollout resume deployment/web-green" in problem.hint


@real
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"nodeSelector": {"disk": "none-such"}}, "node(s) didn't match"),
        ({"containers": [{"name": "web", "resources": {"requests": {"cpu": "900"}}}]}, "Insufficient cpu"),
    ],
)
async def test_the_scheduler_speaks_for_itself(staffed: Stage, spec: dict[str, Any], words: str) -> None:
    if "containers" in spec:
        spec["containers"][0] |= {"image": "web:2.0.0", "ports": [{"containerPort": 8080}]}
    await change(staffed, template(**spec))

    (problem,) = await problems(staffed)

    assert (problem.reason, problem.patience, problem.pods) == ("Unschedulable", None, 1)
    assert ": cannot be scheduled: 0/" in problem.text
    assert words in problem.text


@real
async def test_a_quota_speaks_for_itself(staffed: Stage) -> None:
    await until(partial(staffed.workloads.deployment, "web-green"), lambda state: state.rolled_out)
    await until(partial(staffed.workloads.deployment, "web-blue"), lambda state: state.rolled_out)
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "6"}}}
    await staffed.client.create(staffed.at("", "resourcequotas"), quota)
    where = staffed.at("", "resourcequotas", "few")
    await until(partial(staffed.client.get, where), lambda seen: seen.get("status", {}).get("used") == {"pods": "6"})
    await staffed.workloads.set_image(await staffed.workloads.deployment("web-green"), "web:2.0.0")
    # An Event may come before the condition: it tells the reason, and not yet how long to wait.
    await until(partial(staffed.workloads.deployment, "web-green"), lambda state: bool(state.problem))

    (problem,) = await problems(staffed)

    assert (problem.reason, problem.patience) == ("FailedCreate", 30.0)
    assert "exceeded quota: few, requested: pods=1, used: pods=6, limited: pods=6" in problem.text
    assert "ResourceQuota" in problem.hint
    assert "exceeded quota" in (await staffed.workloads.deployment("web-green")).problem


@real
async def test_kubernetes_own_deadline_comes_with_its_cause(staffed: Stage) -> None:
    spec = {**template(nodeSelector={"disk": "none-such"})["spec"], "progressDeadlineSeconds": 1}
    await change(staffed, {"spec": spec})

    seen = await problems(staffed, 2)

    assert [problem.reason for problem in seen] == ["ProgressDeadlineExceeded", "Unschedulable"]
    assert "timed out progressing" in seen[0].text


@real
async def test_a_crash_is_told_with_its_exit_code(stage: Stage) -> None:
    for name in await ghosts(stage, 3):
        ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "heap is full"}}
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
        await write_status(stage, name, state=waiting, lastState=ended, restartCount=4)

    (problem,) = await problems(stage)

    assert (problem.reason, problem.patience, problem.pods) == ("CrashLoopBackOff", 0.0, 3)
    assert "and 2 more: container web ends again and again: exit code 137 (OOMKilled) after 4 restarts" in problem.text
    assert problem.text.endswith("; heap is full")
    assert "more memory" in problem.hint
    assert f"`kubectl -n {stage.namespace} logs web-green-" in problem.hint


@real
async def test_pulls_and_configuration_are_told_in_the_kubelets_words(stage: Stage) -> None:
    one, two, three = await ghosts(stage, 3)
    echo = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "web:9"'}}
    await write_status(stage, one, state=echo)
    await write_event(stage, "Pod", one, "Failed", 'Failed to pull image "web:9": unauthorized', "2026-11-26T08:00:01Z")
    await write_event(stage, "Pod", one, "Failed", "Error: ImagePullBackOff", "2026-11-26T08:00:02Z")
    missing = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}}
    await write_status(stage, two, state=missing)
    await write_status(stage, three, state={"running": {}}, started=True)
    probe = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    await write_event(stage, "Pod", three, "Unhealthy", probe, "2026-11-26T08:00:03Z")

    seen = await problems(stage, 3)

    assert [(problem.reason, problem.patience) for problem in seen] == [
        ("ImagePullBackOff", 0.0),
        ("CreateContainerConfigError", 30.0),
        ("Unhealthy", None),
    ]
    assert seen[0].text == f'pod {one}: container web: ImagePullBackOff: Failed to pull image "web:9": unauthorized'
    assert 'secret "db" not found' in seen[1].text
    assert seen[2].text == f"pod {three}: is not ready: {probe}"


@real
async def test_pods_of_the_version_before_do_not_speak(stage: Stage) -> None:
    for name in await ghosts(stage, 1):
        await write_status(stage, name, state={"waiting": {"reason": "InvalidImageName"}})
    assert len(await problems(stage)) == 1

    await change(stage, template(nodeName="elsewhere"))

    await until(partial(stage.workloads.rollout_problems, "web-green"), lambda seen: seen == ())


@pytest.mark.parametrize(
    ("message", "replicas", "words"),
    [
        ('ReplicaSet "web-1" is progressing.', 0, ["FailedCreate: admission webhook denied the request"]),
        ('ReplicaSet "web-1" is progressing.', 1, []),
        ("", 0, ["ReplicaSetCreateError: no such thing"]),
    ],
)
async def test_events_about_who_should_make_the_pods(
    faulty: FaultyServer, tmp_path: Path, message: str, replicas: int, words: list[str]
) -> None:
    """A refusal that the controllers have not written to a condition yet."""
    conditions = [{"type": "Progressing", "status": "True", "message": message}]
    deployment = {"spec": {"replicas": 1, "selector": {}}, "status": {"conditions": conditions}}
    events = {
        "ReplicaSet": {"reason": "FailedCreate", "message": "admission webhook denied the request"},
        "Deployment": {"reason": "ReplicaSetCreateError", "message": "no such thing"},
    }

    async def script(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/deployments/web"):
            return answer(200, deployment)
        if request.path.endswith("/replicasets/web-1"):
            return answer(200, {"spec": {"replicas": 1}, "status": {"replicas": replicas}})
        if request.path.endswith("/events"):
            kind = re.search(r"involvedObject\.kind=(\w+)", request.query["fieldSelector"])
            return answer(200, {"items": [events[kind[1]] if kind else None]})
        return answer(200, {"kind": "Table", "rows": []})

    faulty.script = script
    async with faulty.client(tmp_path) as client:
        seen = await KubeWorkloads(client, "a").rollout_problems("web")

    assert [problem.text for problem in seen] == words


@real
async def test_events_that_may_not_be_read_leave_the_rest(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = await ghosts(stage, 1)
    await write_status(stage, name, state={"waiting": {"reason": "ErrImagePull", "message": "web:9: not found"}})
    async with stage.as_observer() as nobody:
        asked = stage.client.get

        async def get(resource: Resource, query: Any = None) -> Any:
            return await (nobody.client.get if resource.plural == "events" else asked)(resource, query)

        monkeypatch.setattr(stage.client, "get", get)
        (problem,) = await problems(stage)

    assert problem.text == f"pod {name}: container web: ErrImagePull: web:9: not found"


@simulated
async def test_an_image_that_does_not_exist_is_told_by_its_pods(staffed: Stage) -> None:
    seen = await until(partial(staffed.workloads.deployment, "web-green"), lambda state: state.rolled_out)
    await staffed.workloads.set_image(seen, "web:absent")

    def final(found: Problems) -> bool:
        return bool(found) and "ImagePullBackOff: Failed to pull" in found[0].text

    (problem,) = await until(partial(staffed.workloads.rollout_problems, "web-green"), final)
    assert (problem.reason, problem.patience) == ("ImagePullBackOff", 0.0)
    assert "web:absent: not found" in problem.text
