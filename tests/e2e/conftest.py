"""The program as a person starts it: real processes, with state of their own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli.edge import run as carry_out
from cockpit.link.paths import RunPaths, all_runs
from tests.told import told

Json = dict[str, Any]
PATIENCE_S = 60
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
        return self._spawn(*arguments)

    def _spawn(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "cockpit", *arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        self._started.append(process)
        return process

    def here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Carry out a command in this process: for looks and orders, whose process of their own proves nothing more."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = carry_out(arguments)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str) -> Any:
        """Carry out a command here and read what it printed."""
        done = self.here(*arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def engine(self, environ: Mapping[str, str]) -> int:
        """Take up the run in an engine that is a child of this process; returns its exit code."""
        process = self._spawn("engine", str(self.run.directory), env={**os.environ, **environ})
        try:
            process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError(f"it lives past {dict(environ)}:\n{asyncio.run(told(self.run))}") from None
        return process.returncode

    @property
    def run(self) -> RunPaths:
        """The only run."""
        (paths,) = all_runs(self.home)
        return paths

    def living(self) -> tuple[RunPaths, int]:
        """The run and its engine."""
        paths = self.run
        pid = paths.engine_pid
        assert pid
        return paths, pid

    def died(self) -> bool:
        """Whether the run's engine has lived, and lives no more."""
        return any((paths.directory / "lock").exists() and paths.engine_pid is None for paths in all_runs(self.home))

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


def simulators_record(cockpit: Cockpit) -> Json:
    """What the simulator itself saw, written when its rehearsal was over."""
    path = cockpit.run.directory / "simulator-record.json"
    eventually(path.exists)
    found: Json = json.loads(path.read_text())
    return found


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
