"""The demo in a real terminal, from the first picture to the end of the run, by what the screen shows."""

from __future__ import annotations

import pytest

from .conftest import Cockpit
from .terminal import Terminal

pytestmark = pytest.mark.e2e
ENTER, ARM_AGAIN, NOW = "\r", "\x0c", "\x12"


def advance(cockpit: Cockpit, terminal: Terminal, step: str) -> None:
    """Go on to a step that the banner offers; press again if the situation changed meanwhile, as a person would."""
    for _ in range(4):
        terminal.until_true(lambda: step in terminal.banner and offers(terminal.banner), f"{step} is offered")
        terminal.answer("n", "GO ON", step)
        terminal.press(ENTER)
        terminal.until_true(lambda: "GO ON" not in terminal.text, "the dialog is gone")
        now = cockpit.json("status")["step"]
        if now["id"] > step or (now["id"] == step and now["status"] != "pending"):
            return
    raise AssertionError(f"{step} never started:\n{terminal.text}")


def offers(banner: str) -> bool:
    """Whether the banner says what `n` does now, and not only what comes after."""
    return "NEXT" in banner or "DECIDE" in banner


def begin(cockpit: Cockpit, terminal: Terminal) -> None:
    """Start the run without its checklist, and go on to the first traffic."""
    terminal.until("moshimoshi 1.0.0", "READY")
    terminal.answer("o", "OVERRIDE", "Reason")
    terminal.press("a drill" + ENTER)
    changed = "THE SITUATION CHANGED"
    terminal.until_true(lambda: "OVERRIDE" not in terminal.text or changed in terminal.text, "the dialog answers")
    if changed in terminal.text:
        terminal.press(ARM_AGAIN)
        terminal.until_true(lambda: changed not in terminal.text, "the dialog is armed again")
        terminal.press(ENTER)
    advance(cockpit, terminal, "1.2")
    advance(cockpit, terminal, "2.1")


def test_the_demo_from_the_first_picture_to_completed(cockpit: Cockpit) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--speed", "240")
    try:
        begin(cockpit, terminal)
        for step in ("2.2", "2.3"):
            terminal.until_true(lambda: "Continue or rollback?" in terminal.banner, "the decision is asked")
            advance(cockpit, terminal, step)
        terminal.until_true(lambda: cockpit.json("status")["gate"] is not None, "the gate is open")
        tick(cockpit, "no-user-complaints")
        advance(cockpit, terminal, "3.1")
        advance(cockpit, terminal, "3.2")
        terminal.until("FLUSHALL")
        terminal.answer("n", "Type FLUSHALL")
        terminal.press("FLUSHALL" + ENTER)
        advance(cockpit, terminal, "4.1")
        advance(cockpit, terminal, "4.2")
        for item in ("user-feedback", "support-tickets", "social-media", "application-logs"):
            tick(cockpit, item)
        terminal.until("COMPLETED")
        status = cockpit.json("status")
        assert (status["status"], status["traffic"]["active"]) == ("completed", "blue")
        terminal.answer("q", "DETACH")
        terminal.press(ENTER)
        assert terminal.end() == 0
        assert terminal.restored
        assert terminal.cooked
    finally:
        terminal.kill()


def test_a_rollback_in_a_small_terminal(cockpit: Cockpit) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--speed", "120", size=(80, 24))
    try:
        begin(cockpit, terminal)
        terminal.until("commanded 10 %")
        terminal.answer("R", "ROLL BACK", "Reason")
        terminal.press("users complain" + ENTER)
        terminal.until("Ctrl+R")
        terminal.press(NOW)
        terminal.until("ROLLED BACK", "active green")
        assert cockpit.json("status")["status"] == "rolled_back"
    finally:
        terminal.kill()


def tick(cockpit: Cockpit, item: str) -> None:
    """A second person ticks by a plain command while the screen goes on."""
    done = cockpit.here("tick", item)
    assert done.returncode == 0, done.stderr
