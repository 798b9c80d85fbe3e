"""The program as a person starts it: real processes, with state of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.link.paths import RunPaths, all_runs

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


class Cockpit:
    """Runs `cockpit` commands."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "cockpit", *arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command whose lines are read one by one."""
        process = subprocess.Popen(
            [sys.executable, "-m", "cockpit", *arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._started.append(process)
        return process

    def json(self, *arguments: str) -> Any:
        """Run a command and read what it printed."""
        done = self(*arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @property
    def run(self) -> RunPaths:
        """The only run."""
        (paths,) = all_runs(self.home)
        return paths

    def end(self) -> None:
        """End whatever a test left behind."""
        for process in self._started:
            process.kill()
            process.communicate()
        eventually(lambda: not [os.kill(pid, signal.SIGKILL) for pid in self._detached()])

    def _detached(self) -> list[int]:
        """The engines and simulators of this test, also those that have just started."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if os.fsencode(self.home) in entry.read_bytes():
                    found.append(int(entry.parent.name))
        return found


@pytest.fixture
def cockpit(home: Path) -> Iterator[Cockpit]:
    program = Cockpit(home)
    yield program
    program.end()


def rows(output: str) -> list[Json]:
    """The events that a command printed."""
    return [json.loads(line) for line in output.splitlines()]


def read_until(process: subprocess.Popen[str], condition: Callable[[Json], bool]) -> list[Json]:
    """Read a command's events up to the first that fits."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(json.loads(line))
        if condition(seen[-1]):
            return seen
    raise AssertionError(f"the program ended after {seen[-1:]}")


def eventually(condition: Callable[[], object], within: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)
