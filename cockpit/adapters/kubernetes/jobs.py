"""Jobs: created once, followed to their condition, asked why they do not start, and read out at their end.

Source: Kubernetes API, batch/v1 Job: `status.conditions` of type Complete or Failed, with the reasons
BackoffLimitExceeded and DeadlineExceeded; its pods carry the label `job-name`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import FIELD_MANAGER, KubeClient
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, mapping, number, text
from cockpit.errors import Conflict, NotFound, OutsideError
from cockpit.model.cluster import JobOrder, JobState
from cockpit.model.outside import PodLog
from cockpit.model.text import clean
from cockpit.runbook.job_template import job_spec

RUN = "deployment-cockpit/run"
ACTION = "deployment-cockpit/action"
"""Annotations, so that names of any length fit."""

_MANAGED = {"app.kubernetes.io/managed-by": FIELD_MANAGER}
_LOG_BYTES = 65_536
_LINE = 4_000
_STARTING = ("", "ContainerCreating", "PodInitializing")


class KubeJobs:
    """See `cockpit.engine.ports.Jobs`."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def create(self, order: JobOrder, dry_run: bool = False) -> str:
        """Create the Job unless it exists, or only ask whether it could be created; returns what it runs."""
        job = manifest(order, await self._template(order))
        try:
            made = await self._client.create(self._jobs(), job, dry_run)
        except Conflict as conflict:
            made = await self._existing(order, conflict)
        return runs(made)

    async def state(self, name: str) -> JobState:
        """The Job's condition and the numbers of its pods."""
        return job_state(await self._client.get(self._jobs().named(name)))

    async def trouble(self, name: str) -> str:
        """What its newest pod waits for, or why it gets none: quota, admission, a missing image, no room."""
        pods = await self._pods(name)
        if pods:
            return pod_trouble(pods[-1])
        query = {"fieldSelector": f"involvedObject.kind=Job,involvedObject.name={name}"}
        events = await self._client.all_of(Resource("", "v1", "events", self._namespace), query)
        warnings = sorted((event for event in events if text(event, "type") == "Warning"), key=_seen)
        return clean(f"{text(warnings[-1], 'reason')}: {text(warnings[-1], 'message')}", 300) if warnings else ""

    async def logs(self, name: str, lines: int) -> tuple[PodLog, ...]:
        """The last lines of each container of its newest pod that has started."""
        pods = await self._pods(name)
        return tuple([await self._log(pod, container, lines) for pod in pods[-1:] for container in _containers(pod)])

    async def _template(self, order: JobOrder) -> Mapping[str, Any]:
        if order.cronjob is None:
            return order.template or simple(order)
        version = "v1" if "v1" in await self._batch_versions() else "v1beta1"
        cron = await self._client.get(Resource("batch", version, "cronjobs", self._namespace, order.cronjob))
        template = mapping(cron, "spec", "jobTemplate")
        return {"kind": "Job", "metadata": mapping(template, "metadata"), "spec": mapping(template, "spec")}

    async def _batch_versions(self) -> list[str]:
        """The versions in which the API server has CronJobs: batch/v1 came with them in Kubernetes 1.21."""
        found = []
        for version in await self._client.versions("batch"):
            request = Resource("", "", f"apis/batch/{version}")
            kinds = items(await self._client.get(request), "resources")
            found += [version] if any(text(kind, "name") == "cronjobs" for kind in kinds) else []
        return found

    async def _existing(self, order: JobOrder, conflict: Conflict) -> Json:
        """The Job of that name if it is this run's; raises the conflict when it is another's, or there is none."""
        try:
            job = await self._client.get(self._jobs().named(order.name))
        except NotFound:
            raise conflict from None
        owner = mapping(job, "metadata", "annotations")
        if (owner.get(RUN), owner.get(ACTION)) != (order.run, order.action):
            hint = "Find out whose it is; delete it when it is of no use, then try again."
            raise Conflict(f"There is a job/{order.name} that this run did not create", hint) from None
        return job

    async def _pods(self, name: str) -> list[Json]:
        """Oldest first."""
        pods = Resource("", "v1", "pods", self._namespace)
        found = await self._client.all_of(pods, {"labelSelector": f"job-name={name}"})
        return sorted(found, key=lambda pod: text(pod, "metadata", "creationTimestamp"))

    async def _log(self, pod: Json, container: str, lines: int) -> PodLog:
        name = text(pod, "metadata", "name")
        where = clean(f"{name}/{container}")
        resource = Resource("", "v1", "pods", self._namespace, name, "log")
        query = {"container": container, "tailLines": str(lines), "limitBytes": str(_LOG_BYTES)}
        try:
            reply = await self._client.read(Request("get", resource), query, "text/plain, */*")
        except OutsideError as error:
            return PodLog(where, problem=f"{error}{f' {error.hint}' if error.hint else ''}")
        shown = reply.body[:_LOG_BYTES].decode("utf-8", "replace").splitlines()[-lines:]
        return PodLog(where, tuple(clean(line.replace("\t", "    "), _LINE) for line in shown))

    def _jobs(self) -> Resource:
        return Resource("batch", "v1", "jobs", self._namespace)


