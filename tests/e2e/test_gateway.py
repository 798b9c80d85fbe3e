"""The shipped runbook for Gateway API, from its first step to its last and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Cockpit, eventually, rows

pytestmark = pytest.mark.e2e
BOOK = "config/runbooks/gateway.yaml"


def simulators_state(cockpit: Cockpit) -> dict[str, Any]:
    path = cockpit.run.directory / "simulator-record.json"
    eventually(path.exists)
    state: dict[str, Any] = json.loads(path.read_text())["state"]
    return state


def test_it_is_valid_without_a_cluster(cockpit: Cockpit) -> None:
    done = cockpit("check", BOOK, "--offline")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_rehearsal_ends_with_everything_on_the_candidate(cockpit: Cockpit) -> None:
    done = cockpit("rehearse", BOOK, "--headless", "-o", "json")
    assert done.returncode == 0, done.stderr
    events = rows(done.stdout)
    moved = [(event["weight"], event["active"]) for event in events if event["type"] == "traffic.changed"]
    assert moved == [(0, "green"), (10, "green"), (50, "green"), (100, "green"), (100, "blue"), (0, "blue")]
    (off,) = (event for event in events if event["type"] == "action.succeeded" and event["action"] == "canary-off")
    assert off["message"] == "web is out of service; 0.00 requests/s still reach it"
    state = simulators_state(cockpit)
    assert (state["active"], state["weight"], state["share"]) == ("blue", 0, 100.0)


def test_a_spike_of_errors_brings_everything_back_to_stable(cockpit: Cockpit) -> None:
    done = cockpit("rehearse", BOOK, "--headless", "-o", "json", "--scenario", "error-spike")
    assert done.returncode == 3, done.stderr
    events = rows(done.stdout)
    (finished,) = (event for event in events if event["type"] == "rollback.finished")
    assert finished["succeeded"]
    state = simulators_state(cockpit)
    assert (state["active"], state["weight"], state["share"]) == ("green", 0, 0.0)
