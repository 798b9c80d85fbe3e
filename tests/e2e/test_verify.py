from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from .conftest import Cockpit, eventually, read_until

pytestmark = pytest.mark.e2e
MINIMAL = "config/runbooks/minimal.yaml"


def test_journals_are_checked_and_copied_while_their_run_lives(cockpit: Cockpit, short_path: Path) -> None:
    front = cockpit.start("rehearse", MINIMAL, "--headless", "--decide", "ask", "-o", "json")
    read_until(front, lambda event: event["type"] == "readiness.changed")
    paths = cockpit.run
    (living,) = cockpit.json("runs", "--verify")
    assert (living["run"], living["ok"], living["problem"]) == (paths.run, True, "")
    assert living["rows"] >= 3
    copy = short_path / "copy.db"
    assert "rows, checked" in cockpit.here("runs", "--backup", paths.run, str(copy)).stdout
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM events").fetchone()[0] >= living["rows"]
    assert "exists already" in cockpit.here("runs", "--backup", paths.run, str(copy)).stderr
    assert paths.engine_pid is not None
    assert cockpit.here("close").returncode == 0
    front.wait(timeout=30)
    eventually(lambda: paths.engine_pid is None)

    with sqlite3.connect(paths.journal) as connection:
        connection.executescript("DROP TRIGGER events_last; DELETE FROM events WHERE seq = 2;")
    connection.close()
    damaged = cockpit.here("runs", "--verify", paths.run)
    assert damaged.returncode == 1
    assert "row 2 is missing" in damaged.stdout
    refused = cockpit.here("runs", "--backup", paths.run, str(short_path / "other.db"))
    assert refused.returncode == 1
    assert not (short_path / "other.db").exists()
    assert cockpit.here("runs", paths.run).returncode == 2
