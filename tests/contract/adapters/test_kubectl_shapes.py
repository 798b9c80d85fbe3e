"""What kubectl prints at the simulator has the shape of what it prints at a real API server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from .stage import CANARY, Stage, until

KUBECTL = shutil.which("kubectl")
LABEL = re.compile(r"( *)([A-Z][\w -]*?):(?:  |$)")


@pytest.fixture(autouse=True)
def need_kubectl() -> None:
    if KUBECTL is None:
        reason = "kubectl is not on PATH"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


async def kubectl(stage: Stage, home: Path, *argv: str, code: int = 0) -> str:
    config, context = stage.access.admin
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    whole = [str(KUBECTL), "--kubeconfig", config, "--context", context, "-n", stage.namespace, *argv]
    process = await asyncio.create_subprocess_exec(*whole, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode == code, err.decode()
    return out.decode() + err.decode()


def labels(text: str) -> list[str]:
    """The labels of a description, without indented ones and events, which depend on the moment."""
    return [match[2] for line in text.splitlines() if (match := LABEL.match(line)) and not match[1]]


def heads(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.startswith("NAME ")]


async def test_lists(staffed: Stage, tmp_path: Path) -> None:
    await until(lambda: staffed.workloads.deployment("web-blue"), lambda state: state.rolled_out)
    text = await kubectl(staffed, tmp_path, "get", "pods,services,ingress")
    assert heads(text) == [
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
        ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
        ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"],
    ]
    assert len(re.findall(r"^pod/web-blue-\w+-\w+ +1/1 +Running +0 +\d+s$", text, re.M)) == 3
    assert re.search(r"^service/web-blue +ClusterIP +\S+ +<none> +80/TCP +\d+s$", text, re.M)
    assert re.search(rf"^ingress.networking.k8s.io/{CANARY} +<none> +web.test +80 +\d+s$", text, re.M)


async def test_description_of_a_deployment(staffed: Stage, tmp_path: Path) -> None:
    await until(lambda: staffed.workloads.deployment("web-blue"), lambda state: state.rolled_out)
    text = await kubectl(staffed, tmp_path, "describe", "deployment", "web-blue")
    shape = ["Name", "Namespace", "CreationTimestamp", "Labels", "Annotations", "Selector", "Replicas", "StrategyType"]
    assert labels(text)[: len(shape)] == shape
    assert {"MinReadySeconds", "RollingUpdateStrategy", "Pod Template", "Conditions", "NewReplicaSet", "Events"} <= {
        *labels(text)
    }
    assert "3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in text
    assert re.search(r"^  Available +True +MinimumReplicasAvailable$", text, re.M)
    assert re.search(r"^  Progressing +True +NewReplicaSetAvailable$", text, re.M)
    assert re.search(r"^NewReplicaSet: +web-blue-\w+ \(3/3 replicas created\)$", text, re.M)
    assert re.search(r"Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set", text)


async def test_description_of_a_pod(staffed: Stage, tmp_path: Path) -> None:
    await until(lambda: staffed.workloads.deployment("web-blue"), lambda state: state.rolled_out)
    text = await kubectl(staffed, tmp_path, "describe", "pods", "-l", "version=blue")
    first = text.split("\n\n\n")[0]
    wanted = ["Name", "Namespace", "Priority", "Node", "Start Time", "Labels", "Status", "IP",
              "IPs", "Controlled By", "Containers", "Conditions", "Volumes", "QoS Class", "Events"]  # fmt: skip
    assert [label for label in labels(first) if label in wanted] == wanted
    assert re.search(r"^    Container ID: +\S+://\S+$", first, re.M)
    assert re.search(r"^    State: +Running$", first, re.M)
    assert re.search(r"Normal +Scheduled +\S+ +default-scheduler +Successfully assigned", first)


async def test_patches_of_the_source_runbook(stage: Stage, tmp_path: Path) -> None:
    weight = json.dumps({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "10"}}})
    for said in ("patched", "patched (no change)"):
        text = await kubectl(stage, tmp_path, "patch", "ingress", CANARY, "-p", weight)
        assert text.strip() == f"ingress.networking.k8s.io/{CANARY} {said}"
    selector = json.dumps({"spec": {"selector": {"version": "green"}}})
    assert (await kubectl(stage, tmp_path, "patch", "service", "web", "-p", selector)).strip() == "service/web patched"
    assert (await stage.workloads.service("web")).selector == {"app": "web", "version": "green"}
    gone = await kubectl(stage, tmp_path, "patch", "service", "nobody", "-p", selector, code=1)
    assert gone.strip() == 'Error from server (NotFound): services "nobody" not found'


async def test_what_is_not_there(stage: Stage, tmp_path: Path) -> None:
    text = await kubectl(stage, tmp_path, "describe", "deployment", "nobody", code=1)
    assert text.strip() == 'Error from server (NotFound): deployments.apps "nobody" not found'
    text = await kubectl(stage, tmp_path, "get", "pods")
    assert text.strip() == f"No resources found in {stage.namespace} namespace."
    text = await kubectl(stage, tmp_path, "logs", "nobody", code=1)
    assert text.strip().endswith(f'pods "nobody" not found in namespace "{stage.namespace}"')
