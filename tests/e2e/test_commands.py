from __future__ import annotations

import json
import subprocess

import pytest

from .conftest import Cockpit, eventually, read_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def asked(cockpit: Cockpit) -> subprocess.Popen[str]:
    """A rehearsal that waits for its commander."""
    process = cockpit.start(
        "rehearse", "config/runbooks/minimal.yaml", "--headless", "--decide", "ask", "-o", "json", "--speed", "60"
    )
    read_until(process, lambda event: event["type"] == "readiness.changed" and event["ready"])
    return process


def test_a_commander_leads_a_run_by_plain_commands(cockpit: Cockpit, asked: subprocess.Popen[str]) -> None:
    assert cockpit("advance").returncode == 0
    read_until(asked, lambda event: event["type"] == "step.started")
    assert cockpit.here("hold", "--reason", "coffee").returncode == 0
    assert cockpit.json("status")["held"] is True
    again = cockpit.here("hold")
    assert (again.returncode, "held already" in again.stderr) == (1, True)
    assert cockpit.here("resume").returncode == 0
    read_until(asked, lambda event: event["type"] == "step.finished" and event["step"] == "1.1")
    eventually(lambda: cockpit.here("advance").returncode == 0)
    read_until(asked, lambda event: event["type"] == "decision.opened")
    found = cockpit.json("status")
    assert (found["step"]["id"], found["step"]["status"]) == ("2.1", "deciding")
    assert (found["traffic"]["commanded"], found["traffic"]["active"]) == (50, "green")
    assert {pod["track"] for pod in found["pods"]} == {"blue", "green"}
    assert cockpit.here("advance").returncode == 0
    last = read_until(asked, lambda event: event["type"] == "run.closed")[-1]
    assert last["status"] == "completed"
    assert asked.wait(timeout=15) == 0


def test_a_rollback_by_command(cockpit: Cockpit, asked: subprocess.Popen[str]) -> None:
    assert cockpit("advance").returncode == 0
    read_until(asked, lambda event: event["type"] == "step.started")
    rolled = cockpit("rollback", "--reason", "it smells", "--trigger", "broken")
    assert (rolled.returncode, rolled.stdout) == (0, "Rolling back\n")
    last = read_until(asked, lambda event: event["type"] == "run.closed")[-1]
    assert last["status"] == "rolled_back"
    assert asked.wait(timeout=15) == 3


def test_a_run_that_changed_nothing_is_closed_as_failed(cockpit: Cockpit, asked: subprocess.Popen[str]) -> None:
    assert cockpit.here("weight", "20").returncode == 1
    assert cockpit.here("tick", "nothing-of-that-name").returncode == 1
    assert cockpit("close").returncode == 0
    last = read_until(asked, lambda event: event["type"] == "run.closed")[-1]
    assert last["status"] == "aborted"
    assert asked.wait(timeout=15) == 1


def test_a_cluster_that_is_not_there_fails_the_preflight(cockpit: Cockpit) -> None:
    done = cockpit("run", "config/runbooks/minimal.yaml", "--kubeconfig", "/nowhere", "--headless")
    assert done.returncode == 5
    assert "/nowhere" in done.stderr
    checked = cockpit("check", "config/runbooks/minimal.yaml", "--kubeconfig", "/nowhere", "-o", "json")
    assert checked.returncode == 5
    assert json.loads(checked.stdout)["ok"] is False


def test_a_rehearsals_cluster_passes_the_preflight_but_for_the_run_that_commands_it(
    cockpit: Cockpit, asked: subprocess.Popen[str]
) -> None:
    directory = cockpit.run.directory
    prometheus = json.loads((directory / "simulator.json").read_text())["prometheus"]
    done = cockpit(
        "check", "config/runbooks/minimal.yaml", "--kubeconfig", str(directory / "kubeconfig"),
        "--var", f"PROMETHEUS_URL={prometheus}", "-o", "json",
    )  # fmt: skip
    assert done.returncode == 5, done.stdout
    found = json.loads(done.stdout)
    failed = [entry for entry in found["preflight"] if not entry["ok"]]
    assert [(entry["group"], entry["name"]) for entry in failed] == [("one commander", "lease")]
    assert cockpit.run.run in failed[0]["message"]
    names = {(entry["group"], entry["name"]) for entry in found["preflight"]}
    assert {("cluster", "server"), ("rights", "permissions"), ("metrics", "error_rate")} <= names
    assert {
        ("objects", "route"),
        ("objects", "deployment minimal-blue"),
        ("objects", "service minimal-active"),
    } <= names
    assert (found["cluster"]["context"], found["cluster"]["identity"]) == ("simulator", "commander@simulator")


def test_simulate_serves_until_it_is_interrupted(cockpit: Cockpit) -> None:
    process = cockpit.start("simulate", "config/runbooks/minimal.yaml")
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("export KUBECONFIG=")
    process.send_signal(2)
    assert process.wait(timeout=15) == 0
