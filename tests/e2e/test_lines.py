"""The line to the person breaks in every way, and neither the terminal nor the run is the worse for it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import struct
import termios
from datetime import datetime
from typing import Any

import pytest

from cockpit.link.paths import RunPaths

from .conftest import Cockpit, eventually
from .terminal import Terminal

pytestmark = pytest.mark.e2e
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


def living(cockpit: Cockpit) -> tuple[RunPaths, int]:
    """The run and its engine."""
    paths = cockpit.run
    pid = paths.engine_pid
    assert pid
    return paths, pid


def restored(received: bytes) -> bool:
    """Whether the last words to the terminal leave it as a shell needs it."""
    alternate = received.rfind(b"\x1b[?1049l") > received.rfind(b"\x1b[?1049h") >= 0
    cursor = received.rfind(b"\x1b[?25h") > received.rfind(b"\x1b[?25l")
    mouse = all(received.rfind(b"\x1b[?%dl" % mode) > received.rfind(b"\x1b[?%dh" % mode) for mode in (1000, 1003))
    paste = received.rfind(b"\x1b[?2004l") > received.rfind(b"\x1b[?2004h")
    return alternate and cursor and mouse and paste


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_screen_in_order_and_not_the_run(cockpit: Cockpit, number: int) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--speed", "1")
    terminal.until("moshimoshi 1.0.0", "READY")
    paths, engine = living(cockpit)
    os.kill(terminal.pid, number)
    assert terminal.end() == 128 + number
    assert restored(terminal.received)
    assert paths.engine_pid == engine
    assert cockpit.json("status")["engine"]["alive"]


def test_a_terminal_that_is_gone_ends_the_screen_and_not_the_run(cockpit: Cockpit) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--speed", "1")
    terminal.until("moshimoshi 1.0.0", "READY")
    paths, engine = living(cockpit)
    os.close(terminal._fd)
    eventually(lambda: os.waitpid(terminal.pid, os.WNOHANG)[0], within=15)
    assert paths.engine_pid == engine
    assert cockpit.json("status")["engine"]["alive"]


def test_a_crash_of_a_widget_leaves_the_terminal_and_the_run_well(cockpit: Cockpit) -> None:
    first = Terminal("-m", "cockpit", "demo", "--speed", "1")
    first.until("moshimoshi 1.0.0", "READY")
    paths, engine = living(cockpit)
    crashing = Terminal("-c", BROKEN_WIDGET, "attach", paths.run)
    assert crashing.end() == 1
    assert restored(crashing.received)
    assert CANARY.encode() not in crashing.received
    assert b"The run goes on in its engine" in crashing.received
    (crash,) = (cockpit.home / "crashes").iterdir()
    assert crash.stat().st_mode & 0o777 == 0o600
    assert "RuntimeError" in crash.read_text()
    assert CANARY not in crash.read_text()
    assert paths.engine_pid == engine
    os.kill(first.pid, signal.SIGTERM)
    assert first.end() == 128 + signal.SIGTERM


def test_a_crash_of_the_line_is_said_on_the_screen(cockpit: Cockpit) -> None:
    terminal = Terminal("-c", BROKEN_WORKER, "demo", "--speed", "1")
    terminal.until("ENGINE LOST", "this screen failed")
    paths, engine = living(cockpit)
    assert CANARY not in terminal.text
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert restored(terminal.received)
    assert paths.engine_pid == engine


def test_a_stopped_engine_is_said_and_its_return_too(cockpit: Cockpit) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--speed", "1")
    terminal.until("moshimoshi 1.0.0", "READY")
    _, engine = living(cockpit)
    os.kill(engine, signal.SIGSTOP)
    try:
        terminal.until("ENGINE SILENT", "NOTHING GUARDS", "engine silent")
    finally:
        os.kill(engine, signal.SIGCONT)
    terminal.until_true(lambda: "ENGINE SILENT" not in terminal.text, "it speaks again")
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end()


def unread(terminal: Terminal) -> int:
    """Bytes that the terminal has been sent and nobody has read."""
    return int(struct.unpack("i", fcntl.ioctl(terminal._fd, termios.FIONREAD, b"\0" * 4))[0])


def events(paths: RunPaths, type_: str) -> list[dict[str, Any]]:
    """The events of a type in the journal of a run whose engine has ended."""
    with sqlite3.connect(paths.journal) as connection:
        found = connection.execute("SELECT body FROM events WHERE type = ? ORDER BY seq", (type_,)).fetchall()
    connection.close()
    return [json.loads(body) for (body,) in found]


def test_the_rollback_is_on_time_while_nobody_reads_the_terminal(cockpit: Cockpit) -> None:
    speed = 240.0
    terminal = Terminal(
        "-m", "cockpit", "demo", "--scenario", "error-spike", "--decide", "auto", "--speed", str(int(speed))
    )
    terminal.until("moshimoshi 1.0.0")
    # From here on the terminal is not read: the pty fills up, and with it the screen's process stands still.
    eventually(lambda: unread(terminal) > 2000)
    eventually(lambda: cockpit.json("status")["status"] == "rolled_back")
    stuck = unread(terminal)
    paths, engine = living(cockpit)
    os.kill(engine, signal.SIGTERM)
    eventually(lambda: paths.engine_pid is None)
    assert unread(terminal) == stuck
    tripped = events(paths, "trigger.tripped")[0]
    (started,) = events(paths, "rollback.started")
    (finished,) = events(paths, "rollback.finished")
    due = datetime.fromisoformat(tripped["rollback_at"] or tripped["at"])
    late = datetime.fromisoformat(started["at"]) - due
    assert 0 <= late.total_seconds() <= 1.0 * speed
    assert finished["succeeded"]
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end()
    assert restored(terminal.received)


def journal_lines(terminal: Terminal) -> list[str]:
    """What the journal pane shows, newest last."""
    lines = terminal.text.split("\n")
    start = next((number for number, line in enumerate(lines) if "JOURNAL" in line), len(lines))
    return [line.strip() for line in lines[start + 1 : -1] if line[:1].isdigit()]


def test_attach_shows_the_run_as_it_was(cockpit: Cockpit) -> None:
    first = Terminal("-m", "cockpit", "demo", "--speed", "1")
    first.until("moshimoshi 1.0.0", "READY")
    assert cockpit("hold", "--reason", "the line is about to break").returncode == 0
    first.until("the line is about to break")
    first.press(JOURNAL_LARGE)
    first.until_true(lambda: " opened: " in first.text, "the whole journal")
    before = journal_lines(first)
    os.kill(first.pid, signal.SIGKILL)
    first.end()
    assert cockpit("resume").returncode == 0
    second = Terminal("-m", "cockpit", "attach")
    second.until("moshimoshi 1.0.0", "READY")
    second.press(JOURNAL_LARGE)
    second.until_true(lambda: set(before) <= set(journal_lines(second)), f"shows {before}")
    second.until("Resumed")
    os.kill(second.pid, signal.SIGTERM)
    second.end()


def test_attach_starts_a_killed_engine_and_says_what_it_found(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_CRASH_AT", "after-append:action.intended#1")
    cockpit.start("rehearse", "config/runbooks/minimal.yaml", "--headless", "--speed", "20")
    eventually(lambda: cockpit("status").returncode == 0)
    paths = cockpit.run
    eventually(lambda: paths.engine_pid is None)
    monkeypatch.delenv("COCKPIT_CRASH_AT")
    (action,) = cockpit.json("status", paths.run)["engine"]["left_open"]
    terminal = Terminal("-m", "cockpit", "attach", paths.run)
    terminal.until("events replayed")
    assert b"took up the run" in terminal.received
    assert f"under way was {action}: ".encode() in terminal.received
    assert paths.engine_pid
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end()