def simple(order: JobOrder) -> Json:
    """The template of a Job that is told by its image and argv alone."""
    pod: Json = {"containers": [{"name": "job", "image": order.image, "command": list(order.argv)}]}
    if order.service_account:
        pod["serviceAccountName"] = order.service_account
    return {"spec": pod}


def manifest(order: JobOrder, template: Mapping[str, Any]) -> Json:
    """The Job to create: tried once, ended by Kubernetes at its deadline, and marked as this run's."""
    spec: Json = copy.deepcopy(job_spec(template))
    spec.setdefault("backoffLimit", 0)
    spec.setdefault("activeDeadlineSeconds", order.deadline_s)
    pod: Json = spec.setdefault("template", {})
    pod.setdefault("spec", {}).setdefault("restartPolicy", "Never")
    marks = {RUN: order.run, ACTION: order.action}
    pod["metadata"] = _marked(mapping(pod, "metadata"), marks)
    given = mapping(template, "metadata") if "kind" in template else {}
    metadata = _marked(given, marks) | {"name": order.name}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _marked(metadata: Json, marks: Mapping[str, str]) -> Json:
    labels = {**mapping(metadata, "labels"), **_MANAGED}
    return {"labels": labels, "annotations": {**mapping(metadata, "annotations"), **marks}}


def runs(job: Json) -> str:
    """What a Job runs: each container's image and command."""
    containers = items(job, "spec", "template", "spec", "containers")
    return clean("; ".join(" ".join((text(each, "image"), *_words(each))) for each in containers), 300)


def _words(container: Json) -> Iterator[str]:
    yield from (word for key in ("command", "args") for word in items(container, key) if isinstance(word, str))


def job_state(obj: Json) -> JobState:
    """A Job, how far it is, and how it ended."""
    name = clean(text(obj, "metadata", "name"))
    numbers = [number(obj, "status", key) for key in ("active", "succeeded", "failed")]
    for kind, succeeded in (("Failed", False), ("Complete", True)):
        for condition in items(obj, "status", "conditions"):
            if text(condition, "type") == kind and text(condition, "status") == "True":
                said = ": ".join(filter(None, (text(condition, "reason"), text(condition, "message"))))
                return JobState(name, succeeded, clean(said), *numbers)
    return JobState(name, None, "", *numbers)


def pod_trouble(pod: Json) -> str:
    """What a pod waits for, or an empty string."""
    for condition in items(pod, "status", "conditions"):
        if text(condition, "type") == "PodScheduled" and text(condition, "status") == "False":
            return clean(f"{text(condition, 'reason')}: {text(condition, 'message')}", 300)
    for key in ("initContainerStatuses", "containerStatuses"):
        for status in items(pod, "status", key):
            reason = text(status, "state", "waiting", "reason")
            if reason not in _STARTING:
                message = text(status, "state", "waiting", "message")
                return clean(f"{reason}: {message}" if message else reason, 300)
    return ""


def _containers(pod: Json) -> Iterator[str]:
    """The containers that have a log."""
    for key in ("initContainerStatuses", "containerStatuses"):
        for status in items(pod, "status", key):
            started = dig(status, "state", "running") or dig(status, "state", "terminated")
            if started or dig(status, "lastState", "terminated"):
                yield text(status, "name")


def _seen(event: Json) -> str:
    return text(event, "lastTimestamp") or text(event, "eventTime") or text(event, "metadata", "creationTimestamp")
