"""Jobs: one pod that runs for a while and succeeds, or fails when its annotation says so."""

from __future__ import annotations

from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.kinds import JOB
from cockpit.simulator.world.objects import resource
from cockpit.simulator.world.pods import PodLives
from cockpit.simulator.world.replicas import pods_of
from cockpit.simulator.world.values import Obj, clone, dig, name_of, namespace_of, rfc3339

FAIL = "cockpit.simulator/fail"
"""A Job with this annotation set to `true` fails."""
SECONDS = "cockpit.simulator/seconds"
"""How long the Job's pod runs, in run seconds; 12 when absent."""
FORBID = "cockpit.simulator/forbid"
"""Why admission lets the Job have no pod; it gets one when the annotation is absent."""


class Jobs:
    """The Job controller."""

    kind = JOB

    def __init__(self, cluster: Cluster, pods: PodLives) -> None:
        self._cluster = cluster
        self._pods = pods

    def reconcile(self, obj: Obj) -> None:
        """Start the Job's pod once, and look at it when it has had its time."""
        if dig(obj, "status", "startTime"):
            return
        draft: Obj = clone(obj)
        forbidden = dig(obj, "metadata", "annotations", FORBID)
        if forbidden:
            draft["status"] = {"startTime": rfc3339(self._cluster.now)}
            job = self._cluster.update(JOB, draft)
            text = f'Error creating: pods "{name_of(obj)}-x" is forbidden: {forbidden}'
            self._cluster.event(job, "FailedCreate", text, "job-controller", warning=True)
            self._limit(job)
            return
        labels = {"job-name": name_of(obj), "batch.kubernetes.io/job-name": name_of(obj)}
        template = draft["spec"]["template"]
        metadata = template.setdefault("metadata", {})
        metadata["labels"] = {**metadata.get("labels", {}), **labels}
        draft["spec"].setdefault("selector", {"matchLabels": labels})
        draft["status"] = {"active": 1, "ready": 0, "startTime": rfc3339(self._cluster.now)}
        job = self._cluster.update(JOB, draft)
        pod = self._pods.create(job, template)
        self._cluster.event(job, "SuccessfulCreate", f"Created pod: {name_of(pod)}", "job-controller")
        seconds = float(dig(obj, "metadata", "annotations", SECONDS, default="12"))
        self._cluster.schedule.after(seconds, lambda: self._finish(namespace_of(obj), name_of(obj)))
        self._limit(job)

    def _limit(self, job: Obj) -> None:
        """End the Job when its `activeDeadlineSeconds` are over."""
        limit = dig(job, "spec", "activeDeadlineSeconds")
        if limit:
            reason = ("DeadlineExceeded", "Job was active longer than specified deadline")
            self._cluster.schedule.after(float(limit), lambda: self._finish(namespace_of(job), name_of(job), reason))

    def _finish(self, namespace: str, name: str, late: tuple[str, str] | None = None) -> None:
        draft = self._cluster.draft(JOB, namespace, name)
        if draft is None or dig(draft, "status", "conditions"):
            return
        fails = late is not None or dig(draft, "metadata", "annotations", FAIL) == "true"
        for pod in pods_of(self._cluster, draft):
            self._pods.finish(pod, succeeded=not fails)
        now = rfc3339(self._cluster.now)
        condition = {"type": "Complete", "status": "True", "lastProbeTime": now, "lastTransitionTime": now}
        if fails:
            reason, message = late or ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
            condition.update(type="Failed", reason=reason, message=message)
        status = {"startTime": draft["status"]["startTime"], "conditions": [condition], "ready": 0}
        status.update({"failed": 1} if fails else {"succeeded": 1, "completionTime": now})
        self._cluster.set_status(JOB, draft, status)


def job_from(namespace: str, name: str, image: str, command: list[str]) -> Obj:
    """A Job object with one container."""
    container = {"name": "job", "image": image, "command": command}
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    return resource(JOB, namespace, name, spec={"backoffLimit": 0, "template": template})
