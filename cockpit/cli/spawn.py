"""Starts the processes that outlive the terminal they were started from."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cockpit.errors import EngineUnreachable
from cockpit.journal.filesystem import private_file
from cockpit.journal.lock import engine_pid
from cockpit.link.greeting import PROTOCOL, answers, protocol_at
from cockpit.link.paths import RunPaths

READY_WITHIN = 30.0
"""Real seconds in which a process must answer; a healthy one needs about two."""
_LOOK_EVERY = 0.05
_TAIL_LINES = 15
_NOTHING: Mapping[str, str] = MappingProxyType({})
_ROOT = Path(__file__).resolve().parents[2]


def start_engine(paths: RunPaths) -> None:
    """Start a run's engine and wait until it answers, or has ended a run that was only to be closed.

    Raises EngineUnreachable with the end of its log.
    """
    from cockpit.cli.settings import load_settings

    kubeconfig = load_settings(paths).kubeconfig
    # The user's own programs must reach the same cluster, also when another terminal starts the engine again.
    extra = {"KUBECONFIG": kubeconfig} if kubeconfig else {}
    process = detach(["engine", str(paths.directory)], paths.log, extra)
    deadline = time.monotonic() + READY_WITHIN
    while not engine_answers(paths) and not paths.closed.exists():
        if process.poll() is not None and paths.engine_pid is None and not paths.closed.exists():
            raise EngineUnreachable(f"The engine ended at once:\n{tail(paths.log)}", f"Its log: {paths.log}")
        if time.monotonic() > deadline:
            raise EngineUnreachable(
                f"The engine does not answer within {READY_WITHIN:.0f} seconds:\n{tail(paths.log)}",
                f"Its log: {paths.log}",
            )
        time.sleep(_LOOK_EVERY)


def comes_up(paths: RunPaths) -> bool:
    """Wait for the engine that holds the run's lock: True when it answers, False when it has ended instead.

    Raises EngineUnreachable when it does neither, or speaks another protocol than this program.
    """
    deadline = time.monotonic() + READY_WITHIN
    while (pid := paths.engine_pid) is not None:
        spoken = protocol_at(paths.sockets().watch)
        if spoken == PROTOCOL:
            return True
        if spoken is not None:
            raise EngineUnreachable(
                f"The engine (process {pid}) speaks protocol {spoken}, this program {PROTOCOL}: another version.",
                "It goes on with the run: use the cockpit that started it.",
            )
        if time.monotonic() > deadline:
            raise EngineUnreachable(
                f"The engine (process {pid}) lives and does not answer within {READY_WITHIN:.0f} seconds.",
                f"It may be stopped or hang: look at it (ps -o stat= -p {pid}) and at {paths.log}; kill -9 {pid}, "
                "then attach again, and a new one takes up the run.",
            )
        time.sleep(_LOOK_EVERY)
    return False


def says_the_last_word(paths: RunPaths) -> None:
    """Wait for the engine of a run that its journal calls closed to end, which is soon."""
    deadline = time.monotonic() + READY_WITHIN
    while not paths.closed.exists() and paths.engine_pid is not None and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY)


def start_simulator(paths: RunPaths) -> None:
    """Start a rehearsal's simulator and wait until it listens; raises EngineUnreachable with the end of its log."""
    log = paths.directory / "simulator.log"
    process = detach(["simulator-process", str(paths.directory)], log)
    deadline = time.monotonic() + READY_WITHIN
    while not simulator_file(paths).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise EngineUnreachable(f"The simulator does not start:\n{tail(log)}", f"Its log: {log}")
        time.sleep(_LOOK_EVERY)


def simulator_file(paths: RunPaths) -> Path:
    """Where a rehearsal's simulator writes its addresses when it listens."""
    return paths.directory / "simulator.json"


def simulator_lives(paths: RunPaths) -> bool:
    """Whether the simulator of this rehearsal is there."""
    return engine_pid(paths.directory / "simulator.lock") is not None


def engine_answers(paths: RunPaths) -> bool:
    """Whether somebody says hello on the run's sockets."""
    return answers(paths.sockets().watch)


def detach(arguments: list[str], log: Path, extra: Mapping[str, str] = _NOTHING) -> subprocess.Popen[bytes]:
    """Start `cockpit` with these arguments in a session of its own, which no hang-up of this terminal reaches."""
    environ = {**os.environ, **extra}
    if not _installed():
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), environ.get("PYTHONPATH"))))
    output = private_file(log, os.O_WRONLY | os.O_APPEND)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "cockpit", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env=environ,
        )
    finally:
        os.close(output)


def tail(log: Path) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:])
    except OSError:
        return ""


def _installed() -> bool:
    return _ROOT.name == "site-packages"
