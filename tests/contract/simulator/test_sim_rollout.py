"""Deployments, pods, jobs: the controllers at work."""

from __future__ import annotations

from typing import Any

from cockpit.simulator.world.jobs import FAIL, job_from

from .conftest import STRATEGIC, Stage, StageMaker

NEW = "gcr.io/moshimoshi-prod/moshimoshi:1.0.0"
UNKNOWN = "gcr.io/moshimoshi-prod/moshimoshi:9.9.9"


async def blue(stage: Stage) -> Any:
    return await stage.get(stage.url("deployments", "moshimoshi-blue"))


async def pods(stage: Stage, image: str = "") -> list[Any]:
    found = (await stage.get(stage.url("pods"), params={"labelSelector": "version=blue"}))["items"]
    return [pod for pod in found if not image or pod["spec"]["containers"][0]["image"] == image]


def condition(deployment: Any, kind: str) -> tuple[str, str]:
    found = next(item for item in deployment["status"]["conditions"] if item["type"] == kind)
    return found["status"], found["reason"]


def waiting(pod: Any) -> str:
    return pod["status"]["containerStatuses"][0]["state"].get("waiting", {}).get("reason", "")


async def test_a_new_image_rolls_out_without_a_gap(stage: Stage) -> None:
    await stage.deploy(NEW)
    behind = await blue(stage)
    assert behind["metadata"]["generation"] == 2
    assert behind["status"]["observedGeneration"] == 1
    seen = set()
    for _ in range(150):
        stage.forward(1)
        status = (await blue(stage))["status"]
        assert status["availableReplicas"] >= 3
        assert status["replicas"] <= 4
        seen.add(status.get("updatedReplicas", 0))
    done = await blue(stage)
    assert seen == {1, 2, 3}
    assert done["status"]["observedGeneration"] == 2
    counts = {key: done["status"].get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    assert counts == {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    assert condition(done, "Progressing") == ("True", "NewReplicaSetAvailable")
    assert condition(done, "Available") == ("True", "MinimumReplicasAvailable")
    assert len(await pods(stage, NEW)) == len(await pods(stage)) == 3
    sets = (await stage.get(stage.url("replicasets"), params={"labelSelector": "version=blue"}))["items"]
    assert sorted(item["spec"]["replicas"] for item in sets) == [0, 3]
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


async def test_a_pod_goes_through_its_states_in_twenty_to_forty_seconds(stage: Stage) -> None:
    await stage.deploy(NEW)
    stage.forward(0.5)
    (first,) = await pods(stage, NEW)
    states: list[tuple[str, bool]] = []
    seconds = 0.5
    while ("Running", True) not in states and seconds < 60:
        pod = await stage.get(stage.url("pods", first["metadata"]["name"]))
        statuses = pod["status"].get("containerStatuses", [])
        reason = waiting(pod) if statuses else ""
        state = reason or pod["status"]["phase"], any(status["ready"] for status in statuses)
        if state not in states:
            states.append(state)
        stage.forward(0.5)
        seconds += 0.5
    assert states == [("Pending", False), ("ContainerCreating", False), ("Running", False), ("Running", True)]
    assert 20 <= seconds <= 40


async def test_going_back_to_the_old_image_uses_the_old_replica_set(stage: Stage) -> None:
    old = (await blue(stage))["spec"]["template"]["spec"]["containers"][0]["image"]
    await stage.deploy(NEW)
    stage.forward(200)
    await stage.deploy(old)
    stage.forward(200)
    sets = (await stage.get(stage.url("replicasets"), params={"labelSelector": "version=blue"}))["items"]
    assert len(sets) == 2
    assert len(await pods(stage, old)) == 3
    assert (await blue(stage))["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


async def test_an_unknown_image_never_starts_and_the_deadline_tells(stage: Stage) -> None:
    await stage.deploy(UNKNOWN)
    reasons = set()
    for _ in range(60):
        stage.forward(1)
        reasons |= {waiting(pod) for pod in await pods(stage, UNKNOWN) if "containerStatuses" in pod["status"]}
    assert {"ErrImagePull", "ImagePullBackOff"} <= reasons
    assert condition(await blue(stage), "Progressing") == ("True", "ReplicaSetUpdated")
    stage.forward(600)
    assert condition(await blue(stage), "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert (await blue(stage))["status"]["availableReplicas"] == 3


async def test_crashing_pods_restart_more_and_more_slowly(make_stage: StageMaker) -> None:
    stage = await make_stage("crashloop")
    await stage.deploy(NEW)
    stage.forward(120)
    (pod,) = await pods(stage, NEW)
    early = pod["status"]["containerStatuses"][0]["restartCount"]
    assert early >= 2
    assert waiting(pod) == "CrashLoopBackOff"
    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1
    stage.forward(300)
    (pod,) = await pods(stage, NEW)
    assert pod["status"]["containerStatuses"][0]["restartCount"] > early
    assert await stage.measure("restarts", 600) > 2
    assert (await stage.state())["tracks"]["blue"]["ready"] == 3


async def test_slow_pods_need_six_minutes_for_the_whole_rollout(make_stage: StageMaker) -> None:
    stage = await make_stage("slow-start")
    await stage.deploy(NEW)
    stage.forward(270)
    assert (await blue(stage))["status"].get("updatedReplicas", 0) < 3 or (await blue(stage))["status"]["replicas"] > 3
    stage.forward(150)
    done = (await blue(stage))["status"]
    assert (done["updatedReplicas"], done["replicas"], done["availableReplicas"]) == (3, 3, 3)


async def test_scaling_through_the_subresource_and_the_spec(stage: Stage) -> None:
    url = stage.url("deployments", "moshimoshi-blue")
    status, scale = await stage.patch(f"{url}/scale", {"spec": {"replicas": 5}})
    assert (status, scale["kind"], scale["spec"]["replicas"]) == (200, "Scale", 5)
    stage.forward(60)
    assert (await blue(stage))["status"]["availableReplicas"] == 5
    await stage.patch(url, {"spec": {"replicas": 1}}, STRATEGIC)
    stage.forward(10)
    assert len(await pods(stage)) == 1
    assert [effect.detail["after"] for effect in stage.world.record.all("scale")] == [5, 1]


async def test_a_deleted_pod_terminates_and_is_replaced(stage: Stage) -> None:
    victim = (await pods(stage))[0]["metadata"]["name"]
    status, body = await stage.call("DELETE", stage.url("pods", victim))
    assert status == 200
    assert body["metadata"]["deletionTimestamp"]
    endpoints = await stage.get(stage.url("endpoints", "moshimoshi-blue"))
    names = [item["targetRef"]["name"] for item in endpoints["subsets"][0]["addresses"]]
    assert len(names) == 2
    assert victim not in names
    stage.forward(60)
    present = [pod["metadata"]["name"] for pod in await pods(stage)]
    assert len(present) == 3
    assert victim not in present


async def test_deleting_a_deployment_takes_what_it_owns(stage: Stage) -> None:
    await stage.call("DELETE", stage.url("deployments", "moshimoshi-blue"))
    stage.forward(10)
    assert await pods(stage) == []
    sets = await stage.get(stage.url("replicasets"), params={"labelSelector": "version=blue"})
    assert sets["items"] == []


async def test_endpoint_slices_follow_readiness(stage: Stage) -> None:
    params = {"labelSelector": "kubernetes.io/service-name=moshimoshi-active"}
    (found,) = (await stage.get(stage.url("endpointslices"), params=params))["items"]
    assert [item["conditions"]["ready"] for item in found["endpoints"]] == [True] * 3
    await stage.patch(stage.url("services", "moshimoshi-active"), {"spec": {"selector": {"version": "none"}}})
    (found,) = (await stage.get(stage.url("endpointslices"), params=params))["items"]
    assert found["endpoints"] == []


async def test_a_job_runs_to_its_condition(stage: Stage) -> None:
    for name, fails, wanted in (("good", False, "Complete"), ("bad", True, "Failed")):
        job = job_from("production", name, NEW, ["./rollback-database.sh"])
        if fails:
            job["metadata"]["annotations"] = {FAIL: "true"}
        status, _ = await stage.call("POST", stage.url("jobs"), json=job)
        assert status == 201
        stage.forward(2)
        assert (await stage.get(stage.url("jobs", name)))["status"]["active"] == 1
        stage.forward(20)
        done = await stage.get(stage.url("jobs", name))
        assert [item["type"] for item in done["status"]["conditions"]] == [wanted]
        params = {"labelSelector": f"job-name={name}"}
        (pod,) = (await stage.get(stage.url("pods"), params=params))["items"]
        assert pod["status"]["phase"] == ("Failed" if fails else "Succeeded")
