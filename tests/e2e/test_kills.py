"""SIGKILL of real engines at named points, in several lives; the simulator's own record says what was done to it."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter

import pytest

from .conftest import ROOT, Cockpit, Json, eventually, rows, simulators_record

pytestmark = pytest.mark.e2e
MINIMAL = "config/runbooks/minimal.yaml"
PARALLEL = "      parallel: true\n"
LIVES = [
    (
        "after-append:run.opened", "before-append:epoch.claimed", "after-append:epoch.claimed",
        "before-append:action.intended", "before-effect:deploy", "after-append:action.reoffered",
        "after-effect:deploy", "before-effect:traffic", "before-append:action.reoffered", "after-effect:traffic",
        "after-append:engine.started",
    ),
    (
        "before-append:action.succeeded#2", "before-effect:switch", "before-effect:switch", "after-effect:switch",
        "after-effect:canary_off", "after-append:action.intended",
    ),
]  # fmt: skip
BACK = (
    "after-append:rollback.started", "after-effect:switch", "before-append:action.reoffered",
    "before-effect:canary_off", "after-append:epoch.claimed", "after-append:rollback.step_finished",
)  # fmt: skip


def born(cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch, point: str, *options: str) -> subprocess.Popen[str]:
    """Start a rehearsal whose engine dies at a point; ways back come one after the other, as the points do."""
    text = (ROOT / MINIMAL).read_text()
    assert PARALLEL in text
    runbook = cockpit.home.parent / "in-order.yaml"
    runbook.write_text(text.replace(PARALLEL, ""))
    monkeypatch.setenv("COCKPIT_CRASH_AT", point)
    front = cockpit.start("rehearse", str(runbook), "--headless", *options)
    monkeypatch.delenv("COCKPIT_CRASH_AT")
    return front


def dies(cockpit: Cockpit, front: subprocess.Popen[str], later: tuple[str, ...]) -> None:
    """Wait until the first engine is dead; each later one dies at its point."""
    eventually(cockpit.died)
    # It would wait for its engine to come back.
    front.kill()
    for point in later:
        assert cockpit.engine({"COCKPIT_CRASH_AT": point}) == -signal.SIGKILL, point


def to_the_end(cockpit: Cockpit, code: int) -> tuple[list[Json], Counter[str]]:
    """The events of the run, and what the simulator says was done to its world."""
    done = cockpit("attach", "--headless", "-o", "json")
    assert done.returncode == code, done.stderr
    return rows(done.stdout), effects(simulators_record(cockpit)["effects"])


def effects(recorded: list[Json]) -> Counter[str]:
    """How often each effect happened to the objects of the run; stamps and the Lease are written anew by each life."""
    return Counter(
        f"{effect['kind']} {effect['target']}" for effect in recorded if effect["kind"] not in ("update", "create")
    )


@pytest.mark.parametrize("lives", LIVES, ids=["to-the-gate", "from-the-switch"])
def test_a_run_whose_engines_are_killed_has_each_effect_once(
    cockpit: Cockpit, lives: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    dies(cockpit, born(cockpit, monkeypatch, lives[0], "--speed", "100"), lives[1:])
    events, counted = to_the_end(cockpit, 0)
    assert events[-1]["status"] == "completed"
    assert sum(event["type"] == "engine.started" for event in events) >= len(lives)
    outcomes = [event["action"] for event in events if event["type"] == "action.succeeded"]
    assert sorted(outcomes) == sorted(set(outcomes))
    assert counted == {
        "image deployments/minimal-blue": 1,
        "weight ingresses/minimal-canary": 2,  # 50, and 0 as it is taken out of service
        "selector services/minimal-active": 1,
        "canary ingresses/minimal-canary": 1,
    }
    assert cockpit.here("runs", "--verify").returncode == 0


def test_a_rollback_whose_engines_are_killed_goes_back_and_never_forward(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = born(cockpit, monkeypatch, BACK[0], "--speed", "20", "--var", "GATE_HOLD=600m")
    eventually(lambda: cockpit.here("status").returncode == 0)
    eventually(lambda: cockpit.json("status")["traffic"]["commanded"] == 50)
    cockpit.here("rollback", "--reason", "told to")
    dies(cockpit, front, BACK[1:])
    events, counted = to_the_end(cockpit, 3)
    assert events[-1]["status"] == "rolled_back"
    started = next(event["seq"] for event in events if event["type"] == "rollback.started")
    later = {event["action"] for event in events if event["type"] == "action.intended" and event["seq"] > started}
    assert later == {"back-switch", "back-canary-off", "back-workloads-green"}
    assert (counted["weight ingresses/minimal-canary"], counted["canary ingresses/minimal-canary"]) == (2, 1)
