from __future__ import annotations

import json
import os
import re
import signal
import time
from contextlib import suppress

import pytest

from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path

from .conftest import Cockpit, Json, eventually, read_until, rows, simulators_record

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
    assert {standing for _, standing, _ in compared(events)} == {"NOT_WORSE"}
    assert {metric for metric, _, _ in compared(events)} == {"error_rate", "p95_latency"}
    assert all(re.search(r"blue .* [\d,]+ requests, green .* [\d,]+: ", said) for _, _, said in compared(events))
    paths = cockpit.run
    eventually(lambda: paths.engine_pid is None)
    (row,) = cockpit.json("runs")
    assert (row["status"], row["closed"], row["engine"]["alive"]) == ("completed", True, False)
    assert cockpit.json("status", paths.run)["status"] == "completed"
    assert cockpit.here("attach", paths.run).returncode == 2
    the_simulator_saw_every_effect_and_every_announcement(simulators_record(cockpit))
    assert {path.stat().st_mode & 0o077 for path in paths.directory.iterdir()} == {0}


def compared(events: list[Json]) -> list[tuple[str, str, str]]:
    """What the comparisons said: metric, standing, sentence."""
    found = [event["comparison"] for event in events if event["type"] == "metric.compared"]
    return [(each["metric"], each["standing"], each["sentence"]) for each in found]


def the_simulator_saw_every_effect_and_every_announcement(seen: Json) -> None:
    state = seen["state"]
    assert (state["active"], state["canary_enabled"], state["share"]) == ("blue", False, 100.0)
    assert (state["purges"], state["redis_flushes"]) == (1, 1)
    weights = [effect["detail"]["after"] for effect in seen["effects"] if effect["kind"] == "weight"]
    assert weights == ["10", "50", "100", "0"]
    book = load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook
    updates = [update.text for update in book.communications.updates if update.at]
    slack = " ".join(json.dumps(effect) for effect in seen["effects"] if effect["kind"] == "slack")
    assert [text for text in updates if text not in slack] == []
    assert state["messages"]["mail"] == len([mail for mail in book.communications.mails if mail.when != "rolled_back"])
    assert state["messages"]["incidents"] >= len(updates)


def test_an_error_spike_rolls_back_and_is_three(cockpit: Cockpit) -> None:
    done = cockpit("demo", "--scenario", "error-spike", "-o", "json")
    assert done.returncode == 3, done.stderr
    events = rows(done.stdout)
    assert events[-1]["status"] == "rolled_back"
    assert [event["trigger"] for event in events if event["type"] == "trigger.tripped"] == ["error-rate"]
    said = {(metric, standing): sentence for metric, standing, sentence in compared(events)}
    assert re.search(r"blue .* % errors of [\d,]+ requests, .*: worse by more than", said["error_rate", "WORSE"])
    assert ("p95_latency", "WORSE") not in said
    finished = [event for event in events if event["type"] == "rollback.finished"]
    assert finished[0]["succeeded"]
    assert finished[0]["budget_s"] == 300
    steps = [event for event in events if event["type"] == "rollback.step_finished"]
    assert len(steps) == 5
    assert all(step["budget_s"] > 0 and step["took_s"] >= 0 for step in steps)
    state = simulators_record(cockpit)["state"]
    assert (state["share"], state["canary_enabled"], state["active"]) == (0.0, False, "green")


def test_without_prometheus_the_run_never_passes_its_gate_and_says_why(cockpit: Cockpit) -> None:
    done = cockpit("demo", "--scenario", "prometheus-down", "--speed", "900", "-o", "json")
    assert done.returncode == 1, done.stderr
    events = rows(done.stdout)
    types = {event["type"] for event in events}
    assert not {"gate.passed", "gate.overridden", "rollback.started", "trigger.tripped"} & types
    held = [event["reason"] for event in events if event["type"] == "run.held"]
    assert len(held) == 1
    assert "Gate 2.1 does not pass" in held[0]
    assert "Prometheus" in held[0]
    assert simulators_record(cockpit)["state"]["weight"] == 10


def test_a_killed_engine_is_started_again_and_ends_the_run(cockpit: Cockpit) -> None:
    first = cockpit.start(
        "rehearse", "config/runbooks/minimal.yaml", "--headless", "-o", "json", "--speed", "60", "--var", "GATE_HOLD=5m"
    )
    before = read_until(first, lambda event: event["type"] == "gate.opened")
    paths = cockpit.run
    pid = paths.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: paths.engine_pid is None)
    dead = cockpit.json("status")
    assert (dead["engine"]["alive"], dead["traffic"]["commanded"]) == (False, 50)
    assert cockpit.here("hold").returncode == 2
    unseen = cockpit.here("observe")
    assert (unseen.returncode, "Its commander starts it" in unseen.stderr) == (1, True)

    # Two at the same moment find it dead; one of them starts the next.
    beside = cockpit.start("attach", "--headless", "-o", "json")
    again = cockpit("attach", "--headless", "-o", "json")
    assert again.returncode == 0, again.stderr
    events = rows(again.stdout)
    assert (rows(beside.communicate(timeout=30)[0]), beside.returncode) == (events, 0)
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
    front = cockpit.start("rehearse", "config/runbooks/minimal.yaml", "--headless", "--decide", "ask", "-o", "json")
    eventually(lambda: cockpit.here("status").returncode == 0)
    paths = cockpit.run
    pid = paths.engine_pid
    assert pid is not None
    # It would come back and close the run when that is over.
    front.kill()
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: "SIGTERM" in paths.log.read_text())
    # An impatient one; it may have ended already.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: paths.engine_pid is None)
    assert "Traceback" not in paths.log.read_text()
    assert not paths.closed.exists()
    assert not paths.journal.with_name("journal.db-wal").exists()
    assert cockpit.json("status")["engine"] == {"pid": None, "alive": False, "left_open": []}
    rolled = cockpit("rollback", "--reason", "practice")
    assert rolled.returncode == 0, rolled.stderr
    assert paths.engine_pid is not None
