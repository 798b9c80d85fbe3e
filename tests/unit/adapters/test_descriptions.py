"""Descriptions of odd, old, broken and hostile objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cockpit.adapters.kubernetes.describe.containers import probe, state_words
from cockpit.adapters.kubernetes.describe.network import describe_http_route, describe_ingress, describe_service
from cockpit.adapters.kubernetes.describe.parts import age, events, human, table
from cockpit.adapters.kubernetes.describe.pods import describe_pod
from cockpit.adapters.kubernetes.describe.workloads import describe_deployment, describe_job
from cockpit.adapters.kubernetes.overview import deployment_row, http_route_row, job_row, service_row
from cockpit.model.lens import Described

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
BAD = "\N{REPLACEMENT CHARACTER}"


def at(minutes: int) -> str:
    return f"2026-11-26T07:{60 - minutes:02d}:00Z"


def rows(found: Described, title: str) -> dict[str, str]:
    return dict(next(section for section in found.sections if section.title == title).rows)


def lines(found: Described, title: str) -> tuple[str, ...]:
    return next(section for section in found.sections if section.title == title).lines


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (3 * 3600 - 1, "179m"), (3 * 3600, "3h"), (47 * 3600, "47h"),
     (48 * 3600, "2d"), (700 * 86_400, "700d"), (8 * 365 * 86_400, "8y")],
)  # fmt: skip
def test_durations_are_kubectls(seconds: int, words: str) -> None:
    assert human(seconds) == words


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-11-26T07:00:00", None, 5])
def test_what_is_no_time_has_no_age(stamp: object) -> None:
    assert age(stamp, NOW) == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"running": {"startedAt": at(5)}}, "running for 5m"),
        ({"running": {}}, "running"),
        ({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}, "waiting: ImagePullBackOff: Back-off"),
        ({"waiting": {"message": "?"}}, "waiting: no reason given: ?"),
        ({"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": at(2)}},
         "ended: OOMKilled, exit code 137, 2m ago"),
        ({"terminated": {"exitCode": 0, "signal": 9}}, "ended: exit code 0, signal 9"),
        ({}, ""),
    ],
)  # fmt: skip
def test_states_of_containers(state: dict[str, Any], words: str) -> None:
    assert state_words(state, NOW) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"httpGet": {"path": "/ready", "port": "http"}},
         "GET http://:http/ready, every 10 s, timeout 1 s, fails after 3"),
        ({"tcpSocket": {"port": 6379}, "periodSeconds": 5, "initialDelaySeconds": 7},
         "TCP :6379, every 5 s, timeout 1 s, fails after 3, first after 7 s"),
        ({"exec": {"command": ["redis-cli", "ping"]}, "failureThreshold": 1},
         "exec redis-cli ping, every 10 s, timeout 1 s, fails after 1"),
        ({"grpc": {"port": 9, "service": "db"}, "timeoutSeconds": 4},
         "gRPC :9 db, every 10 s, timeout 4 s, fails after 3"),
    ],
)  # fmt: skip
def test_probes(found: dict[str, Any], words: str) -> None:
    assert probe(found) == words


def test_crashing_pod_tells_how_it_ends() -> None:
    container = {"name": "web", "image": "web:1", "env": [{"name": "TOKEN", "value": "s3cret"}],
                 "resources": {"limits": {"memory": "64Mi"}}}  # fmt: skip
    status = {"name": "web", "ready": False, "restartCount": 4,
              "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
              "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": at(1)}}}  # fmt: skip
    pod = {
        "metadata": {"name": "web-1", "deletionTimestamp": at(1)},
        "spec": {"containers": [container], "initContainers": [{"name": "init", "image": "busybox"}],
                 "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "web-data"}},
                             {"name": "tmp", "emptyDir": {}}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }  # fmt: skip
    found = describe_pod(pod, [], NOW, "cannot be read: not allowed")
    web = rows(found, "Container web")
    assert web["State"] == "waiting: CrashLoopBackOff: back-off 40s"
    assert web["Last state"] == "ended: Error, exit code 1, 60s ago"
    assert (web["Ready"], web["Restarts"], web["Requests"], web["Limits"]) == ("no", "4", "none", "memory=64Mi")
    assert rows(found, "Init container init")["State"] == "unknown"
    assert rows(found, "Status")["Being deleted"] == f"since {at(1)}"
    assert lines(found, "Volumes") == ("data  persistentVolumeClaim  web-data", "tmp   emptyDir")
    assert lines(found, "Events") == ("cannot be read: not allowed",)
    assert "s3cret" not in found.model_dump_json()


def test_events_are_newest_last_with_count_and_age() -> None:
    found = [
        {"type": "Warning", "reason": "BackOff", "message": "restarting", "count": 7, "lastTimestamp": at(1)},
        {"type": "Normal", "reason": "Pulled", "message": "image", "firstTimestamp": at(9), "lastTimestamp": at(8)},
        {"type": "Normal", "reason": "New", "note": "by its series", "series": {"count": 3, "lastObservedTime": at(5)}},
        {"reason": "Odd", "eventTime": None},
    ]
    assert events(found, NOW).lines == (
        "-    ×1           Odd",
        "8m   ×1  Normal   Pulled   image",
        "5m   ×3  Normal   New      by its series",
        "60s  ×7  Warning  BackOff  restarting",
    )


def test_old_events_are_left_out() -> None:
    found = [{"reason": f"R{number}", "lastTimestamp": f"2026-11-26T06:00:{number:02d}Z"} for number in range(60)]
    shown = events(found, NOW).lines
    assert len(shown) == 40
    assert shown[-1].endswith("R59")


def test_paused_deployment_behind_its_spec() -> None:
    deployment = {
        "metadata": {"name": "web", "generation": 3, "uid": "u"},
        "spec": {"paused": True, "replicas": 0, "minReadySeconds": 5, "strategy": {"type": "Recreate"},
                 "selector": {"matchLabels": {"app": "web"},
                              "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}},
        "status": {"observedGeneration": 2},
    }  # fmt: skip
    other = {"metadata": {"name": "other", "ownerReferences": [{"uid": "v"}]}}
    status = rows(found := describe_deployment(deployment, [other], [], NOW), "Status")
    assert status["Replicas"] == "0 desired, 0 updated, 0 ready, 0 available, 0 unavailable"
    assert status["Spec"] == "not yet seen by the controller"
    assert (status["Paused"], status["Strategy"], status["Min ready"]) == ("yes", "Recreate", "5 s")
    assert status["Selector"] == "app=web, tier In a,b"
    assert lines(found, "ReplicaSets") == ("none",)


def test_job_that_has_ended() -> None:
    status = {"startTime": at(9), "completionTime": at(4), "succeeded": 1}
    found = describe_job({"metadata": {"name": "undo"}, "spec": {"backoffLimit": 0}, "status": status}, [], [], NOW)
    assert rows(found, "Status")["Took"] == "5m"
    assert rows(found, "Status")["Pods"] == "0 active, 1 succeeded, 0 failed"


def test_endpoints_of_both_kinds() -> None:
    pod = {"name": "web-1"}
    slices = [{"endpoints": [
        {"addresses": ["10.0.0.1"], "targetRef": pod},
        {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
    ]}]  # fmt: skip
    older = [
        {"subsets": [{"addresses": [{"ip": "10.0.0.1", "targetRef": pod}], "notReadyAddresses": [{"ip": "10.0.0.2"}]}]}
    ]
    for endpoints in (slices, older):
        found = describe_service({"metadata": {"name": "web"}, "spec": {}}, endpoints, [], NOW)
        assert rows(found, "Endpoints") == {"Ready": "1", "Not ready": "1"}
        assert lines(found, "Endpoints") == ("10.0.0.1  ready      web-1", "10.0.0.2  not ready")


def test_ingress_with_a_default_backend_and_named_port() -> None:
    backend = {"service": {"name": "web", "port": {"name": "http"}}}
    spec = {"defaultBackend": backend, "tls": [{"secretName": "cert", "hosts": ["a.test"]}]}
    found = describe_ingress({"metadata": {"name": "web"}, "spec": spec}, [], NOW)
    wanted = {"Address": "none yet", "Default backend": "web:http", "TLS": "cert for a.test"}
    assert rows(found, "Status") == wanted
    assert lines(found, "Rules") == ("none",)


def test_http_route_says_what_its_parents_think() -> None:
    refs = [{"name": "a", "port": 80, "weight": 0}, {"name": "b", "port": 80, "weight": 0}]
    conditions = [{"type": "Accepted", "status": "False", "reason": "NoMatchingParent", "observedGeneration": 1}]
    parent = {"parentRef": {"name": "edge", "sectionName": "https"}, "controllerName": "x/y", "conditions": conditions}
    rules = [{"backendRefs": refs}, {"backendRefs": [{"name": "c"}]}]
    metadata = {"name": "web", "generation": 2}
    route = {"metadata": metadata, "spec": {"rules": rules}, "status": {"parents": [parent]}}
    found = describe_http_route(route, [], NOW)
    assert lines(found, "Rule 1")[0].endswith("no traffic at all")
    assert lines(found, "Rule 2") == ("c:0  weight 1  100 %",)
    assert "older one" in rows(found, "Parent Gateway/edge#https")["Spec"]
    assert "NoMatchingParent" in lines(found, "Parent Gateway/edge#https")[0]
    assert http_route_row(route).healthy is False


def test_hostile_text_is_neutralised_everywhere() -> None:
    attack = "\x1b]0;x\x07\u202e\n"
    owners = [{"kind": attack, "name": attack}]
    container = {"name": attack, "image": attack, "resources": {"limits": {attack: attack}}}
    pod = {
        "metadata": {"name": f"web{attack}", "labels": {attack: attack}, "ownerReferences": owners},
        "spec": {"nodeName": attack, "containers": [container], "volumes": [{"name": attack, attack: {}}]},
        "status": {"phase": attack, "message": attack, "conditions": [{"type": attack, "message": attack}]},
    }  # fmt: skip
    found = describe_pod(pod, [{"reason": attack, "message": attack}], NOW, attack)
    texts = [found.name]
    for section in found.sections:
        texts += [section.title, *section.lines, *(text for row in section.rows for text in row)]
    assert any(BAD in text for text in texts)
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize(
    "obj", [{}, {"metadata": None, "spec": [], "status": "x"}, {"spec": {"containers": [None, 3], "rules": [1]}}]
)
def test_objects_of_another_shape_are_borne(obj: dict[str, Any]) -> None:
    for describe in (describe_pod, describe_ingress, describe_http_route):
        assert describe(obj, [], NOW).sections
    for whole in (describe_deployment, describe_job, describe_service):
        assert whole(obj, [], [], NOW).sections
    assert deployment_row(obj).healthy is False
    assert job_row(obj).healthy
    assert service_row(obj, 0).state == "ClusterIP"


def test_tables_have_equal_columns() -> None:
    assert table([["a", 1, "x"], ["long", 22, ""]], ("N", "C", "T")) == ["N     C   T", "a     1   x", "long  22"]
    assert table([], ("N",)) == []
