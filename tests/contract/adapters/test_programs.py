"""The user's own programs, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import tracemalloc
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from cockpit.adapters.programs import Programs
from cockpit.adapters.programs import output as printing
from cockpit.adapters.programs.output import HEAD_LINES, TAIL_LINES, Output
from cockpit.errors import Conflict, DeadlineExceeded, Denied, NotFound
from cockpit.model.masking import Mask
from cockpit.model.outside import Printed, Program, ProgramResult

from .stage import until

# Those that are left behind are found by these: no other test on this machine has the same.
MARKED = {"COCKPIT_RUN": f"r{os.getpid()}", "COCKPIT_ACTION": "tool"}


def script(directory: Path, text: str, mode: int = 0o755) -> str:
    path = directory / "tool.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return "./tool.sh"


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


class Journal:
    """What was emitted."""

    def __init__(self) -> None:
        self.printed: list[Printed] = []

    async def emit(self, printed: Printed) -> None:
        self.printed.append(printed)

    def lines(self, stream: str = "out") -> list[str]:
        return [line for printed in self.printed if printed.stream == stream for line in printed.lines]

    @property
    def left_out(self) -> int:
        return sum(printed.left_out for printed in self.printed)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path


async def run(
    place: Path,
    text: str,
    journal: Journal | None = None,
    *,
    words: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
    deadline: float = 20.0,
    secrets: tuple[str, ...] = (),
) -> ProgramResult:
    argv = (script(place, text), *words)
    programs = Programs(place)
    program = Program(argv, programs.inspect(argv), deadline, {**MARKED, **(environ or {})}, Mask(secrets))
    return await programs.run(program, (journal or Journal()).emit)


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def written(file: Path) -> str:
    """The text of a file that a program writes."""
    return await until(partial(asyncio.to_thread, text_of, file), lambda text: text.endswith("\n"))


async def outlived(place: Path, text: str) -> tuple[int, Journal]:
    """The child of a program that its deadline killed, and what was told; a busy machine gets more time to begin."""
    for deadline in (0.5, 2.0, 8.0):
        journal = Journal()
        with pytest.raises(DeadlineExceeded, match="did not end within"):
            await run(place, text, journal, deadline=deadline)
        if text_of(place / "child").endswith("\n"):
            return int((place / "child").read_text()), journal
    raise AssertionError("the program did not begin")


async def gone(pid: int) -> None:
    await until(partial(asyncio.to_thread, alive, pid), lambda lives: not lives)


class TestOutput:
    async def test_output_and_exit_code_come_back(self, place: Path) -> None:
        journal = Journal()
        text = 'echo "first $1"; echo "$COCKPIT_REASON" >&2; exit 7'
        environ = {"COCKPIT_REASON": "$(touch x)"}
        result = await run(place, text, journal, words=("a b; rm -rf x",), environ=environ)
        assert result == ProgramResult(7, ("$(touch x)",))
        assert journal.lines("out") == ["first a b; rm -rf x"]
        assert journal.lines("err") == ["$(touch x)"]
        assert not (place / "x").exists()

    async def test_lines_come_while_it_runs(self, place: Path) -> None:
        journal = Journal()
        task = asyncio.create_task(run(place, "echo begun; while [ ! -e go ]; do sleep 0.05; done", journal))
        await until(partial(asyncio.to_thread, journal.lines), lambda lines: lines == ["begun"])
        (place / "go").touch()
        assert (await task).exit_code == 0

    async def test_the_last_line_needs_no_line_end(self, place: Path) -> None:
        journal = Journal()
        assert (await run(place, "printf 'one\\ntwo'", journal)).tail == ("one", "two")
        assert journal.lines() == ["one", "two"]

    async def test_a_character_may_be_split(self, place: Path) -> None:
        journal = Journal()
        await run(place, r"printf '\342'; sleep 0.3; printf '\202\254 \377\n'", journal)
        assert journal.lines() == ["€ \N{REPLACEMENT CHARACTER}"]

    async def test_control_bytes_are_cleaned_and_colours_dropped(self, place: Path) -> None:
        journal = Journal()
        await run(place, r"printf '\033]0;owned\007\n\033[31mred\033[0m\n10 %%\r20 %%\r\na\tb\n'", journal)
        assert "\x1b" not in "".join(journal.lines())
        assert journal.lines()[1:] == ["red", "20 %", "a    b"]

    async def test_many_lines_are_counted_and_the_last_ones_kept(self, place: Path) -> None:
        journal = Journal()
        await run(place, "seq 1 5000", journal)
        lines = [int(line) for line in journal.lines()]
        assert lines == [*range(1, HEAD_LINES + 1), *range(5001 - TAIL_LINES, 5001)]
        assert journal.left_out == 5000 - HEAD_LINES - TAIL_LINES

    async def test_a_flood_neither_blocks_nor_grows(self, place: Path) -> None:
        journal = Journal()
        tracemalloc.start()
        try:
            result = await run(place, "head -c 100000000 /dev/zero | tr '\\0' '\\n'; echo done", journal, deadline=120)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (result.exit_code, result.tail[-1]) == (0, "done")
        assert journal.left_out == 100_000_001 - HEAD_LINES - TAIL_LINES
        assert peak < 20_000_000, "a fifth of what was printed at the most"
        assert len(journal.printed) < 20

    async def test_one_endless_line_is_cut(self, place: Path) -> None:
        journal = Journal()
        await run(place, "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after", journal)
        assert [len(line) for line in journal.lines()] == [printing.LINE, 5]

    async def test_binary_output_is_harmless(self, place: Path) -> None:
        journal = Journal()
        result = await run(place, "head -c 2000000 /dev/urandom", journal)
        assert result.exit_code == 0
        assert all(line.isprintable() or "\N{REPLACEMENT CHARACTER}" in line for line in journal.lines())
        assert len(journal.lines()) <= HEAD_LINES + TAIL_LINES

    async def test_a_slow_journal_does_not_stop_the_program(self, place: Path) -> None:
        waits = asyncio.Event()

        async def emit(_: Printed) -> None:
            await waits.wait()

        argv = (script(place, "seq 1 100000; echo end > ended"),)
        programs = Programs(place)
        task = asyncio.create_task(programs.run(Program(argv, programs.inspect(argv), 20.0), emit))
        assert await written(place / "ended") == "end\n"
        waits.set()
        assert (await task).exit_code == 0


class TestSecrets:
    async def test_a_secret_that_is_echoed_is_masked(self, place: Path) -> None:
        journal = Journal()
        text = 'echo "token=$TOKEN"; echo "$TOKEN" >&2; exit 3'
        result = await run(place, text, journal, environ={"TOKEN": "s3cr3t-value"}, secrets=("s3cr3t-value",))
        assert journal.lines("out") == ["token=***"]
        assert result.tail == ("***",)

    @pytest.mark.parametrize("text", ["seq 1 3000; echo $TOKEN", "for i in 1 2 3 4 5 6 7 8 9; do printf $TOKEN; done"])
    async def test_no_part_of_a_secret_stays_where_output_is_cut(self, place: Path, text: str) -> None:
        journal, secret = Journal(), "".join(f"<{number:03}>" for number in range(60))
        await run(place, text, journal, environ={"TOKEN": secret}, secrets=(secret,))
        assert journal.lines()[-1] in ("***", "…")
        assert "<0" not in "".join(journal.lines())

    def test_the_tail_of_a_flood_holds_no_part_of_a_secret(self) -> None:
        """The tail begins in the midst of a line, which may be the midst of a secret."""
        secret = "".join(f"<{number:03}>" for number in range(60))
        stream = printing.Stream(Mask([secret]))
        for _ in range(400):
            stream.skip(f"{secret} {secret}".encode())
        stream.skip(b"\nlast\n")
        assert stream.tail() == (1, ("last",))

    async def test_the_environment_is_an_allow_list(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "canary-secret")
        monkeypatch.setenv("KUBECONFIG", "/run/kubeconfig")
        journal = Journal()
        await run(place, "env", journal)
        assert "canary-secret" not in "".join(journal.lines())
        assert any(line.startswith("PATH=") for line in journal.lines())
        assert "KUBECONFIG=/run/kubeconfig" in journal.lines()


class TestEnding:
    async def test_it_is_killed_with_its_children_at_the_deadline(self, place: Path) -> None:
        child, journal = await outlived(place, "echo working; sleep 300 & echo $! > child; wait")
        await gone(child)
        assert journal.lines() == ["working"]

    async def test_sigterm_that_is_ignored_is_followed_by_sigkill(self, place: Path) -> None:
        text = "trap '' TERM; (trap '' TERM; echo $$ >/dev/null; sleep 300) & echo $! > child; wait; sleep 300"
        child, _ = await outlived(place, text)
        await gone(child)

    async def test_a_grandchild_in_a_session_of_its_own_is_found(self, place: Path) -> None:
        child, _ = await outlived(place, "setsid sh -c 'trap \"\" TERM; echo $$ > child; sleep 300' & wait")
        await gone(child)

    async def test_a_cancelled_one_is_killed(self, place: Path) -> None:
        task = asyncio.create_task(run(place, "sleep 300 & echo $! > child; wait"))
        child = int(await written(place / "child"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone(child)

    async def test_one_that_is_cancelled_twice_is_killed_all_the_same(self, place: Path) -> None:
        task = asyncio.create_task(run(place, "trap '' TERM; echo $$ > child; while :; do sleep 1; done"))
        child = int(await written(place / "child"))
        task.cancel()
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone(child)

    async def test_a_child_that_is_left_in_the_background_holds_nothing_up(self, place: Path) -> None:
        result = await run(place, "sleep 300 & echo $! > child; echo ready", deadline=60.0)
        assert result == ProgramResult(0, ("ready",))
        await gone(int((place / "child").read_text()))

    async def test_a_signal_is_told_from_an_exit_code(self, place: Path) -> None:
        assert (await run(place, "kill -SEGV $$")).exit_code == -signal.SIGSEGV

    async def test_what_an_earlier_engine_left_behind_is_found(self, place: Path) -> None:
        task = asyncio.create_task(run(place, "echo $$ > child; exec sleep 300"))
        child = int(await written(place / "child"))
        assert child in Programs(place).left_behind(MARKED)
        assert Programs(place).left_behind({**MARKED, "COCKPIT_ACTION": "other"}) == ()
        assert await Programs(place).end_left_behind({**MARKED, "COCKPIT_ACTION": "other"}) == ()
        assert alive(child)
        assert child in await Programs(place).end_left_behind(MARKED)
        assert not alive(child)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class TestTrust:
    @pytest.mark.parametrize(("mode", "words"), [(0o757, "written by everybody"), (0o644, "not executable")])
    def test_programs_that_cannot_be_trusted_are_refused(self, place: Path, mode: int, words: str) -> None:
        with pytest.raises(Denied, match=words):
            Programs(place).inspect((script(place, "true", mode),))

    def test_a_folder_that_everybody_may_write_is_refused_however_far_above(self, place: Path) -> None:
        folder = place / "a" / "b"
        folder.mkdir(parents=True)
        argv = (script(folder, "true"),)
        (place / "a").chmod(0o777)
        with pytest.raises(Denied, match="/a can be written by everybody"):
            Programs(folder).inspect(argv)
        (place / "a").chmod(0o755)
        assert len(Programs(folder).inspect(argv)) == 64

    def test_a_sticky_folder_is_fine(self, place: Path) -> None:
        place.chmod(0o1777)
        assert Programs(place).inspect((script(place, "true"),))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_what_belongs_to_others_is_refused(self, place: Path) -> None:
        argv = (script(place, "true"),)
        os.chown(place / "tool.sh", 0, 54_321)
        (place / "tool.sh").chmod(0o775)
        with pytest.raises(Denied, match="written by the group 54321"):
            Programs(place).inspect(argv)
        os.chown(place / "tool.sh", 12_345, 0)
        with pytest.raises(Denied, match="belongs to user 12345"):
            Programs(place).inspect(argv)

    def test_the_way_of_a_symbolic_link_is_looked_at(self, place: Path) -> None:
        for name in ("open", "bin"):
            (place / name).mkdir()
        argv = (script(place / "open", "true"),)
        (place / "bin" / "tool.sh").symlink_to(place / "open" / "tool.sh")
        assert Programs(place / "bin").inspect(argv)
        (place / "open").chmod(0o777)
        with pytest.raises(Denied, match="/open can be written by everybody"):
            Programs(place / "bin").inspect(argv)
        (place / "open").chmod(0o755)

    async def test_the_name_it_is_called_by_stays(self, place: Path) -> None:
        script(place, 'basename "$0"')
        (place / "other.sh").symlink_to("tool.sh")
        programs, journal = Programs(place), Journal()
        program = Program(("./other.sh",), programs.inspect(("./other.sh",)), 20.0)
        await programs.run(program, journal.emit)
        assert journal.lines() == ["other.sh"]

    async def test_a_file_that_was_changed_since_is_not_started(self, place: Path) -> None:
        argv = (script(place, "true"),)
        programs = Programs(place)
        digest = programs.inspect(argv)
        script(place, "touch ran")
        with pytest.raises(Conflict, match="was changed after it was journaled"):
            await programs.run(Program(argv, digest, 20.0), Journal().emit)
        assert not (place / "ran").exists()

    async def test_a_link_that_was_turned_since_is_not_followed(self, place: Path) -> None:
        for name, text in (("good", "true"), ("bad", "touch ran")):
            (place / name).mkdir()
            script(place / name, text)
        link = place / "tool"
        link.symlink_to("good/tool.sh")
        programs = Programs(place)
        digest = programs.inspect(("./tool",))
        link.unlink()
        link.symlink_to("bad/tool.sh")
        with pytest.raises(Conflict, match="was changed"):
            await programs.run(Program(("./tool",), digest, 20.0), Journal().emit)
        assert not (place / "ran").exists()

    def test_a_missing_program_is_named(self, place: Path) -> None:
        with pytest.raises(NotFound, match="nowhere"):
            Programs(place).inspect(("./nowhere.sh",))

    def test_a_link_in_a_circle_is_named(self, place: Path) -> None:
        (place / "a").symlink_to("b")
        (place / "b").symlink_to("a")
        with pytest.raises(NotFound):
            Programs(place).inspect(("./a",))


def test_feeding_stops_cutting_lines_when_the_head_is_full() -> None:
    async def emit(_: Printed) -> None:
        raise AssertionError("nothing is emitted before the end")

    output = Output(Mask(), emit)
    output.feed("out", b"x\n" * 1_000_000)
    assert len(output._pending) == HEAD_LINES
