# ruff: noqa: ASYNC240
from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import JournalDamaged
from cockpit.journal import migrations
from cockpit.journal.chain import GENESIS, link
from cockpit.journal.store import Journal
from cockpit.model.events import ActionIntended, Event, Noted

AT = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)
LATER = (
    ("ALTER TABLE events ADD COLUMN written_at TEXT",),
    ("CREATE INDEX events_by_type ON events (type)", "CREATE TABLE extra (name TEXT)"),
)


def note(text: str) -> Event:
    return Noted(at=AT, actor="agent1", text=text)


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """A journal of format 1 with three rows."""
    path = tmp_path / "run" / "journal.db"
    journal = await Journal.open(path)
    for number in range(1, 4):
        await journal.append([note(f"row {number}")])
    await journal.close()
    return path


def read(path: Path, question: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


async def test_an_old_file_is_brought_up_step_by_step(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "STEPS", LATER)
    journal = await Journal.open(old)
    assert (await journal.append([note("row 4")]))[0].seq == 4
    assert [event.text for event in await journal.replay() if isinstance(event, Noted)] == [
        "row 1", "row 2", "row 3", "row 4",
    ]  # fmt: skip
    await journal.close()
    assert read(old, "PRAGMA user_version") == [(3,)]
    assert read(old, "SELECT count(written_at), count(*) FROM events") == [(0, 4)]


async def test_a_copy_of_the_old_file_is_kept(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "STEPS", LATER)
    await (await Journal.open(old)).close()
    kept = old.with_name("journal.format-1.db")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert read(kept, "PRAGMA user_version") == [(1,)]
    assert read(kept, "SELECT count(*) FROM events") == [(3,)]


async def test_a_reader_reads_an_old_file_and_leaves_it_as_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.read_bytes()
    monkeypatch.setattr(migrations, "STEPS", LATER)
    reader = await Journal.open(old, writer=False)
    assert len(await reader.replay()) == 3
    await reader.close()
    assert old.read_bytes() == before
    assert sorted(entry.name for entry in old.parent.iterdir()) == ["journal.db", "lock"]


async def test_a_step_that_fails_leaves_the_old_format(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "STEPS", (LATER[0], ("CREATE TABLE events (seq)",)))
    with pytest.raises(Exception, match="already exists"):
        await Journal.open(old)
    assert read(old, "PRAGMA user_version") == [(1,)]
    monkeypatch.setattr(migrations, "STEPS", LATER)
    journal = await Journal.open(old)
    assert len(await journal.replay()) == 3
    await journal.close()


async def test_a_new_file_has_the_newest_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "STEPS", LATER)
    path = tmp_path / "run" / "journal.db"
    await (await Journal.open(path)).close()
    assert read(path, "PRAGMA user_version") == [(3,)]


async def test_the_older_cockpit_refuses_the_newer_file_by_name(old: Path) -> None:
    with pytest.MonkeyPatch.context() as later:
        later.setattr(migrations, "STEPS", LATER)
        await (await Journal.open(old)).close()
    for writer in (True, False):
        with pytest.raises(JournalDamaged, match=r"a newer cockpit \(format 3; this one knows 1\)"):
            await Journal.open(old, writer=writer)


async def test_a_row_without_a_later_field_reads_with_its_default(old: Path) -> None:
    body = (
        '{"seq":4,"at":"2026-01-08T08:00:00Z","actor":"engine","epoch":1,"type":"action.intended",'
        '"action":"traffic-10","kind":"traffic","attempt":1,"request":"set the weight"}'
    )
    tip = GENESIS
    connection = sqlite3.connect(old)
    for (text,) in connection.execute("SELECT body FROM events ORDER BY seq").fetchall():
        tip = link(tip, text.encode())
    connection.execute(
        "INSERT INTO events (seq, type, body, hash) VALUES (4, 'action.intended', ?, ?)",
        (body, link(tip, body.encode())),
    )
    connection.commit()
    connection.close()
    journal = await Journal.open(old)
    row = (await journal.replay())[-1]
    assert isinstance(row, ActionIntended)
    assert (row.target, dict(row.before), dict(row.after)) == ("", {}, {})
    await journal.close()


async def test_a_flipped_byte_is_found_or_means_nothing(old: Path) -> None:
    """SQLite does not read every byte of a page; whatever is read is under the hash chain."""
    whole = old.read_bytes()
    expected = [event.model_dump_json() for event in await _rows(old)]
    refused = 0
    for place in range(0, len(whole), 97):
        old.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            found = [event.model_dump_json() for event in await _rows(old)]
        except JournalDamaged:
            refused += 1
        else:
            assert found == expected, place
    assert refused > 10
    body = whole.index(b'"text":"row 2"') + 9
    old.write_bytes(whole[:body] + b"X" + whole[body + 1 :])
    with pytest.raises(JournalDamaged, match="row 2 does not fit"):
        await _rows(old)


async def _rows(path: Path) -> tuple[Event, ...]:
    journal = await Journal.open(path, writer=False)
    try:
        return await journal.replay()
    finally:
        await journal.close()


async def test_rows_in_another_order_are_found(old: Path) -> None:
    connection = sqlite3.connect(old)
    connection.executescript(
        "DROP TRIGGER events_stay; UPDATE events SET seq = 9 WHERE seq = 2; UPDATE events SET seq = 2 WHERE seq = 3;"
        "UPDATE events SET seq = 3 WHERE seq = 9;"
    )
    connection.close()
    with pytest.raises(JournalDamaged, match="row 2 does not fit"):
        await _rows(old)
