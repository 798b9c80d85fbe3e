"""The runbook's own commands, run from the reference screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.model.snapshot import ReferenceEntry, ReferenceView, Snapshot
from cockpit.tui.screens.output import OutputScreen
from tests.tui.helpers import NARROW
from tests.tui.test_closer import Looker, looking
from tests.tui.test_hostile import assert_inert
from tests.tui.worlds import snapshot


def offering(*argv: str, interactive: bool = False) -> Snapshot:
    """A runbook with one command."""
    entry = ReferenceEntry(title="It", detail=" ".join(argv), argv=argv, interactive=interactive)
    return snapshot(reference=ReferenceView(commands=(entry,)))


async def start(on: Looker) -> None:
    await on.press("i")
    await on.see("▶ It")
    await on.press("enter")


async def test_a_reading_command_runs_at_once_and_leaves_a_row(tmp_path: Path) -> None:
    async with looking(tmp_path, size=NARROW) as on:
        await on.press("i")
        await on.see("▶ View pods", "▷ Say hello")
        await on.press("down", "down")
        await on.see("▶ Say hello", "▷ View pods")
        await on.press("enter")
        await on.see("$ echo hello", "exit code 0 after 0:0", "■ ENDED")
        assert "  hello" in on.text
        assert on.notes() == ["Ran: Say hello – echo hello"]


async def test_standard_error_and_a_failure_are_seen(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("cat", "/no/such/file")) as on:
        await start(on)
        await on.see("! cat: /no/such/file", "exit code 1")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("sh", "-c", "echo ran"), "It may change something"),
        (("kubectl", "delete", "pod", "x"), "It changes something"),
        (("curl", "-X", "POST", "http://127.0.0.1:1"), "It changes something"),
    ],
)
async def test_what_may_change_something_asks_first(tmp_path: Path, argv: tuple[str, ...], words: str) -> None:
    async with looking(tmp_path, offering(*argv), NARROW) as on:
        await start(on)
        await on.see("RUN A COMMAND", words, "past the run")
        await on.press("escape")
        await on.see("▶ It")
        assert on.notes() == []


async def test_a_changing_command_has_a_row_for_its_end_too(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("sh", "-c", "exit 3")) as on:
        await start(on)
        await on.see("RUN A COMMAND")
        await on.press("enter")
        await on.see("exit code 3")
        await on.until(lambda: len(on.notes()) == 2, "two rows")
        assert on.notes()[1].startswith("Ended: It, exit code 3 after 0:0")


async def test_a_rehearsal_warns_of_what_is_not_simulated(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("cat", "/dev/null"), rehearsal=True) as on:
        await start(on)
        await on.see("This is a rehearsal, but the program is not simulated")


async def test_kubectl_stays_inside_a_rehearsal(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("kubectl", "version", "--client"), rehearsal=True) as on:
        await start(on)
        await on.see("$ kubectl version --client")


async def test_a_running_program_is_ended_by_its_key(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("tail", "-f", "/dev/null")) as on:
        await start(on)
        await on.see("$ tail -f /dev/null", "● FOLLOWING")
        await on.press("K")
        await on.see("ended by hand, exit code -15 after", "■ ENDED")
        await on.press("r")
        await on.see("● FOLLOWING")


async def test_leaving_ends_the_program(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("tail", "-f", "/dev/null")) as on:
        await start(on)
        await on.see("● FOLLOWING")
        screen = on.app.screen
        assert isinstance(screen, OutputScreen)
        command = screen.running
        assert command is not None
        await on.press("escape")
        await on.until(lambda: command.exit_code is not None, "the program has ended")


async def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("kubectl-nothing", "get")) as on:
        await start(on)
        await on.see("RUN A COMMAND")
        await on.press("enter")
        await on.see("kubectl-nothing cannot be started", "✖ CUT")


async def test_hostile_output_is_inert(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("echo", "\x1b]52;c;aGk=\x07[@click=app.leave]x[/]\x9b31m\u202e")) as on:
        await start(on)
        await on.see("exit code 0", "[@click=app.leave]")
        assert_inert(on.text)


async def test_an_interactive_command_asks_for_the_terminal(tmp_path: Path) -> None:
    async with looking(tmp_path, offering("sh", "-i", interactive=True), NARROW) as on:
        await start(on)
        await on.see("LEND THE TERMINAL", "sh -i")


async def test_without_a_lens_nothing_can_be_run(tmp_path: Path) -> None:
    from tests.tui.helpers import cockpit, press, screen_text

    async with cockpit(offering("echo", "x")) as (app, pilot, line):
        await press(pilot, "i")
        assert "▶" not in screen_text(app).split("COMMANDS")[1]
        await press(pilot, "enter")
        assert line.orders == []
