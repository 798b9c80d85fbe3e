from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.cli import revival, spawn
from cockpit.cli.attach import revive
from cockpit.cli.revival import Left, fates, left_by, said, take_up
from cockpit.cli.settings import RunSettings
from cockpit.cli.status_json import dead_status_json
from cockpit.cli.status_text import status_text
from cockpit.errors import EngineUnreachable, JournalDamaged, JournalLocked, UsageError
from cockpit.journal.lock import RunLock
from cockpit.link.closing import write_closed
from cockpit.link.greeting import PROTOCOL
from cockpit.link.paths import RunPaths, create_run
from cockpit.model import events as e
from cockpit.model.run import ActionState, RunState
from cockpit.model.status import ActionStatus, RunStatus

AT = datetime(2026, 1, 8, 9, 0, tzinfo=UTC)
STATE = RunState(
    seq=41,
    actions={
        "deploy": ActionState(ActionStatus.DONE),
        "weight-10": ActionState(ActionStatus.RUNNING),
        "purge": ActionState(ActionStatus.FAILED),
    },
)


def test_what_a_dead_engine_left_open() -> None:
    assert left_by(STATE) == Left(41, ("weight-10",))
    found = dead_status_json("demo-1", "agent1", STATE, rehearsal=False)
    assert found["engine"] == {"pid": None, "alive": False, "left_open": ["weight-10"]}
    assert "under way when it ended: weight-10" in status_text(found)


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (e.ActionSucceeded(at=AT, actor="engine", action="weight-10", message=""), "weight-10: done"),
        (e.ActionFailed(at=AT, actor="engine", action="weight-10", message=""), "weight-10: failed"),
        (e.ActionAmbiguous(at=AT, actor="engine", action="weight-10", message=""), "weight-10: unknown"),
        (e.ActionReoffered(at=AT, actor="engine", action="weight-10"), "weight-10: read back"),
        (e.ActionSucceeded(at=AT, actor="engine", action="other", message=""), "weight-10: still being looked at"),
    ],
)
def test_what_became_of_it_is_one_line(event: e.Event, word: str) -> None:
    line = said(left_by(STATE), fates([event], ["weight-10"]))
    assert line.startswith("The engine had died; a new one took up the run: 41 events replayed")
    assert word in line
    assert "\n" not in line


def test_nothing_was_under_way() -> None:
    assert said(Left(3, ()), {}).endswith("3 events replayed, no action was under way.")


@pytest.fixture
def paths(home: Path) -> RunPaths:
    return create_run(home, "web-1")


@pytest.fixture
def locked(paths: RunPaths) -> Iterator[RunLock]:
    lock = RunLock.take(paths.directory / "lock")
    yield lock
    lock.release()


@pytest.mark.usefixtures("locked")
def test_an_engine_that_was_just_started_is_waited_for(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = iter([None, None, PROTOCOL])
    monkeypatch.setattr(spawn, "protocol_at", lambda path: next(heard))
    assert revive(paths) == ""


def test_an_engine_that_ends_meanwhile_is_started_again(paths: RunPaths, locked: RunLock) -> None:
    waiting = threading.Timer(0.1, locked.release)
    waiting.start()
    assert not spawn.comes_up(paths)
    waiting.join()


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    ("spoken", "said"),
    [(PROTOCOL - 1, "another version"), (None, "lives and does not answer")],
    ids=["older", "stopped"],
)
def test_an_engine_that_cannot_be_talked_to_is_not_replaced(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, spoken: int | None, said: str
) -> None:
    monkeypatch.setattr(spawn, "protocol_at", lambda path: spoken)
    monkeypatch.setattr(spawn, "READY_WITHIN", 0.0)
    with pytest.raises(EngineUnreachable, match=said) as refused:
        revive(paths)
    assert f"process {os.getpid()}" in str(refused.value)


def test_who_comes_second_is_told_that_somebody_else_was_quicker(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.journal.touch()

    async def locked(paths: RunPaths) -> RunState:
        raise JournalLocked("another engine writes this run's journal", "")

    monkeypatch.setattr(revival, "read_state", locked)
    monkeypatch.setattr(revival, "comes_up", lambda paths: True)
    assert "somebody else" in take_up(paths)


def test_a_run_that_was_closed_without_a_last_word_gets_it(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.journal.touch()
    RunSettings(run="web-1", runbook="web", original="/web.yaml", commander="ada").save(paths)

    async def closed(paths: RunPaths) -> RunState:
        return replace(STATE, closed=True)

    monkeypatch.setattr(revival, "read_state", closed)
    monkeypatch.setattr(revival, "start_engine", lambda paths: write_closed(paths, RunStatus.COMPLETED))
    with pytest.raises(UsageError, match="web-1 is closed"):
        revive(paths)


def test_a_run_whose_journal_is_gone_does_not_begin_anew(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(revival, "start_engine", started.append)
    assert "no journal yet" in take_up(paths)
    (paths.directory / "break-glass.txt").touch()
    with pytest.raises(JournalDamaged, match="is gone") as refused:
        take_up(paths)
    assert "takeover --from" in refused.value.hint
    assert started == [paths]
