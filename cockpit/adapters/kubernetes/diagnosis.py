"""Why a pod does not become ready, from its status and its Events. Pure.

Source: kubelet `pkg/kubelet/images/types.go` and `container/sync_result.go` for the reasons of waiting containers,
the scheduler's `PodScheduled` condition, the prober's `Unhealthy` events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cockpit.adapters.kubernetes.objects import condition
from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.model.cluster import RolloutProblem
from cockpit.model.text import clean

SETTLE_S = 30.0
"""Seconds of run time for what another controller, or a retry after a repair, may still put right."""

PULL_AGAIN_S = 60.0
CRASHES = 2
"""Restarts from which a crashing container counts as one that will not stay up."""

_FINAL_PULL = re.compile(
    r"not found|manifest unknown|unauthorized|authentication required|denied|forbidden|no match for platform"
    r"|no matching manifest|invalid reference",
    re.IGNORECASE,
)
_PULLS = ("ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable")
_BAD_IMAGES = ("InvalidImageName", "ErrImageNeverPull")
_BAD_CONTAINERS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError")
_WORDS = 300


def diagnose(pod: Json, warnings: Sequence[Json]) -> RolloutProblem | None:
    """What keeps the pod from being ready, or None when it may just need time; `warnings` are its Events, newest first.

    The text names the container and the words of whoever knows: the scheduler, the kubelet, the container itself.
    """
    scheduled = condition(pod, "PodScheduled")
    if text(scheduled, "status") == "False":
        words = _said(text(scheduled, "message")) or "the scheduler gives no reason"
        hint = "Free or add capacity, or correct the pod's requests, node selector and tolerations."
        return _problem(text(scheduled, "reason") or "Unschedulable", f"cannot be scheduled: {words}", hint)
    if text(pod, "status", "phase") == "Failed":
        words = _said(text(pod, "status", "message"))
        return _problem(text(pod, "status", "reason") or "Failed", f"failed: {words}", "Describe the pod.", SETTLE_S)
    for state in _unready(pod):
        if found := _waiting(pod, state, warnings) or _ended(pod, state, warnings):
            return found
    return _warned(warnings)


def newest_warning(warnings: Sequence[Json], *reasons: str) -> str:
    """The message of the newest Event, which must have one of the reasons if any are given."""
    found = next((each for each in warnings if not reasons or text(each, "reason") in reasons), None)
    return _said(text(found, "message"))


def _unready(pod: Json) -> Iterator[Json]:
    for kind in ("initContainerStatuses", "containerStatuses"):
        for state in items(pod, "status", kind):
            if dig(state, "ready") is not True:
                yield state


def _waiting(pod: Json, state: Json, warnings: Sequence[Json]) -> RolloutProblem | None:
    waiting = mapping(state, "state", "waiting")
    reason, name, words = text(waiting, "reason"), _name(state), _said(text(waiting, "message"))
    if reason in _PULLS:
        return _pull(reason, name, words, warnings)
    if reason in _BAD_IMAGES:
        said = f"{name}: {reason}: {words or _said(text(state, 'image'))}"
        return _problem(reason, said, "Correct the image reference or its pull policy.", 0.0)
    if reason in _BAD_CONTAINERS:
        hint = "Check the ConfigMaps, Secrets, command and mounts that the container names."
        return _problem(reason, f"{name}: {reason}: {words or newest_warning(warnings, 'Failed')}", hint, SETTLE_S)
    return _crash(pod, state, warnings) if reason == "CrashLoopBackOff" else None


def _pull(reason: str, name: str, words: str, warnings: Sequence[Json]) -> RolloutProblem:
    pulls = [each for each in warnings if text(each, "message").startswith("Failed to pull")]
    # The back-off is only the echo of the real failure, which newer kubelets quote in it.
    if not words or (words.startswith("Back-off") and "ErrImagePull:" not in words):
        words = newest_warning(pulls, "Failed") or words
    final = _FINAL_PULL.search(words) is not None
    hint = "Check the image's name and tag, and the imagePullSecrets of the pod's ServiceAccount."
    # One reason for both statuses, which follow each other by turns.
    return _problem("ImagePullBackOff", f"{name}: {reason}: {words}", hint, 0.0 if final else PULL_AGAIN_S)


def _ended(pod: Json, state: Json, warnings: Sequence[Json]) -> RolloutProblem | None:
    """A container that has ended with an error and is about to be started again."""
    code = dig(state, "state", "terminated", "exitCode")
    return _crash(pod, state, warnings) if isinstance(code, int) and code != 0 else None


def _crash(pod: Json, state: Json, warnings: Sequence[Json]) -> RolloutProblem:
    ended = mapping(state, "state", "terminated") or mapping(state, "lastState", "terminated")
    restarts, reason = number(state, "restartCount"), text(ended, "reason")
    how = f"exit code {number(ended, 'exitCode')}" if ended else "no exit code known"
    why = f" ({clean(reason, 60)})" if reason else ""
    last = _said(text(ended, "message")).strip()
    killed = newest_warning(warnings, "Unhealthy")
    more = "".join(f"; {words}" for words in (last, killed if killed.startswith("Liveness") else "") if words)
    times = f"{restarts} restart{'s' * (restarts != 1)}"
    said = f"{_name(state)} ends again and again: {how}{why} after {times}{more}"
    namespace, name = (clean(text(pod, "metadata", key), 253) for key in ("namespace", "name"))
    hint = f"Read its logs: `kubectl -n {namespace} logs {name} -c {clean(text(state, 'name'), 63)} --previous`."
    if reason == "OOMKilled":
        hint = f"It needs more memory than its limit. {hint}"
    return _problem("CrashLoopBackOff", said, hint, 0.0 if restarts >= CRASHES else None)


def _warned(warnings: Sequence[Json]) -> RolloutProblem | None:
    """What only Events tell: probes that fail, volumes that do not mount, networks that are not there."""
    if not warnings:
        return None
    reason, words = text(warnings[0], "reason"), newest_warning(warnings)
    if reason == "Unhealthy":
        hint = "Check the probe's path, port and times, and the container's logs."
        return _problem(reason, f"is not ready: {words}", hint)
    return _problem(clean(reason, 60), f"{clean(reason, 60)}: {words}", "Describe the pod.")


def _problem(reason: str, words: str, hint: str, patience: float | None = None) -> RolloutProblem:
    return RolloutProblem(clean(reason, 60), words, hint, patience, pods=1)


def _name(state: Json) -> str:
    return f"container {clean(text(state, 'name'), 63)}"


def _said(words: str) -> str:
    return clean(words, _WORDS)
