from __future__ import annotations

import os
import signal
import time

import pytest

from .conftest import Cockpit, eventually, read_until, rows

pytestmark = pytest.mark.e2e


def test_the_demo_runs_the_whole_runbook_within_a_minute(cockpit: Cockpit) -> None:
    started = time.monotonic()
    done = cockpit("demo", "--headless", "-o", "json")
    assert time.monotonic() - started < 60
    assert done.returncode == 0, done.stderr
    events = rows(done.stdout)
    assert (events[0]["type"], events[0]["seq"]) == ("run.opened", 1)
    assert list(events[0])[:5] == ["seq", "at", "actor", "epoch", "type"]
    assert {"type": "run.closed", "status": "completed"}.items() <= events[-1].items()
    assert sorted(event["seq"] for event in events) == list(range(1, len(events) + 1))
    weights = [event["weight"] for event in events if event["type"] == "traffic.changed"]
    assert [weight for weight in (10, 50, 100) if weight in weights] == [10, 50, 100]
    paths = cockpit.run
    eventually(lambda: paths.engine_pid is None)
    (row,) = cockpit.json("runs")
    assert (row["status"], row["closed"], row["engine"]["alive"]) == ("completed", True, False)
    assert cockpit.json("status", paths.run)["status"] == "completed"
    assert cockpit("attach", paths.run).returncode == 2
    assert {path.stat().st_mode & 0o077 for path in paths.directory.iterdir()} == {0}


def test_an_error_spike_rolls_back_and_is_three(cockpit: Cockpit) -> None:
    done = cockpit("demo", "--scenario", "error-spike", "-o", "json")
    assert done.returncode == 3, done.stderr
    events = rows(done.stdout)
    assert events[-1]["status"] == "rolled_back"
    assert [event["trigger"] for event in events if event["type"] == "trigger.tripped"] == ["error-rate"]
    finished = [event for event in events if event["type"] == "rollback.finished"]
    assert finished[0]["succeeded"]
    assert finished[0]["took_s"] < 300


def test_a_killed_engine_is_started_again_and_ends_the_run(cockpit: Cockpit) -> None:
    first = cockpit.start(
        "rehearse", "config/runbooks/minimal.yaml", "--headless", "-o", "json", "--var", "GATE_HOLD=30m"
    )
    before = read_until(first, lambda event: event["type"] == "gate.opened")
    paths = cockpit.run
    pid = paths.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: paths.engine_pid is None)
    dead = cockpit.json("status")
    assert (dead["engine"]["alive"], dead["traffic"]["commanded"]) == (False, 50)
    assert cockpit("hold").returncode == 2

    again = cockpit("attach", "--headless", "-o", "json")
    assert again.returncode == 0, again.stderr
    events = rows(again.stdout)
    assert [event["seq"] for event in events if event["type"] != "run.closed"] == sorted(
        event["seq"] for event in events if event["type"] != "run.closed"
    )
    assert events[: len(before)] == before
    engines = [event for event in events if event["type"] == "engine.started"]
    assert [engine["replayed"] for engine in engines] == [0, engines[1]["seq"] - 1]
    intents = [event["action"] for event in events if event["type"] == "action.intended"]
    assert intents.count("traffic-50") == 1
    assert first.wait(timeout=30) == 0


def test_a_terminated_engine_leaves_the_run_open(cockpit: Cockpit) -> None:
    cockpit.start("rehearse", "config/runbooks/minimal.yaml", "--headless", "--decide", "ask", "-o", "json")
    eventually(lambda: cockpit("status").returncode == 0)
    paths = cockpit.run
    pid = paths.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: paths.engine_pid is None)
    assert not paths.closed.exists()
    assert not paths.journal.with_name("journal.db-wal").exists()
    assert cockpit.json("status")["engine"] == {"pid": None, "alive": False}
    rolled = cockpit("rollback", "--reason", "practice")
    assert rolled.returncode == 0, rolled.stderr
    assert paths.engine_pid is not None
