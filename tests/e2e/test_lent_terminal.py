"""A shell in the place of the screen, on a real terminal: what comes through, and what is there on return."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .terminal import Terminal

pytestmark = pytest.mark.e2e
ENTER, ESCAPE, CTRL_C, CTRL_D = "\r", "\x1b", "\x03", "\x04"
PROMPT = "$ "


@pytest.fixture
def place(short_path: Path) -> Path:
    """Where the screen saves, and where the test leaves its signs."""
    found = short_path / "place"
    found.mkdir()
    return found


@pytest.fixture
def terminal(place: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    size = getattr(request, "param", (120, 40))
    preview = ("-m", "tests.tui.preview", "gating", "--lens", str(place), "--busy", "--alarm", str(place / "alarm"))
    made = Terminal(*preview, size=size)
    yield made
    made.kill()


def enter_shell(terminal: Terminal) -> None:
    """From the main screen into a shell of the first pod."""
    terminal.until("GATE 2.2")
    terminal.answer("p", "6 of 6 pods")
    terminal.answer("s", "LEND THE TERMINAL", "rings the bell")
    terminal.answer(ENTER, "Leave it to come back")
    terminal.until_true(lambda: terminal.text.rstrip().endswith(("$", "#")), "the shell's prompt")


@pytest.mark.parametrize("terminal", [(120, 40), (80, 24)], indirect=True, ids=["wide", "narrow"])
def test_a_shell_and_back(terminal: Terminal) -> None:
    enter_shell(terminal)
    terminal.answer("echo in-the-$((6*7))" + ENTER, "in-the-42")
    assert "MEASURING" not in terminal.text
    # More values come meanwhile than the screen's writer could queue.
    terminal.answer("sleep 3; echo later" + ENTER, "later\n")
    terminal.press(CTRL_D)
    terminal.until("6 of 6 pods", "MEASURING", "Back after")
    terminal.answer("q", "GATE 2.2", "commanded 50 %")
    assert "in-the-42" not in terminal.text


def test_keys_of_the_terminal_are_the_programs_own(terminal: Terminal) -> None:
    enter_shell(terminal)
    terminal.answer("sh -c 'echo asleep-$((1+1)); exec sleep 60'" + ENTER, "asleep-2")
    terminal.press(CTRL_C)
    terminal.answer("echo still-$((1+1))" + ENTER, "still-2")
    terminal.press("exit" + ENTER)
    terminal.until("6 of 6 pods")


def test_an_alarm_rings_in_the_shell_and_waits_on_return(terminal: Terminal, place: Path) -> None:
    enter_shell(terminal)
    terminal.received = b""
    terminal.press(f"touch {place}/alarm" + ENTER)
    terminal.until("ROLLBACK TRIGGER TRIPPED", "Error rate > 5 %")
    assert b"\x07" in terminal.received
    terminal.press("exit" + ENTER)
    terminal.until("WHILE YOU WERE AWAY", "ROLLBACK TRIGGER TRIPPED", "roll back NOW")
    terminal.answer("R", "Rollback light")
    assert "WHILE YOU WERE AWAY" not in terminal.text


def test_a_program_that_leaves_the_terminal_raw(terminal: Terminal) -> None:
    enter_shell(terminal)
    terminal.press("stty raw -echo; kill -9 $$" + ENTER)
    terminal.until("Enter: back to the cockpit")
    terminal.press(ENTER)
    terminal.until("6 of 6 pods", "Back after")
    terminal.answer("q", "GATE 2.2")
    terminal.answer("q", "DETACH")
    terminal.press(ENTER)
    assert terminal.end() == 0
    assert terminal.cooked


def test_a_signal_ends_screen_and_shell(terminal: Terminal) -> None:
    import os
    import signal

    enter_shell(terminal)
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
