from __future__ import annotations

import os
import signal
import sqlite3

import pytest

from cockpit.cli.spawn import simulator_lives

from .conftest import Cockpit, eventually, read_until

pytestmark = pytest.mark.e2e
MINIMAL = "config/runbooks/minimal.yaml"


def test_a_tampered_journal_is_not_taken_up(cockpit: Cockpit) -> None:
    front = cockpit.start("rehearse", MINIMAL, "--headless", "--decide", "ask", "-o", "json")
    read_until(front, lambda event: event["type"] == "readiness.changed")
    paths = cockpit.run
    assert paths.engine_pid
    os.kill(paths.engine_pid, signal.SIGTERM)
    eventually(lambda: paths.engine_pid is None)
    with sqlite3.connect(paths.journal) as connection:
        connection.executescript(
            "DROP TRIGGER events_stay; UPDATE events SET body = replace(body, 'minimal', 'maximal') WHERE seq = 1;"
        )
    connection.close()
    refused = cockpit("attach", "--headless")
    assert refused.returncode == 1
    assert "row 1 does not fit" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert cockpit.here("status", paths.run).returncode == 1
    assert cockpit.json("runs")[0]["status"] == "unknown"


def test_a_rehearsal_without_its_world_is_not_taken_up(cockpit: Cockpit) -> None:
    front = cockpit.start("rehearse", MINIMAL, "--headless", "--decide", "ask", "-o", "json")
    read_until(front, lambda event: event["type"] == "readiness.changed")
    paths = cockpit.run
    for lock in ("lock", "simulator.lock"):
        os.kill(int((paths.directory / lock).read_text()), signal.SIGKILL)
    eventually(lambda: paths.engine_pid is None and not simulator_lives(paths))
    refused = cockpit.here("attach", "--headless")
    assert refused.returncode == 1
    assert "simulator" in refused.stderr


def test_the_engine_is_a_private_process_of_its_own(cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.example/canary-4711")
    front = cockpit.start("demo", "--headless", "--decide", "ask", "-o", "json")
    read_until(front, lambda event: event["type"] == "readiness.changed")
    paths = cockpit.run
    pid = paths.engine_pid
    assert pid
    assert os.getsid(pid) == pid
    with open(f"/proc/{pid}/limits") as limits:
        core = next(line.split() for line in limits if line.startswith("Max core file size"))
    assert core[4:6] == ["0", "0"]
    assert cockpit.here("close").returncode == 0
    front.wait(timeout=30)
    for path in paths.directory.iterdir():
        assert b"canary-4711" not in path.read_bytes(), path
        assert path.stat().st_mode & 0o077 == 0
