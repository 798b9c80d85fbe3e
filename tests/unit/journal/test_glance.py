# ruff: noqa: ASYNC240
"""The status that a glance finds is the one that a whole replay finds."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import CockpitError, JournalDamaged, JournalError, JournalLocked
from cockpit.journal.glance import glance
from cockpit.journal.lock import RunLock
from cockpit.journal.spill import spill_name
from cockpit.journal.store import Journal
from cockpit.model.events import EVENT, Event, Noted, RollbackStarted, RunStarted
from cockpit.model.reduce import reduce
from cockpit.model.run import RunState
from cockpit.model.status import STATUS_EVENTS, RunStatus

AT = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)
GOLDEN = sorted((Path(__file__).resolve().parents[2] / "data/journals").glob("*/*.jsonl"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.db"


async def filled(path: Path, *events: Event) -> None:
    journal = await Journal.open(path)
    await journal.append(events)
    await journal.close()


@pytest.mark.parametrize("lines", GOLDEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_every_journal_of_a_release_at_every_change(lines: Path, path: Path) -> None:
    state, before, stored = RunState(), 0, [json.loads(line) for line in lines.read_text().splitlines()]
    events = [EVENT.validate_json(line["body"]) for line in stored]
    for number, event in enumerate(events, 1):
        status, state = state.status, reduce(state, event)
        assert state.status is status or event.type in STATUS_EVENTS
        if event.type in STATUS_EVENTS or number == len(events):
            await filled(path, *events[before:number])
            assert glance(path, {}) is state.status
            before = number


async def test_a_run_that_has_not_started_is_preparing(path: Path) -> None:
    await filled(path, Noted(at=AT, actor="a", text="run.started"))
    assert glance(path, {}) is RunStatus.PREPARING


async def test_an_engine_that_was_killed_left_its_last_rows_in_the_log(path: Path, tmp_path: Path) -> None:
    journal = await Journal.open(path)
    await journal.append([RunStarted(at=AT, actor="a")])
    await journal.append([RollbackStarted(at=AT, actor="a", reason="why")])
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir(mode=0o700)
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    with pytest.raises(JournalLocked):
        glance(path, {})
    await journal.close()
    assert glance(copy, {}) is RunStatus.ROLLING_BACK


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE events SET body = replace(body, 'one', 'two') WHERE seq = 1", JournalDamaged),
        ("DELETE FROM events WHERE seq = 2", JournalDamaged),
        ("DROP TABLE events", JournalError),
    ],
)
async def test_what_was_tampered_with_has_no_status(path: Path, statement: str, error: type[CockpitError]) -> None:
    await filled(path, Noted(at=AT, actor="a", text="one"), RunStarted(at=AT, actor="a"))
    with sqlite3.connect(path) as connection:
        connection.executescript(f"DROP TRIGGER events_stay; DROP TRIGGER events_last; {statement};")
    connection.close()
    with pytest.raises(error):
        glance(path, {})


async def test_another_format_and_a_spill_are_left_to_the_replay(path: Path, tmp_path: Path) -> None:
    await filled(path, RunStarted(at=AT, actor="a"))
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    spill = tmp_path / "cockpit" / spill_name(path)
    spill.parent.mkdir()
    spill.touch()
    assert glance(path, environ) is None
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=7")
    connection.close()
    assert glance(path, {}) is None


def test_no_journal_and_a_running_engine_are_said(path: Path) -> None:
    with pytest.raises(JournalError, match="does not exist"):
        glance(path, os.environ)
    path.parent.mkdir(mode=0o700)
    path.touch()
    lock = RunLock.take(path.with_name("lock"))
    with pytest.raises(JournalLocked):
        glance(path, os.environ)
    lock.release()
