"""`python -m tests.bench attach`: what a screen costs that comes back, and what observers cost the engine.

One engine of its own for each number of observers, at real speed with a run that has started; nothing is asserted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cockpit.journal.store import Journal
from cockpit.link.closing import write_closed
from cockpit.link.line import Line
from cockpit.link.messages import Attach
from cockpit.link.paths import RunPaths, all_runs, create_run
from cockpit.model.events import Noted
from cockpit.model.status import RunStatus
from tests.bench.row import Row, cpu_seconds
from tests.e2e.terminal import Terminal

OBSERVERS = (1, 10, 50)
MEASURED_FOR = 20.0
ROUNDS = 5
DIRECTORIES = 200


@contextmanager
def engine(decide: str) -> Iterator[RunPaths]:
    """A rehearsal at real speed, past its start: at work with `auto`, waiting for its commander with `ask`."""
    with tempfile.TemporaryDirectory(prefix="ck-", dir="/tmp") as name:
        home = Path(name) / "home"
        os.environ["COCKPIT_HOME"] = str(home)
        front = subprocess.Popen(
            [sys.executable, "-m", "cockpit", "demo", "--headless", "--decide", decide, "--speed", "1"],
            stdout=subprocess.DEVNULL,
        )
        try:
            yield _ready(home)
        finally:
            front.kill()
            front.wait()
            for paths in all_runs(home):
                for lock in ("lock", "simulator.lock"):
                    os.kill(int((paths.directory / lock).read_text()), signal.SIGKILL)


def _ready(home: Path) -> RunPaths:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for paths in all_runs(home):
            if paths.engine_pid is not None and paths.sockets().watch.exists():
                time.sleep(5.0)
                return paths
        time.sleep(0.05)
    raise RuntimeError("the engine does not start")


async def observed(paths: RunPaths, observers: int) -> tuple[float, float]:
    """CPU of the engine in percent of a core, and bytes a second to one observer."""
    lines = [await Line.open(paths.sockets().watch, Attach()) for _ in range(observers)]
    counted = [0]

    async def read(number: int, line: Line) -> None:
        while True:
            raw = await line._reader.readline()
            if not raw:
                return
            counted[0] += len(raw) if number == 0 else 0

    readers = [asyncio.create_task(read(number, line)) for number, line in enumerate(lines)]
    await asyncio.sleep(2.0)
    pid = paths.engine_pid or 0
    before, counted[0], began = cpu_seconds(pid), 0, time.monotonic()
    await asyncio.sleep(MEASURED_FOR)
    seconds = time.monotonic() - began
    used, sent = cpu_seconds(pid) - before, counted[0]
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    for line in lines:
        await line.close()
    return 100 * used / seconds, sent / seconds


def attach_ms() -> float:
    """Real milliseconds from the start of `cockpit attach` to the first frame with all of the run's data."""
    began = time.perf_counter()
    terminal = Terminal("-m", "cockpit", "attach")
    terminal.until("moshimoshi 1.0.0", "READY")
    took = (time.perf_counter() - began) * 1000
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end()
    return took


def listing(home: Path) -> tuple[float, float]:
    """Real milliseconds of `cockpit runs` with so many directories, and without any."""
    asyncio.run(_plant(home))
    times = []
    for place in (home, home / "none"):
        environment = {**os.environ, "COCKPIT_HOME": str(place)}
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "cockpit", "runs"], env=environment, stdout=subprocess.DEVNULL, check=True
        )
        times.append((time.perf_counter() - began) * 1000)
    return times[0], times[1]


async def _plant(home: Path) -> None:
    """Three quarters closed runs, one quarter that a dead engine left open."""
    for number in range(DIRECTORIES):
        paths = create_run(home, f"bench-{number:04}")
        journal = await Journal.open(paths.journal)
        await journal.append([Noted(at=datetime.now(UTC), actor="bench", text=f"row {row}") for row in range(300)])
        await journal.close()
        if number % 4:
            write_closed(paths, RunStatus.COMPLETED)


def rows() -> Iterator[Row]:
    """Every figure as it is measured."""
    with engine("ask") as paths:
        yield Row("attach to the first full frame, median", statistics.median(attach_ms() for _ in range(ROUNDS)),
                  "a second", 1000.0, "≤ 1 ×", "ms")  # fmt: skip
        _, sent = asyncio.run(observed(paths, 1))
        yield Row("bytes a second to an observer, idle run", sent, "for scale", 200.0, "–", "B/s")
    with engine("auto") as paths:
        alone = 0.0
        for observers in OBSERVERS:
            used, _ = asyncio.run(observed(paths, observers))
            alone = alone or used
            yield Row(f"engine CPU, {observers} observers", used, "one observer", alone, "≤ 1.3 ×", "%")
    with tempfile.TemporaryDirectory() as name:
        many, none = listing(Path(name) / "home")
        yield Row(f"cockpit runs, {DIRECTORIES} directories", many, "without any", none, "≤ 2 ×", "ms")
