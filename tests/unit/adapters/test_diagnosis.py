"""What a pod's status and Events say about why it is not ready."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.adapters.kubernetes.diagnosis import PULL_AGAIN_S, SETTLE_S, diagnose

NOT_FOUND = 'rpc error: code = NotFound desc = failed to pull and unpack image "web:9": web:9: not found'


def pod(phase: str = "Pending", conditions: Any = (), **container: Any) -> dict[str, Any]:
    status = {"name": "web", "image": "web:9", "ready": False, "restartCount": 0, **container}
    return {"status": {"phase": phase, "conditions": list(conditions), "containerStatuses": [status]}}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return pod(state={"waiting": {"reason": reason, "message": message}}, **more)


def warning(reason: str, message: str) -> dict[str, Any]:
    return {"reason": reason, "message": message, "type": "Warning"}


def ended(code: int, reason: str, message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient cpu.",
}
CASES = [
    (pod(conditions=[UNSCHEDULABLE]), [], "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.", None),
    (waiting("ErrImagePull", NOT_FOUND), [], "ImagePullBackOff", "web:9: not found", 0.0),
    (
        waiting("ImagePullBackOff", 'Back-off pulling image "web:9"'),
        [warning("Failed", "Error: ImagePullBackOff"), warning("Failed", f'Failed to pull image "web:9": {NOT_FOUND}')],
        "ImagePullBackOff",
        'Failed to pull image "web:9"',
        0.0,
    ),
    (
        waiting("ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout"),
        [],
        "ImagePullBackOff",
        "i/o timeout",
        PULL_AGAIN_S,
    ),
    (waiting("ImagePullBackOff", "pull access denied"), [], "ImagePullBackOff", "access denied", 0.0),
    (waiting("InvalidImageName", "couldn't parse image"), [], "InvalidImageName", "couldn't parse image", 0.0),
    (
        waiting("CreateContainerConfigError", 'secret "db" not found'),
        [],
        "CreateContainerConfigError",
        'secret "db" not found',
        SETTLE_S,
    ),
    (
        waiting("CrashLoopBackOff", "back-off 40s", restartCount=4, lastState=ended(137, "OOMKilled")),
        [],
        "CrashLoopBackOff",
        "exit code 137 (OOMKilled) after 4 restarts",
        0.0,
    ),
    (
        waiting("CrashLoopBackOff", "", restartCount=2, lastState=ended(1, "Error", "no DATABASE_URL")),
        [warning("BackOff", "Back-off restarting failed container")],
        "CrashLoopBackOff",
        "exit code 1 (Error) after 2 restarts; no DATABASE_URL",
        0.0,
    ),
    (
        waiting("CrashLoopBackOff", "", restartCount=3, lastState=ended(143, "Error")),
        [warning("Unhealthy", "Liveness probe failed: 503")],
        "CrashLoopBackOff",
        "; Liveness probe failed: 503",
        0.0,
    ),
    (
        waiting("CrashLoopBackOff", "", restartCount=1, lastState=ended(1, "")),
        [],
        "CrashLoopBackOff",
        "code 1 after 1 restart",
        None,
    ),
    (pod("Running", state=ended(2, "Error")), [], "CrashLoopBackOff", "exit code 2", None),
    (
        pod("Running", state={"running": {}}),
        [warning("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")],
        "Unhealthy",
        "is not ready: Readiness probe failed",
        None,
    ),
    (
        waiting("ContainerCreating"),
        [warning("FailedMount", 'configmap "web" not found')],
        "FailedMount",
        'FailedMount: configmap "web" not found',
        None,
    ),
    (
        {"status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}},
        [],
        "Evicted",
        "low on memory",
        SETTLE_S,
    ),
]


@pytest.mark.parametrize(("seen", "events", "reason", "words", "patience"), CASES)
def test_reasons(seen: Any, events: Any, reason: str, words: str, patience: float | None) -> None:
    problem = diagnose(seen, events)

    assert problem is not None
    assert (problem.reason, problem.patience) == (reason, patience)
    assert words in problem.text
    assert problem.hint


@pytest.mark.parametrize(
    "seen",
    [
        {},
        pod(),
        waiting("ContainerCreating"),
        waiting("PodInitializing"),
        pod("Running", state={"running": {}}),
        pod("Running", state=ended(0, "Completed")),
        {"status": {"containerStatuses": "nonsense", "conditions": [None]}},
    ],
)
def test_a_pod_that_just_needs_time(seen: Any) -> None:
    assert diagnose(seen, []) is None


def test_an_init_container_speaks_before_the_others() -> None:
    seen = waiting("PodInitializing")
    init = {"name": "migrate", "ready": False, "restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    seen["status"]["initContainerStatuses"] = [init | {"lastState": ended(3, "Error")}]

    problem = diagnose(seen, [])

    assert problem is not None
    assert problem.text.startswith("container migrate ends again and again: exit code 3 (Error)")


def test_words_from_outside_are_cleaned() -> None:
    problem = diagnose(waiting("ErrImagePull", "\x1b]0;owned\x07 not found"), [])

    assert problem is not None
    assert problem.text.isprintable()
