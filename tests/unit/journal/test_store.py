# ruff: noqa: ASYNC240
from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import JournalDamaged, JournalError, JournalLocked
from cockpit.journal.lock import RunLock, engine_pid
from cockpit.journal.store import Journal
from cockpit.model.events import Event, Held, Noted

AT = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)


def note(text: str) -> Event:
    return Noted(at=AT, actor="agent1", text=text)


def texts(events: tuple[Event, ...]) -> list[str]:
    return [event.text for event in events if isinstance(event, Noted)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(path)
    yield journal
    await journal.close()


async def filled(path: Path, count: int) -> None:
    journal = await Journal.open(path)
    for number in range(1, count + 1):
        await journal.append([note(f"row {number}")])
    await journal.close()


def tamper(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(f"DROP TRIGGER events_stay; DROP TRIGGER events_last; {statement}")
    connection.close()


async def test_appended_events_are_numbered_and_read_back(journal: Journal) -> None:
    first = await journal.append([note("a"), Held(at=AT, actor="agent1", reason="wait")])
    second = await journal.append([note("b")])
    assert [event.seq for event in first + second] == [1, 2, 3]
    assert await journal.replay() == first + second


async def test_nothing_is_appended_for_no_events(journal: Journal) -> None:
    assert await journal.append([]) == ()
    assert await journal.replay() == ()


async def test_concurrent_appends_leave_no_gap(journal: Journal) -> None:
    results = await asyncio.gather(*(journal.append([note(str(n)), note(str(n))]) for n in range(40)))
    assert all(pair[1].seq == pair[0].seq + 1 for pair in results)
    assert [event.seq for event in await journal.replay()] == list(range(1, 81))


async def test_a_cancelled_append_is_whole_or_absent(journal: Journal) -> None:
    task = asyncio.ensure_future(journal.append([note("one"), note("two")]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    after = await journal.append([note("three")])
    assert texts(await journal.replay()) == ["one", "two", "three"]
    assert after[0].seq == 3


async def test_read_gives_the_last_rows_after_a_number(journal: Journal) -> None:
    await journal.append([note(f"{n}") for n in range(1, 11)])
    assert texts(await journal.read(0, 3)) == ["8", "9", "10"]
    assert texts(await journal.read(8, 100)) == ["9", "10"]
    assert await journal.read(10, 5) == ()


async def test_the_next_engine_goes_on_with_the_numbers(path: Path) -> None:
    await filled(path, 3)
    journal = await Journal.open(path)
    assert texts(await journal.replay()) == ["row 1", "row 2", "row 3"]
    assert (await journal.append([note("more")]))[0].seq == 4
    await journal.close()


async def test_files_are_private(journal: Journal, path: Path) -> None:
    await journal.append([note("a")])
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()} == {0o600}


async def test_a_second_engine_is_locked_out(journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.journal.lock._PATIENCE", 0.05)
    with pytest.raises(JournalLocked, match=f"process {os.getpid()}"):
        await Journal.open(path)
    with pytest.raises(JournalLocked):
        await Journal.open(path, writer=False)
    assert engine_pid(path.with_name("lock")) == os.getpid()


async def test_the_lock_ends_with_its_journal(path: Path) -> None:
    await filled(path, 1)
    assert engine_pid(path.with_name("lock")) is None
    assert engine_pid(path.with_name("nothing")) is None


async def test_a_reader_waits_for_nobody_and_writes_nothing(path: Path) -> None:
    await filled(path, 2)
    reader = await Journal.open(path, writer=False)
    other = await Journal.open(path, writer=False)
    assert texts(await reader.replay()) == texts(await other.replay()) == ["row 1", "row 2"]
    with pytest.raises(JournalError, match="read-only"):
        await reader.append([note("no")])
    await reader.close()
    await other.close()


async def test_an_engine_waits_for_a_short_reader(path: Path) -> None:
    await filled(path, 1)
    lock = RunLock.take(path.with_name("lock"), shared=True)
    opening = asyncio.ensure_future(Journal.open(path))
    lock.release()
    journal = await opening
    await journal.close()


async def test_a_missing_journal_is_not_made_by_a_reader(path: Path) -> None:
    with pytest.raises(JournalError, match="does not exist"):
        await Journal.open(path, writer=False)
    assert not path.exists()


async def test_rows_are_final(journal: Journal, path: Path) -> None:
    await filled(path.with_name("run2") / "journal.db", 1)
    connection = sqlite3.connect(path.with_name("run2") / "journal.db")
    for statement in ("UPDATE events SET type = 'x'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="rows are final"):
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE events SET body = replace(body, 'row 3', 'row X') WHERE seq = 3", "row 3 does not fit"),
        ("DELETE FROM events WHERE seq = 2", "row 2 is missing"),
        ("DELETE FROM events WHERE seq > 4", "row 5 is missing; the journal once had 5"),
        ("UPDATE events SET hash = zeroblob(32) WHERE seq = 1", "row 1 does not fit"),
    ],
)
async def test_a_changed_journal_is_refused_by_its_first_bad_row(path: Path, statement: str, message: str) -> None:
    await filled(path, 5)
    tamper(path, statement)
    with pytest.raises(JournalDamaged, match=message):
        await Journal.open(path)


async def test_a_newer_format_is_refused(path: Path) -> None:
    await filled(path, 1)
    tamper(path, "PRAGMA user_version=2")
    with pytest.raises(JournalDamaged, match=r"a newer cockpit \(format 2; this one knows 1\)"):
        await Journal.open(path)


async def test_another_file_is_refused(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_text("this is not a database, although it is long enough to look like one " * 20)
    with pytest.raises(JournalDamaged, match="not a readable journal"):
        await Journal.open(path)


async def test_symbolic_links_are_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="cannot be used"):
        await Journal.open(path)


async def test_a_directory_that_others_can_enter_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o755)
    with pytest.raises(JournalError, match="open to other users"):
        await Journal.open(path)


async def test_a_full_disk_is_said_and_nothing_is_recorded(journal: Journal) -> None:
    await journal.append([note("kept")])
    database = journal._open_record._database
    pages = (await journal._thread.run(lambda: database._connection.execute("PRAGMA page_count").fetchone()))[0]
    await journal._thread.run(lambda: database._connection.execute(f"PRAGMA max_page_count={pages}").fetchone())
    with pytest.raises(JournalError, match="the disk is full"):
        await journal.append([note("x" * 60_000)])
    await journal._thread.run(lambda: database._connection.execute("PRAGMA max_page_count=1000000").fetchone())
    assert (await journal.append([note("after")]))[0].seq == 2
    assert texts(await journal.replay()) == ["kept", "after"]


async def test_a_closed_journal_takes_nothing(path: Path) -> None:
    journal = await Journal.open(path)
    await journal.close()
    await journal.close()
    with pytest.raises(RuntimeError, match="closed"):
        await journal.append([note("late")])


async def test_a_wal_torn_anywhere_loses_only_its_tail(journal: Journal, path: Path, tmp_path: Path) -> None:
    for number in range(1, 7):
        await journal.append([note(f"row {number}")])
    wal = path.with_name("journal.db-wal").read_bytes()
    kept = []
    for cut in (*range(0, len(wal), 512), len(wal)):
        torn = tmp_path / f"torn{cut}" / "journal.db"
        torn.parent.mkdir(mode=0o700)
        shutil.copy(path, torn)
        torn.with_name("journal.db-wal").write_bytes(wal[:cut])
        survivor = await Journal.open(torn)
        rows = texts(await survivor.replay())
        assert rows == [f"row {number}" for number in range(1, len(rows) + 1)]
        kept.append(len(rows))
        assert (await survivor.append([note("next")]))[0].seq == len(rows) + 1
        await survivor.close()
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, 6)


_WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from cockpit.journal.store import Journal
from cockpit.model.events import Noted
async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    for number in range(1, 4):
        await journal.append([Noted(at=datetime.now(UTC), actor="a", text=f"row {number}")])
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("point", "rows"),
    [("before-append:note", 0), ("after-append:note", 1), ("before-append:note#3", 2), ("after-append:note#3", 3)],
)
async def test_a_killed_writer_leaves_what_was_durable(path: Path, point: str, rows: int) -> None:
    environ = {**os.environ, "COCKPIT_CRASH_AT": point, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _WRITER, str(path)], env=environ, check=False)
    assert done.returncode == -9
    journal = await Journal.open(path)
    assert len(await journal.replay()) == rows
    await journal.close()
