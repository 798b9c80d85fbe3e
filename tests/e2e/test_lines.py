"""The line to the person breaks in every way, and neither the terminal nor the run is the worse for it."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli.settings import load_settings
from cockpit.link.paths import RunPaths

from .conftest import Cockpit, eventually
from .terminal import Terminal

pytestmark = pytest.mark.e2e
MINIMAL = "config/runbooks/minimal.yaml"
JOURNAL_LARGE = "9"
CANARY = "canary-4711-local"
BROKEN_WIDGET = f"""
import sys
from widgets.pods_pane import PodsPane
def broken(self, *rest):
    secret = "{CANARY}"
    raise RuntimeError(secret)
PodsPane.watch_now = broken
PodsPane.body = broken
PodsPane.render = broken
from cockpit.cli import main
main()
"""
BROKEN_WORKER = f"""
import sys
from cockpit.tui.listener import Listener
def broken(self, update):
    secret = "{CANARY}"
    raise RuntimeError(secret)
Listener.take = broken
from cockpit.cli import main
main()
"""
KERNEL_HOLDS = 4_000
"""Bytes that a pty keeps for who does not read it, at least; the screen's first frame alone is longer."""


@pytest.fixture
def run(cockpit: Cockpit) -> Iterator[tuple[str, ...]]:
    """`cockpit run` of a real runbook against `cockpit simulate`, as the words of its command."""
    world = cockpit.start("simulate", MINIMAL)
    assert world.stdout is not None
    said = ""
    while "Ctrl+C" not in said:
        said += world.stdout.readline()
    kubeconfig, prometheus = re.findall(r"(?:KUBECONFIG=|prometheus +)(\S+)", said)
    yield ("run", MINIMAL, "--kubeconfig", kubeconfig, "--var", f"PROMETHEUS_URL={prometheus}")
    world.terminate()
    world.communicate(timeout=20)
    assert world.returncode == 0


def test_a_line_that_breaks_ends_the_screen_in_order_and_not_the_run(cockpit: Cockpit, run: tuple[str, ...]) -> None:
    """Hang-up, termination and a closed terminal, one after the other, on one run against its cluster."""
    first = Terminal("-m", "cockpit", *run)
    first.until("1.1", "READY")
    paths, engine = cockpit.living()
    assert load_settings(paths).rehearsal is None
    assert first.signalled(signal.SIGHUP) == 128 + signal.SIGHUP
    assert first.restored
    assert first.cooked

    assert cockpit.here("hold", "--reason", "the line has broken").returncode == 0
    second = Terminal("-m", "cockpit", "attach")
    second.until("the line has broken", "READY")
    before = whole_journal(second)
    assert second.signalled(signal.SIGTERM) == 128 + signal.SIGTERM
    assert second.restored
    assert second.cooked

    assert cockpit.here("resume").returncode == 0
    third = Terminal("-m", "cockpit", "attach")
    third.until("Resumed", "READY")
    assert set(before) <= set(whole_journal(third)), "the run as it was"
    third.hang_up()

    assert paths.engine_pid == engine
    assert cockpit.json("status")["engine"]["alive"]
    assert cockpit.here("close").returncode == 0
    eventually(paths.closed.exists)


def whole_journal(terminal: Terminal) -> list[str]:
    """The journal pane, large and from its first row."""
    terminal.press(JOURNAL_LARGE)
    terminal.until_true(lambda: " opened: " in terminal.text, "the whole journal")
    return journal_lines(terminal)


def test_what_breaks_on_this_side_is_said_and_leaves_the_run_well(cockpit: Cockpit) -> None:
    """A widget that crashes, a line that crashes, an engine that is stopped: one run, three screens."""
    first = Terminal("-m", "cockpit", "demo", "--speed", "1")
    first.until("moshimoshi 1.0.0", "READY")
    paths, engine = cockpit.living()
    a_widget_crashes(cockpit, paths)
    the_line_crashes(paths)
    os.kill(engine, signal.SIGSTOP)
    try:
        first.until("ENGINE SILENT", "NOTHING GUARDS", "engine silent")
    finally:
        os.kill(engine, signal.SIGCONT)
    first.until_true(lambda: "ENGINE SILENT" not in first.text, "it speaks again")
    assert paths.engine_pid == engine
    assert first.signalled(signal.SIGTERM) == 128 + signal.SIGTERM


