"""Looking closer at the simulator's cluster from a real terminal, with the real lens and the real kubectl."""

from __future__ import annotations

import os
import shutil

import pytest

from .conftest import Cockpit
from .terminal import Terminal

pytestmark = pytest.mark.e2e
ENTER = "\r"


@pytest.fixture(autouse=True)
def _kubectl() -> None:
    if shutil.which("kubectl") is None:
        if os.environ.get("CI"):
            pytest.fail("kubectl is missing")
        pytest.skip("kubectl is missing")


def test_logs_description_shell_and_a_command_of_the_runbook(cockpit: Cockpit) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--speed", "5", size=(120, 40))
    try:
        terminal.until("moshimoshi 1.0.0", "READY")
        terminal.answer("p", "6 of 6 pods", "▶ moshimoshi-")
        terminal.answer("d", "CONDITIONS", "PodScheduled", "Requests")
        terminal.answer("q", "6 of 6 pods")
        terminal.answer("/", "filter by name")
        terminal.answer("green" + ENTER, "3 of 6 pods", "▶ moshimoshi-green")
        terminal.answer("l", "log moshimoshi-green", "● FOLLOWING")
        terminal.answer("q", "3 of 6 pods")
        terminal.answer("s", "LEND THE TERMINAL", "exec -it")
        assert "not simulated" not in terminal.text
        terminal.answer(ENTER, "Leave it to come back", "/ $")
        terminal.answer("ls" + ENTER, "etc")
        terminal.press("exit" + ENTER)
        terminal.until("3 of 6 pods", "Back after")
        terminal.answer("q", "JOURNAL", "Closed: shell in moshimoshi-green")
        terminal.answer("i", "▶ View pods")
        terminal.answer(ENTER, "$ kubectl get pods -n production -w", "RESTARTS", "redis-")
        terminal.answer("K", "ended by hand")
        terminal.answer("q", "▶ View pods")
        terminal.answer("q", "Ran: View pods")
        terminal.answer("W", "redis", "canary, weight 0")
        terminal.answer("\t", "6 of 6 pods")
        terminal.answer("f", "PORT-FORWARD", "any free one")
        terminal.answer(ENTER, "open it")
        terminal.press(ENTER)
        terminal.until("1 listening of 1", "http://127.0.0.1:")
        terminal.answer("q", "6 of 6 pods")
        terminal.answer("q", "JOURNAL", "Port-forward opened")
        terminal.answer("q", "DETACH", "1 port-forward ends with this screen")
        terminal.press(ENTER)
        assert terminal.end() == 0
        assert terminal.cooked
        assert cockpit.run.engine_pid is not None
    finally:
        terminal.kill()


def test_an_observer_cannot_look_closer(cockpit: Cockpit) -> None:
    commander = Terminal("-m", "cockpit", "demo", "--speed", "5")
    observer = None
    try:
        commander.until("moshimoshi 1.0.0", "READY")
        observer = Terminal("-m", "cockpit", "observe", size=(120, 40))
        observer.until("OBSERVER", "READY")
        observer.answer("p", "6 of 6 pods")
        observer.press("sdlf")
        observer.press("q")
        observer.until("JOURNAL")
        observer.press("lWf")
        observer.answer("q", "DETACH")
        observer.press(ENTER)
        assert observer.end() == 0
        assert b"LEND THE TERMINAL" not in observer.received
    finally:
        commander.kill()
        if observer is not None:
            observer.kill()
