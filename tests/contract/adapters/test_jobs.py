"""Jobs, the same against the simulator and a real API server, where nobody runs containers: its end is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.jobs import ACTION, RUN, KubeJobs, manifest
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.errors import Conflict, Denied, NotFound
from cockpit.model.cluster import JobOrder, JobState
from cockpit.simulator.world.jobs import FAIL, FORBID, SECONDS

from .faulty import FaultyServer, always, answer, status
from .stage import Stage, until

ORDER = JobOrder("undo-r1", "moshimoshi-20261126-0800", "undo", 120, "busybox:1.36", ("./undo", "--all"), "migrator")
POD = {"containers": [{"name": "db", "image": "db:1", "command": ["./down"], "args": ["42"]}]}


@pytest.fixture
def jobs(stage: Stage) -> KubeJobs:
    return stage.workloads.jobs


@pytest.fixture
def simulated(request: pytest.FixtureRequest, stage: Stage) -> bool:
    return stage.access.admin[1] == "simulator"


async def read(stage: Stage, name: str = "undo-r1") -> dict[str, Any]:
    return await stage.client.get(stage.at("batch", "jobs", name))


async def ended(
    stage: Stage, jobs: KubeJobs, simulated: bool, kind: str, reason: str = "", message: str = ""
) -> JobState:
    """The Job when it has ended; on the real server that is written, until its controller does not overwrite it."""
    condition = {"type": kind, "status": "True", "reason": reason, "message": message}
    counts = {"succeeded": 1} if kind == "Complete" else {"failed": 1}
    resource = Resource("batch", "v1", "jobs", stage.namespace, "undo-r1", "status")
    body = {"status": {"active": 0, "conditions": [condition], **counts}}

    async def look() -> JobState:
        state = await jobs.state("undo-r1")
        if not simulated and state.succeeded is None:
            request = Request("patch", resource)
            await stage.client.once("PATCH", request, None, body=body, content="application/merge-patch+json")
        return state

    return await until(look, lambda state: state.succeeded is not None)


async def test_a_simple_job_is_created_once_and_marked(stage: Stage, jobs: KubeJobs) -> None:
    assert await jobs.create(ORDER) == "busybox:1.36 ./undo --all"
    assert await jobs.create(ORDER) == "busybox:1.36 ./undo --all"
    job = await read(stage)
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] == 120
    assert job["metadata"]["annotations"] == {RUN: ORDER.run, ACTION: "undo"}
    pod = job["spec"]["template"]
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["serviceAccountName"] == "migrator"
    assert pod["metadata"]["annotations"] == {RUN: ORDER.run, ACTION: "undo"}


async def test_a_dry_run_creates_nothing(stage: Stage, jobs: KubeJobs) -> None:
    assert await jobs.create(ORDER, dry_run=True) == "busybox:1.36 ./undo --all"
    with pytest.raises(NotFound):
        await jobs.state("undo-r1")


async def test_a_job_of_somebody_else_is_not_taken_for_ours(jobs: KubeJobs) -> None:
    await jobs.create(ORDER)
    with pytest.raises(Conflict, match="this run did not create"):
        await jobs.create(replace(ORDER, run="another-run"))


@pytest.mark.parametrize(
    "template",
    [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "ignored", "labels": {"team": "db"}},
            "spec": {
                "backoffLimit": 2,
                "activeDeadlineSeconds": 60,
                "template": {"spec": {**POD, "restartPolicy": "OnFailure"}},
            },
        },
        {"backoffLimit": 2, "template": {"metadata": {"labels": {"team": "db"}}, "spec": POD}},
        {"metadata": {"labels": {"team": "db"}}, "spec": POD},
    ],
    ids=["job", "job-spec", "pod-template"],
)
async def test_each_form_of_template_becomes_a_job(stage: Stage, jobs: KubeJobs, template: Mapping[str, Any]) -> None:
    order = replace(ORDER, image="", argv=(), service_account=None, template=template)
    assert await jobs.create(order) == "db:1 ./down 42"
    job = await read(stage)
    spec = job["spec"]
    assert spec["backoffLimit"] == (2 if "backoffLimit" in str(template) else 0)
    assert spec["activeDeadlineSeconds"] == (60 if "kind" in template else 120)
    labels = job["metadata"].get("labels", {}) | spec["template"]["metadata"]["labels"]
    assert labels["team"] == "db"
    assert labels["app.kubernetes.io/managed-by"] == "deployment-cockpit"


async def test_a_template_that_kubernetes_refuses_is_told_in_its_words(jobs: KubeJobs, simulated: bool) -> None:
    if simulated:
        pytest.skip("the simulator does not know every field of a pod")
    bad = {"spec": {**POD, "restartPolicy": "Always"}}
    with pytest.raises(Conflict, match="restartPolicy"):
        await jobs.create(replace(ORDER, template=bad), dry_run=True)


async def test_a_cronjob_gives_its_template(stage: Stage, jobs: KubeJobs, simulated: bool) -> None:
    template = {
        "metadata": {"labels": {"team": "db"}},
        "spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}},
    }
    version = "v1" if simulated else "v1beta1"
    cron = {
        "apiVersion": f"batch/{version}",
        "kind": "CronJob",
        "metadata": {"name": "restore"},
        "spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": template},
    }
    await stage.client.create(Resource("batch", version, "cronjobs", stage.namespace), cron)
    order = replace(ORDER, image="", argv=(), service_account=None, cronjob="restore")
    assert await jobs.create(order) == "db:1 ./down 42"
    job = await read(stage)
    assert job["metadata"]["labels"]["team"] == "db"
    # Owned by the CronJob it would be taken away by its history limit before its end is read.
    assert "ownerReferences" not in job["metadata"]
    with pytest.raises(NotFound, match="nothing-there"):
        await jobs.create(replace(order, cronjob="nothing-there"))


async def test_a_job_is_followed_to_complete(stage: Stage, jobs: KubeJobs, simulated: bool) -> None:
    await jobs.create(replace(ORDER, service_account=None))
    await until(partial(jobs.state, "undo-r1"), lambda state: state.active == 1)
    state = await ended(stage, jobs, simulated, "Complete")
    assert (state.succeeded, state.done, state.failed) == (True, 1, 0)


async def test_a_job_is_followed_to_its_failure_with_the_reason(stage: Stage, jobs: KubeJobs, simulated: bool) -> None:
    template = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"annotations": {FAIL: "true", SECONDS: "4"}},
        "spec": {"template": {"spec": POD}},
    }
    await jobs.create(replace(ORDER, template=template))
    await until(partial(jobs.state, "undo-r1"), lambda state: state.active == 1)
    message = "Job has reached the specified backoff limit"
    state = await ended(stage, jobs, simulated, "Failed", "BackoffLimitExceeded", message)
    assert state == JobState("undo-r1", False, f"BackoffLimitExceeded: {message}", 0, 0, 1)


async def test_kubernetes_itself_ends_a_job_at_its_deadline(stage: Stage, jobs: KubeJobs, simulated: bool) -> None:
    template = {"metadata": {"annotations": {SECONDS: "600"}}, "kind": "Job", "apiVersion": "batch/v1"}
    spec = {"template": {"spec": POD}}
    await jobs.create(replace(ORDER, deadline_s=3, template={**template, "spec": spec}))
    state = await until(partial(jobs.state, "undo-r1"), lambda state: state.succeeded is not None)
    assert state.succeeded is False
    assert state.message.startswith("DeadlineExceeded: Job was active longer than specified deadline")


async def test_why_a_job_gets_no_pod_is_told(stage: Stage, jobs: KubeJobs, simulated: bool) -> None:
    template: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": POD}}}
    if simulated:
        template["metadata"] = {"annotations": {FORBID: "exceeded quota: none"}}
    else:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none"},
            "spec": {"hard": {"pods": "0"}},
        }
        await stage.client.create(stage.at("", "resourcequotas"), quota)
        seen = partial(stage.client.get, stage.at("", "resourcequotas", "none"))
        await until(seen, lambda obj: "hard" in obj.get("status", {}))
    await jobs.create(replace(ORDER, template=template))
    why = await until(partial(jobs.trouble, "undo-r1"), bool)
    assert why.startswith("FailedCreate: ")
    assert "exceeded quota: none" in why


async def test_the_end_of_the_log_is_read(stage: Stage, jobs: KubeJobs, simulated: bool) -> None:
    if not simulated:
        pytest.skip("nobody runs containers there")
    lines = "\n".join(f"row {number}" for number in range(80)) + "\n\x1b[2JROLLED BACK"
    template = {"metadata": {"annotations": {"cockpit.simulator/log": lines}}, "spec": POD}
    await jobs.create(replace(ORDER, template=template))
    await until(partial(jobs.state, "undo-r1"), lambda state: state.succeeded is not None)
    (log,) = await jobs.logs("undo-r1", 50)
    assert log.pod.startswith("undo-r1-")
    assert log.pod.endswith("/db")
    assert len(log.lines) == 50
    assert log.lines[-2:] == ("row 79", "\N{REPLACEMENT CHARACTER}[2JROLLED BACK")


async def test_who_may_not_create_jobs_is_told_the_right(stage: Stage) -> None:
    async with stage.as_observer() as observer:
        with pytest.raises(Denied) as denied:
            await observer.workloads.jobs.create(ORDER, dry_run=True)
    assert "create on jobs.batch" in denied.value.hint


async def test_a_log_that_may_not_be_read_is_no_failure(faulty: FaultyServer, tmp_path: Path) -> None:
    pod = {
        "metadata": {"name": "undo-r1-x", "creationTimestamp": "2026-11-26T08:00:00Z"},
        "status": {"containerStatuses": [{"name": "db", "state": {"terminated": {"exitCode": 0}}}]},
    }

    async def script(request: Any) -> Any:
        if request.path.endswith("/log"):
            return answer(403, status(403, "Forbidden", "pods/log is forbidden"))
        return answer(200, {"kind": "PodList", "items": [pod]})

    faulty.script = script
    async with faulty.client(tmp_path) as client:
        (log,) = await KubeJobs(client, "n").logs("undo-r1", 50)
    assert log.lines == ()
    assert "Grant the verb get on pods/log in namespace n." in log.problem
    faulty.script = always(200, {"kind": "PodList", "items": []})
    async with faulty.client(tmp_path) as client:
        assert await KubeJobs(client, "n").logs("undo-r1", 50) == ()


def test_the_runbook_is_not_changed_by_what_is_made_of_it() -> None:
    template = {"spec": {"containers": [{"name": "db", "image": "db:1"}]}}
    made = manifest(replace(ORDER, template=template), template)
    made["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    assert template == {"spec": {"containers": [{"name": "db", "image": "db:1"}]}}
