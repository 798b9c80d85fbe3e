"""SIGKILL of real engines at named points, in several lives; the simulator's own record says what was done to it."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections import Counter

import pytest

from .conftest import Cockpit, Json, eventually, rows

pytestmark = pytest.mark.e2e
MINIMAL = "config/runbooks/minimal.yaml"
LIVES = [
    ("after-append:run.opened",),
    ("before-append:epoch.claimed", "after-append:epoch.claimed"),
    ("before-effect:deploy", "after-append:action.reoffered", "after-effect:deploy"),
    ("before-effect:traffic",),
    ("after-effect:traffic", "before-append:action.reoffered", "after-append:engine.started"),
    ("before-effect:switch", "before-effect:switch", "after-effect:switch"),
    ("after-effect:canary_off", "after-append:action.intended"),
]
BACK = [
    ("after-append:rollback.started",),
    ("after-effect:switch", "before-append:action.reoffered"),
    ("before-effect:canary_off", "after-append:epoch.claimed", "after-append:rollback.step_finished"),
]


def record(cockpit: Cockpit) -> list[Json]:
    """What the simulator says was done to it."""
    addresses = json.loads((cockpit.run.directory / "simulator.json").read_text())
    with urllib.request.urlopen(addresses["record"], timeout=10) as answer:
        found = json.loads(answer.read())
    return list(found["effects"] if isinstance(found, dict) else found)


def die(cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch, point: str, *command: str) -> None:
    """Start an engine that dies at a point, and wait until it has."""
    monkeypatch.setenv("COCKPIT_CRASH_AT", point)
    front = cockpit.start(*command)
    front.wait(timeout=90)
    eventually(lambda: cockpit.run.engine_pid is None)
    monkeypatch.delenv("COCKPIT_CRASH_AT")


def to_the_end(cockpit: Cockpit, code: int) -> tuple[list[Json], Counter[str]]:
    """The events of the last life and the last record of the simulator, which ends with its run."""
    front = cockpit.start("attach", "--headless", "-o", "json")
    counted: Counter[str] = Counter()
    while front.poll() is None:
        with contextlib.suppress(OSError):
            counted = effects(cockpit)
    assert front.stdout is not None
    assert front.returncode == code
    return rows(front.stdout.read()), counted


def effects(cockpit: Cockpit) -> Counter[str]:
    """How often each effect happened to the objects of the run; stamps and the Lease are written anew by each life."""
    return Counter(
        f"{effect['kind']} {effect['target']}"
        for effect in record(cockpit)
        if effect["kind"] not in ("update", "create")
    )


@pytest.mark.parametrize("lives", LIVES, ids=lambda lives: "+".join(lives))
def test_a_run_whose_engines_are_killed_has_each_effect_once(
    cockpit: Cockpit, lives: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    die(cockpit, monkeypatch, lives[0], "rehearse", MINIMAL, "--headless", "--speed", "100")
    for point in lives[1:]:
        die(cockpit, monkeypatch, point, "attach", "--headless")
    events, counted = to_the_end(cockpit, 0)
    assert events[-1]["status"] == "completed"
    assert sum(event["type"] == "engine.started" for event in events) >= len(lives)
    assert counted == {
        "image deployments/minimal-blue": 1,
        "weight ingresses/minimal-canary": 2,  # 50, and 0 as it is taken out of service
        "selector services/minimal-active": 1,
        "canary ingresses/minimal-canary": 1,
    }
    assert cockpit("runs", "--verify").returncode == 0


@pytest.mark.parametrize("lives", BACK, ids=lambda lives: "+".join(lives))
def test_a_rollback_whose_engines_are_killed_goes_back_and_never_forward(
    cockpit: Cockpit, lives: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_CRASH_AT", lives[0])
    cockpit.start("rehearse", MINIMAL, "--headless", "--speed", "20", "--var", "GATE_HOLD=600m")
    eventually(lambda: cockpit("status").returncode == 0)
    eventually(lambda: cockpit.json("status")["traffic"]["commanded"] == 50)
    monkeypatch.delenv("COCKPIT_CRASH_AT")
    cockpit("rollback", "--reason", "told to")
    eventually(lambda: cockpit.run.engine_pid is None)
    for point in lives[1:]:
        die(cockpit, monkeypatch, point, "attach", "--headless")
    events, counted = to_the_end(cockpit, 3)
    assert events[-1]["status"] == "rolled_back"
    started = next(event["seq"] for event in events if event["type"] == "rollback.started")
    later = {event["action"] for event in events if event["type"] == "action.intended" and event["seq"] > started}
    assert later == {"back-switch", "back-canary-off", "back-workloads-green"}
    assert (counted["weight ingresses/minimal-canary"], counted["canary ingresses/minimal-canary"]) == (2, 1)