def a_widget_crashes(cockpit: Cockpit, paths: RunPaths) -> None:
    crashing = Terminal("-c", BROKEN_WIDGET, "attach", paths.run)
    assert crashing.end() == 1
    assert crashing.restored
    assert CANARY.encode() not in crashing.received
    assert b"The run goes on in its engine" in crashing.received
    (crash,) = (cockpit.home / "crashes").iterdir()
    assert crash.stat().st_mode & 0o777 == 0o600
    assert "RuntimeError" in crash.read_text()
    assert CANARY not in crash.read_text()


def the_line_crashes(paths: RunPaths) -> None:
    deaf = Terminal("-c", BROKEN_WORKER, "attach", paths.run)
    deaf.until("ENGINE LOST", "this screen failed")
    assert CANARY not in deaf.text
    assert deaf.signalled(signal.SIGTERM) == 128 + signal.SIGTERM
    assert deaf.restored


def events(paths: RunPaths, type_: str) -> list[dict[str, Any]]:
    """The events of a type in the journal of a run whose engine has ended."""
    with sqlite3.connect(paths.journal) as connection:
        found = connection.execute("SELECT body FROM events WHERE type = ? ORDER BY seq", (type_,)).fetchall()
    connection.close()
    return [json.loads(body) for (body,) in found]


def test_the_guard_counts_down_and_rolls_back_while_nobody_reads_the_terminal(
    cockpit: Cockpit, short_path: Path
) -> None:
    book, speed = short_path / "runbook.yaml", 30
    trigger = "metric: error_rate, above: 5"
    book.write_text(Path(MINIMAL).read_text().replace(trigger, f"{trigger}, response: prompt, countdown: 60s"))
    terminal = Terminal(
        "-m", "cockpit", "rehearse", str(book), "--scenario", "error-spike", "--decide", "auto", "--speed", str(speed),
        "--var", "GATE_HOLD=30m",
    )  # fmt: skip
    terminal.until("READY")
    paths, engine = cockpit.living()
    # From here on the terminal is not read: the kernel takes no more, and the screen's process stands still.
    eventually(lambda: terminal.unread > KERNEL_HOLDS)
    eventually(lambda: blocked(terminal))
    stuck = (terminal.unread, terminal.cpu)
    since = load_settings(paths).clock.clock().now()
    eventually(lambda: cockpit.json("status")["status"] == "rolled_back")
    assert (terminal.unread, terminal.cpu) == stuck, "the screen was not blocked all the time"
    # With its last words it finds no room, and makes some.
    assert terminal.signalled_unread(signal.SIGTERM) == 128 + signal.SIGTERM
    assert terminal.restored
    assert terminal.cooked
    os.kill(engine, signal.SIGTERM)
    eventually(lambda: paths.engine_pid is None)
    (tripped,) = events(paths, "trigger.tripped")
    (started,) = events(paths, "rollback.started")
    (finished,) = events(paths, "rollback.finished")
    at, due = (datetime.fromisoformat(tripped[name]) for name in ("at", "rollback_at"))
    assert since < at
    assert due - at == timedelta(seconds=60)
    assert due <= datetime.fromisoformat(started["at"]) <= due + timedelta(seconds=5 * speed)
    assert finished["succeeded"]


def blocked(terminal: Terminal) -> bool:
    """Whether a screen with a running clock has not worked for a second."""
    before = (terminal.unread, terminal.cpu)
    time.sleep(1.0)
    return (terminal.unread, terminal.cpu) == before


def journal_lines(terminal: Terminal) -> list[str]:
    """What the journal pane shows, newest last."""
    lines = terminal.text.split("\n")
    start = next((number for number, line in enumerate(lines) if "JOURNAL" in line), len(lines))
    return [line.strip() for line in lines[start + 1 : -1] if line[:1].isdigit()]


def test_attach_starts_a_killed_engine_and_says_what_it_found(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_CRASH_AT", "after-append:action.intended#1")
    front = cockpit.start("rehearse", MINIMAL, "--headless", "--speed", "20")
    eventually(cockpit.died)
    front.kill()
    paths = cockpit.run
    monkeypatch.delenv("COCKPIT_CRASH_AT")
    (action,) = cockpit.json("status", paths.run)["engine"]["left_open"]
    terminal = Terminal("-m", "cockpit", "attach", paths.run)
    terminal.until("events replayed")
    assert b"took up the run" in terminal.received
    assert f"under way was {action}: ".encode() in terminal.received
    assert paths.engine_pid
    terminal.kill()
