"""What a pod goes through: scheduled, pulled, started, ready, crashed, gone."""

from __future__ import annotations

from collections.abc import Callable

from cockpit.simulator.world.cluster import Behaviour, Cluster
from cockpit.simulator.world.kinds import POD
from cockpit.simulator.world.objects import owner_reference, resource
from cockpit.simulator.world.values import Obj, clone, dig, name_of, namespace_of, rfc3339, stable_uid

SCHEDULE_SECONDS = 0.5
PULL_SECONDS = 3.0
TERMINATE_SECONDS = 4.0
_FIRST_BACKOFF = 10.0
_LAST_BACKOFF = 300.0


def is_ready(pod: Obj) -> bool:
    """Whether the pod is Ready and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions: list[Obj] = dig(pod, "status", "conditions", default=[])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def is_active(pod: Obj) -> bool:
    """Whether the pod counts for its owner: not ended, not on its way out."""
    ended = dig(pod, "status", "phase") in ("Failed", "Succeeded")
    return not ended and not pod["metadata"].get("deletionTimestamp")


def restarts(pod: Obj) -> int:
    """How often the pod's containers were restarted."""
    return sum(status["restartCount"] for status in dig(pod, "status", "containerStatuses", default=[]))


class PodLives:
    """Starts pods and carries each through its life."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._addresses = 0
        self._nodes = 0

    def create(self, owner: Obj, template: Obj) -> Obj:
        """A new Pending pod of an owner's template."""
        cluster = self._cluster
        owner_name = name_of(owner)
        pod = resource(
            POD,
            namespace_of(owner),
            f"{owner_name}-{cluster.unique(owner_name, 5)}",
            labels=dict(dig(template, "metadata", "labels", default={})),
            annotations=clone(dig(template, "metadata", "annotations", default={})),
            ownerReferences=[owner_reference(owner)],
            spec={"serviceAccountName": "default", "priority": 0, **clone(template["spec"])},
            status={"phase": "Pending", "qosClass": "Burstable", "conditions": []},
        )
        pod["metadata"]["generateName"] = f"{owner_name}-"
        pod = cluster.create(POD, pod)
        self._then(SCHEDULE_SECONDS, pod, self._scheduled)
        return pod

    def terminate(self, pod: Obj, grace: float = TERMINATE_SECONDS) -> Obj:
        """Mark a pod as being deleted and remove it when its containers have ended."""
        draft: Obj = clone(pod)
        if draft["metadata"].get("deletionTimestamp"):
            return pod
        draft["metadata"]["deletionTimestamp"] = rfc3339(self._cluster.now + 30)
        draft["metadata"]["deletionGracePeriodSeconds"] = 30
        marked = self._cluster.update(POD, draft)
        self._then(min(grace, TERMINATE_SECONDS), pod, self._removed, even_deleted=True)
        self._say(pod, "Killing", f"Stopping container {_container(pod)['name']}")
        return marked

    def finish(self, pod: Obj, succeeded: bool) -> None:
        """End a run-to-completion pod."""
        draft = self._cluster.draft(POD, namespace_of(pod), name_of(pod))
        if draft is None:
            return
        code = 0 if succeeded else 1
        ended = {"exitCode": code, "reason": "Completed" if succeeded else "Error", **self._times(draft)}
        draft["status"]["phase"] = "Succeeded" if succeeded else "Failed"
        self._container_status(draft, {"terminated": ended}, ready=False)
        self._cluster.update(POD, draft)

    def _then(self, seconds: float, pod: Obj, step: Callable[[Obj], None], even_deleted: bool = False) -> None:
        """Do a step later, if this very pod is still there."""
        namespace, name, uid = namespace_of(pod), name_of(pod), pod["metadata"]["uid"]

        def act() -> None:
            draft = self._cluster.draft(POD, namespace, name)
            if draft is None or draft["metadata"]["uid"] != uid:
                return
            if even_deleted or not draft["metadata"].get("deletionTimestamp"):
                step(draft)

        self._cluster.schedule.after(seconds, act)

    def _scheduled(self, pod: Obj) -> None:
        self._nodes += 1
        node = f"sim-node-{self._nodes % 3 + 1}"
        pod["spec"]["nodeName"] = node
        pod["status"]["hostIP"] = f"192.168.60.{self._nodes % 3 + 11}"
        pod["status"]["startTime"] = rfc3339(self._cluster.now)
        self._condition(pod, "PodScheduled", True)
        self._container_status(pod, {"waiting": {"reason": "ContainerCreating"}}, ready=False)
        pod = self._cluster.update(POD, pod)
        where = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
        self._say(pod, "Scheduled", where, "default-scheduler")
        self._then(PULL_SECONDS, pod, self._pulled)

    def _pulled(self, pod: Obj) -> None:
        behaviour = self._cluster.behave(pod)
        if behaviour.image_known:
            self._started(pod, behaviour)
            return
        image = _container(pod)["image"]
        waiting = dig(pod, "status", "containerStatuses", 0, "state", "waiting", "reason")
        reason = "ErrImagePull" if waiting != "ErrImagePull" else "ImagePullBackOff"
        text = f"rpc error: code = NotFound desc = failed to pull and unpack image: {image}: not found"
        if reason == "ImagePullBackOff":
            text = f'Back-off pulling image "{image}"'
        self._container_status(pod, {"waiting": {"reason": reason, "message": text}}, ready=False)
        pod = self._cluster.update(POD, pod)
        if reason == "ErrImagePull":
            self._say(pod, "Failed", f'Failed to pull image "{image}": {text}', warning=True)
        self._say(pod, "Failed", f"Error: {reason}", warning=True)
        self._then(10.0 if reason == "ErrImagePull" else 60.0, pod, self._pulled)

    def _started(self, pod: Obj, behaviour: Behaviour) -> None:
        if not pod["status"].get("podIP"):
            self._addresses += 1
            pod["status"]["podIP"] = f"10.42.{self._addresses // 250}.{self._addresses % 250 + 2}"
            pod["status"]["podIPs"] = [{"ip": pod["status"]["podIP"]}]
        pod["status"]["phase"] = "Running"
        self._container_status(pod, {"running": {"startedAt": rfc3339(self._cluster.now)}}, ready=False)
        pod = self._cluster.update(POD, pod)
        container = _container(pod)["name"]
        self._say(pod, "Started", f"Started container {container}")
        if behaviour.crash_after is not None:
            self._then(behaviour.crash_after, pod, self._crashed)
        elif dig(pod, "spec", "restartPolicy") == "Always":
            self._then(behaviour.ready_after, pod, self._made_ready)
        else:
            self._made_ready(clone(pod))

    def _made_ready(self, pod: Obj) -> None:
        state = dig(pod, "status", "containerStatuses", 0, "state", default={})
        self._container_status(pod, state, ready=True)
        self._cluster.update(POD, pod)

    def _crashed(self, pod: Obj) -> None:
        count = restarts(pod)
        ended = {"terminated": {"exitCode": 1, "reason": "Error", **self._times(pod)}}
        pause = min(_LAST_BACKOFF, _FIRST_BACKOFF * 2.0**count)
        name = _container(pod)["name"]
        text = f"back-off {int(pause)}s restarting failed container={name} pod={name_of(pod)}"
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        self._container_status(pod, waiting, ready=False, last=ended)
        pod = self._cluster.update(POD, pod)
        self._say(pod, "BackOff", f"Back-off restarting failed container {name}", warning=True)
        self._then(pause, pod, self._restarted)

    def _restarted(self, pod: Obj) -> None:
        for status in pod["status"]["containerStatuses"]:
            status["restartCount"] += 1
        self._started(pod, self._cluster.behave(pod))

    def _removed(self, pod: Obj) -> None:
        self._cluster.store.remove(POD, namespace_of(pod), name_of(pod))

    def _times(self, pod: Obj) -> Obj:
        started = dig(pod, "status", "containerStatuses", 0, "state", "running", "startedAt")
        now = rfc3339(self._cluster.now)
        return {"startedAt": started or now, "finishedAt": now}

    def _condition(self, pod: Obj, kind: str, holds: bool) -> None:
        conditions: list[Obj] = pod["status"].setdefault("conditions", [])
        status = "True" if holds else "False"
        now = rfc3339(self._cluster.now)
        for item in conditions:
            if item["type"] == kind:
                if item["status"] != status:
                    item.update(status=status, lastTransitionTime=now)
                return
        conditions.append({"type": kind, "status": status, "lastTransitionTime": now, "lastProbeTime": None})

    def _container_status(self, pod: Obj, state: Obj, ready: bool, last: Obj | None = None) -> None:
        known = {item["name"]: item for item in pod["status"].get("containerStatuses", [])}
        statuses = []
        for container in pod["spec"]["containers"]:
            before = known.get(container["name"], {})
            image_id = stable_uid(container["image"]).replace("-", "") * 2
            statuses.append({
                "name": container["name"],
                "image": container["image"],
                "imageID": f"docker-pullable://{container['image'].rsplit(':', 1)[0]}@sha256:{image_id}",
                "ready": ready,
                **({} if "waiting" in state else {"containerID": _container_id(pod, before.get("restartCount", 0))}),
                "started": "running" in state,
                "restartCount": before.get("restartCount", 0),
                "state": clone(state),
                "lastState": last or before.get("lastState", {}),
            })  # fmt: skip
        pod["status"]["containerStatuses"] = statuses
        self._condition(pod, "Initialized", True)
        self._condition(pod, "ContainersReady", ready)
        self._condition(pod, "Ready", ready)

    def _say(self, pod: Obj, reason: str, message: str, component: str = "kubelet", warning: bool = False) -> None:
        self._cluster.event(pod, reason, message, component, warning)


def _container_id(pod: Obj, run: int) -> str:
    return "containerd://" + stable_uid(f"{pod['metadata']['uid']}/{run}").replace("-", "") * 2


def _container(pod: Obj) -> Obj:
    first: Obj = pod["spec"]["containers"][0]
    return first
