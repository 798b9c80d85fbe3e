# ruff: noqa: ASYNC240, ASYNC221
"""A disk that takes no rows: they are kept in a second place and move into the journal when it is well again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import JournalDamaged, JournalError
from cockpit.journal.spill import spill_place
from cockpit.journal.store import Journal
from cockpit.link.listener import bind
from cockpit.link.paths import RunPaths, write_private
from cockpit.model.events import Event, Noted

AT = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)


def note(text: str) -> Event:
    return Noted(at=AT, actor="agent1", text=text)


def texts(events: tuple[Event, ...]) -> list[str]:
    return [event.text for event in events if isinstance(event, Noted)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.db"


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere.jsonl"


async def limit(journal: Journal, pages: int | None) -> None:
    """Give the file no more room than it has, or as much as it wants."""
    execute = journal._open_record._database._connection.execute
    used = await journal._thread.run(lambda: execute("PRAGMA page_count").fetchone()[0])
    await journal._thread.run(lambda: execute(f"PRAGMA max_page_count={pages or used}").fetchone())


async def degraded(path: Path, spill: Path) -> Journal:
    journal = await Journal.open(path, spill=spill)
    await journal.append([note("kept")])
    await limit(journal, None)
    rows = await journal.append([note("x" * 60_000)])
    assert rows[0].seq == 2
    return journal


async def test_rows_that_the_disk_refuses_go_on_elsewhere(path: Path, spill: Path) -> None:
    journal = await degraded(path, spill)
    assert "the disk is full" in journal.problem
    assert [row.seq for row in await journal.append([note("three"), note("four")])] == [3, 4]
    assert texts(await journal.read(2, 10)) == ["three", "four"]
    assert texts(await journal.read(0, 2)) == ["three", "four"]
    assert texts(await journal.replay())[::3] == ["kept", "four"]
    assert spill.stat().st_mode & 0o777 == 0o600
    await journal.close()


async def test_they_move_into_the_journal_when_it_is_well_again(path: Path, spill: Path) -> None:
    journal = await degraded(path, spill)
    await limit(journal, 100_000)
    await journal.append([])
    assert journal.problem == ""
    assert not spill.exists()
    await journal.append([note("last")])
    await journal.close()
    later = await Journal.open(path)
    assert [event.seq for event in await later.replay()] == [1, 2, 3]
    await later.close()


async def test_an_engine_that_died_meanwhile_leaves_its_rows_to_the_next(path: Path, spill: Path) -> None:
    journal = await degraded(path, spill)
    await journal.append([note("rolled back")])
    await journal.close()
    with spill.open("ab") as file:
        file.write(b'{"hash": "half a li')
    reader = await Journal.open(path, writer=False, spill=spill)
    assert texts(await reader.replay())[-1] == "rolled back"
    await reader.close()
    later = await Journal.open(path, spill=spill)
    assert texts(await later.replay())[-1] == "rolled back"
    assert later.problem
    await later.append([note("on")])
    assert later.problem == ""
    await later.close()
    whole = await Journal.open(path)
    assert texts(await whole.replay())[-2:] == ["rolled back", "on"]
    await whole.close()


async def test_half_a_line_never_swallows_the_next_one(path: Path, spill: Path) -> None:
    """Killed in the middle of a line, the next engine writes on, and is killed too."""
    journal = await degraded(path, spill)
    await journal.close()
    for text in ("first", "second"):
        with spill.open("ab") as file:
            file.write(b'{"hash": "half a li')
        journal = await Journal.open(path, spill=spill)
        await limit(journal, None)
        await journal.append([note(text)])
        assert journal.problem
        await journal.close()
    reader = await Journal.open(path, writer=False, spill=spill)
    assert texts(await reader.replay())[-2:] == ["first", "second"]
    await reader.close()


async def test_a_second_place_that_fails_for_a_while_has_every_row_later(
    path: Path, spill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await degraded(path, spill)
    write = os.write
    with monkeypatch.context() as full:
        full.setattr("cockpit.journal.spill.os.write", lambda descriptor, data: write(descriptor, data[:7]))
        await journal.append([note("in memory alone")])
    await journal.append([note("room again")])
    # The end of a login empties /run/user and /dev/shm.
    spill.unlink()
    await journal.append([note("begun anew")])
    await journal.close()
    reader = await Journal.open(path, writer=False, spill=spill)
    assert texts(await reader.replay())[-3:] == ["in memory alone", "room again", "begun anew"]
    await reader.close()


async def test_a_changed_row_is_damage(path: Path, spill: Path) -> None:
    journal = await degraded(path, spill)
    await journal.close()
    spill.write_bytes(spill.read_bytes().replace(b"xxx", b"xyx", 1))
    with pytest.raises(JournalDamaged, match="does not follow"):
        await Journal.open(path, spill=spill)


async def test_without_a_second_place_it_is_an_error(path: Path) -> None:
    journal = await Journal.open(path)
    await journal.append([note("kept")])
    await limit(journal, None)
    with pytest.raises(JournalError, match="the disk is full"):
        await journal.append([note("x" * 60_000)])
    await journal.close()


async def test_a_backup_is_whole_and_private(path: Path, tmp_path: Path) -> None:
    journal = await Journal.open(path)
    await journal.append([note("one"), note("two")])
    copy = tmp_path / "copy" / "journal.db"
    copy.parent.mkdir(mode=0o700)
    await journal.back_up(copy)
    with pytest.raises(JournalError, match="exists already"):
        await journal.back_up(copy)
    await journal.close()
    assert copy.stat().st_mode & 0o777 == 0o600
    found = await Journal.open(copy)
    assert texts(await found.replay()) == ["one", "two"]
    await found.close()


async def test_a_backup_has_the_rows_that_the_disk_refused(path: Path, spill: Path, tmp_path: Path) -> None:
    journal = await degraded(path, spill)
    await journal.append([note("rolled back")])
    assert journal.waiting == 2
    copy = tmp_path / "copy" / "journal.db"
    copy.parent.mkdir(mode=0o700)
    await journal.back_up(copy)
    await journal.close()
    found = await Journal.open(copy)
    assert [event.seq for event in await found.replay()] == [1, 2, 3]
    assert (texts(await found.replay())[-1], found.waiting) == ("rolled back", 0)
    await found.append([note("after")])
    await found.close()
    assert spill.exists()


def test_what_an_earlier_engine_left_is_found_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setattr("cockpit.journal.spill.spill_directories", lambda environ: (first / "c", second / "c"))
    monkeypatch.setattr("cockpit.journal.spill._device", lambda path: {first: 2, second: 3}.get(path, 1))
    for place in (first, second):
        (place / "c").mkdir(parents=True, mode=0o700)
    journal = tmp_path / "run-1" / "journal.db"
    assert spill_place(journal, {}) == first / "c" / "run-1.spill.jsonl"
    (second / "c" / "run-1.spill.jsonl").touch()
    assert spill_place(journal, {}) == second / "c" / "run-1.spill.jsonl"


def test_the_second_place_is_on_another_file_system(tmp_path: Path) -> None:
    journal = tmp_path / "run-1" / "journal.db"
    journal.parent.mkdir()
    place = spill_place(journal, {})
    if place.parent != journal.parent:
        assert place.parent.stat().st_dev != tmp_path.stat().st_dev
    assert place.name == "run-1.spill.jsonl"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k,mode=700", "tmpfs", disk], capture_output=True)
    if made.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {made.stderr.decode()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


DYING = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from cockpit.journal.store import Journal
from cockpit.model.events import Noted
def note(text):
    return Noted(at=datetime(2026, 1, 8, tzinfo=UTC), actor="agent1", text=text)
async def main():
    journal = await Journal.open(Path(sys.argv[1]), spill=Path(sys.argv[2]))
    while not journal.problem:
        await journal.append([note("y" * 5_000)])
    await journal.append([note("the way back begins")])
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


def fill(disk: Path) -> None:
    """Leave not a block, nor a part of one."""
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)


async def test_an_engine_starts_again_on_a_full_disk(small_disk: Path, spill: Path) -> None:
    """It was killed in a rollback before anybody could free the disk."""
    paths = RunPaths(small_disk / "run")
    paths.directory.mkdir(mode=0o700)
    paths.place_sockets({})
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", DYING, str(paths.journal), str(spill)], env=environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    last = len(spill.read_text().splitlines())
    fill(small_disk)
    reader = await Journal.open(paths.journal, writer=False, spill=spill)
    rows = await reader.replay()
    assert texts(rows)[-1] == "the way back begins"
    assert (last, rows[-1].seq) == (reader.waiting, len(rows))
    await reader.close()
    fill(small_disk)
    again = await Journal.open(paths.journal, spill=spill)
    assert paths.engine_pid is not None
    assert await again.replay() == rows
    assert (await again.append([note("and goes on")]))[0].seq == len(rows) + 1
    sockets = paths.place_sockets({})
    bind(sockets.control, 0o600).close()
    with pytest.raises(JournalError, match="No space left on device"):
        write_private(paths.closed, "x" * 5_000)
    assert [entry.name for entry in paths.directory.glob(".*")] == []
    await again.close()


async def test_a_disk_of_300_kilobytes_and_then_a_read_only_one(small_disk: Path, spill: Path) -> None:
    journal = await Journal.open(small_disk / "run" / "journal.db", spill=spill)
    written = 0
    while not journal.problem:
        written = (await journal.append([note("y" * 5_000)]))[0].seq
    assert "the disk is full" in journal.problem
    assert (await journal.append([note("still")]))[0].seq == written + 1
    subprocess.run(["mount", "-o", "remount,size=3m", small_disk], check=True)
    await journal.append([])
    assert journal.problem == ""
    await journal.append([note("room again")])
    await journal.close()
    later = await Journal.open(small_disk / "run" / "journal.db")
    assert texts(await later.replay())[-2:] == ["still", "room again"]
    await later.close()
