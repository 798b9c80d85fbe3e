"""Programs whose output is read while they run."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from cockpit.adapters.commands import Piece, RunningCommand, cleaned

ENVIRON = {"PATH": os.environ["PATH"]}


def gone(pid: int) -> bool:
    """Whether a process is dead, even if nobody has asked for its exit code."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split()[2] == "Z"


async def ran(*argv: str) -> tuple[list[Piece], int | None]:
    command = await RunningCommand.start(argv, ENVIRON)
    pieces = [piece async for batch in command.output() for piece in batch]
    await command.kill()
    return pieces, command.exit_code


async def test_both_streams_and_the_exit_code() -> None:
    pieces, code = await ran("sh", "-c", "echo out; echo err >&2; printf rest; exit 7")
    assert sorted(pieces) == [Piece("err", True), Piece("out", False), Piece("rest", False)]
    assert code == 7


async def test_no_shell_reads_the_arguments() -> None:
    pieces, _ = await ran("echo", "$HOME; $(id)")
    assert pieces == [Piece("$HOME; $(id)", False)]


async def test_only_the_given_environment_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "x")
    pieces, _ = await ran("env")
    assert not any("A_SECRET" in piece.text for piece in pieces)


async def test_standard_input_is_empty() -> None:
    assert await ran("cat") == ([], 0)


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(OSError, match="no-such-program"):
        await RunningCommand.start(["no-such-program"], ENVIRON)


async def test_the_whole_family_ends(tmp_path: Path) -> None:
    script = f"trap '' TERM; (trap '' TERM; sleep 600) & echo $! >{tmp_path}/child; echo ready; wait"
    command = await RunningCommand.start(["sh", "-c", script], ENVIRON)
    output = command.output()
    assert await anext(output) == [Piece("ready", False)]
    child = int((tmp_path / "child").read_text())
    await command.kill()
    assert command.exit_code is not None
    assert command.exit_code < 0
    assert [batch async for batch in output] == []
    assert gone(child)


async def test_a_flood_waits_for_its_reader() -> None:
    program = "import sys\nfor n in range(10**7): sys.stdout.write('x' * 99 + chr(10))"
    command = await RunningCommand.start([sys.executable, "-c", program], ENVIRON)
    output = command.output()
    seen = len(await anext(output))
    async with asyncio.timeout(60):
        while seen < 20_000:
            seen += len(await anext(output))
    assert command.exit_code is None
    assert command._pieces.qsize() <= 4
    await command.kill()


@pytest.mark.parametrize(
    ("line", "wanted"),
    [("10 %\r50 %\r100 %\r", "100 %"), ("a\tb", "a       b"), ("\x1b[31mred", "\ufffd[31mred"), ("plain\r", "plain")],
)
def test_a_line_as_a_terminal_leaves_it(line: str, wanted: str) -> None:
    assert cleaned(line) == wanted


async def test_bytes_that_are_no_text() -> None:
    pieces, _ = await ran("printf", r"\377\376 x\n")
    assert pieces == [Piece("\ufffd\ufffd x", False)]
