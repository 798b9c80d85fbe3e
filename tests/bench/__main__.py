"""`make bench`: one row for each figure, with its reference and the ratio. Nothing is asserted.

`python -m tests.bench NAME ...` measures some groups of rows alone: frames, journal, rollback, write, pods.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import sqlite3
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cockpit.cli import collect_little, collect_seldom
from cockpit.journal.store import Journal
from cockpit.model.events import Noted
from tests.bench.attach import rows as attach_rows
from tests.bench.crowd import NoControlPlane
from tests.bench.pods import pod_rows
from tests.bench.resume import resume
from tests.bench.rollback import rollback_seconds
from tests.bench.row import Row, p99
from tests.bench.trigger import INTERVAL_S, trigger_seconds
from tests.bench.write import write_rows
from tests.engine.world import START

ROUNDS = 7
TURNS, IN_A_TURN = 40, 50
TRIGGERS = 7
EMPTY_APP = """
from textual.app import App
from textual.widgets import Footer, Header
class Empty(App):
    def compose(self):
        yield Header()
        yield Footer()
Empty().run()
"""
OUR_APP = """
from cockpit.cli import collect_seldom
collect_seldom()
from cockpit.tui.app import CockpitApp
def connect():
    from tests.tui.worlds import WORLDS, FakeConnection
    return FakeConnection.showing(WORLDS["ready"]())
CockpitApp(connect).run()
"""


def first_frame(code: str, last_word: bytes) -> float:
    """Real milliseconds from the start of a program until its last pane is painted, on a pty of 160×50."""
    started = time.perf_counter()
    pid, fd = pty.fork()
    if pid:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    else:
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "50"}
        os.execve(sys.executable, [sys.executable, "-c", code], environment)
    seen = b""
    try:
        while last_word not in seen and time.perf_counter() - started < 20:
            if select.select([fd], [], [], 0.05)[0]:
                seen += os.read(fd, 65536)
        return (time.perf_counter() - started) * 1000
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def frames() -> list[Row]:
    """The first frame of the app, and the first with data, beside an empty Textual app."""
    theirs = statistics.median(first_frame(EMPTY_APP, b"palette") for _ in range(ROUNDS))
    panes = statistics.median(first_frame(OUR_APP, b"PHASES") for _ in range(ROUNDS))
    full = statistics.median(first_frame(OUR_APP, b"READY") for _ in range(ROUNDS))
    reference = "empty Textual app"
    return [
        Row("first frame with all panes, median", panes, reference, theirs, "≤ 1.3 ×", "ms"),
        Row("first frame with data, median", full, reference, theirs, "–", "ms"),
    ]


async def durable(directory: Path) -> tuple[list[float], list[float]]:
    """Real milliseconds of single durable appends, and of single FULL commits of SQLite with a row like theirs.

    A disk has better and worse seconds: both take turns on it.
    """
    journal = await Journal.open(directory / "journal.db")
    database = sqlite3.connect(directory / "plain.db", isolation_level=None)
    database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE rows (text)")
    collect_little()
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(TURNS):
        for number in range(IN_A_TURN):
            started = time.perf_counter()
            await journal.append([Noted(at=START, actor="bench", text=f"event {turn} {number}")])
            ours.append((time.perf_counter() - started) * 1000)
        for number in range(IN_A_TURN):
            started = time.perf_counter()
            database.execute("INSERT INTO rows VALUES (?)", (f"event {turn} {number}",))
            theirs.append((time.perf_counter() - started) * 1000)
    database.close()
    await journal.close()
    collect_seldom()
    return ours, theirs


def journal() -> list[Row]:
    """Durable append beside one FULL commit."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o700)
        ours, theirs = asyncio.run(durable(directory))
    reference = "SQLite FULL commit"
    return [
        Row("durable append, median", statistics.median(ours), reference, statistics.median(theirs), "–", "ms"),
        Row("durable append, p99", p99(ours), reference, p99(theirs), "≤ 2 ×", "ms"),
    ]


def resumed() -> list[Row]:
    """From a journal of 100,000 rows to the state, beside the second that is the goal."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o700)
        real, busy = resume(Path(name))
    print(f"resume used {busy:.3f} s of the processor", flush=True)
    return [Row("resume from 100,000 rows, best of 3", real, "the goal", 1.0, "≤ 1 ×", "s")]


def rollback() -> list[Row]:
    """The whole way back in the simulator at real speed beside the source's five minutes."""
    took = [asyncio.run(rollback_seconds()) for _ in range(5)]
    return [Row("whole rollback at real speed, worst of 5", max(took), "the source's budget", 300.0, "≤ 0.2 ×", "s")]


def trigger() -> list[Row]:
    """A trigger that is true in a real Prometheus, until the API server takes the first write of the way back."""
    took = [asyncio.run(trigger_seconds()) for _ in range(TRIGGERS)]
    reference = "one polling interval"
    return [
        Row("trigger true to first write, median", statistics.median(took), reference, INTERVAL_S, "–", "s"),
        Row(f"trigger true to first write, worst of {TRIGGERS}", max(took), reference, INTERVAL_S, "≤ 1.1 ×", "s"),
    ]


GROUPS: dict[str, Callable[[], Iterable[Row]]] = {
    "frames": frames,
    "journal": journal,
    "resume": resumed,
    "rollback": rollback,
    "write": write_rows,
    "pods": pod_rows,
    "trigger": trigger,
    "attach": attach_rows,
}


def main(names: list[str]) -> int:
    """Print every row of these groups, or of all, as it is measured."""
    if unknown := set(names) - set(GROUPS):
        print(f"No such rows: {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    # As the program runs: with its byte code, and with its rhythm of the collector.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    collect_seldom()
    for name in names or GROUPS:
        try:
            for row in GROUPS[name]():
                print(row.line(), flush=True)
        except NoControlPlane as why:
            print(f"{name}: not measured: {why}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
