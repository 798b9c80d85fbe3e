"""Every journal of every release is replayed to the state that its release saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cockpit.journal.chain import verify
from cockpit.model.events import EVENT
from cockpit.model.reduce import replay
from tests.crash.golden import PLACE, RUNS, VERSION, canonical

JOURNALS = sorted(PLACE.glob("*/*.jsonl"))
TELLING = {
    "completed": {"run.status", "epoch.claimed", "traffic.changed"},
    "rolled-back": {"rollback.finished", "rollback.step_finished"},
    "drift": {"drift.found", "drift.ended"},
    "fenced": {"run.fenced"},
    "degraded": {"journal.degraded", "journal.recovered"},
}


def test_this_release_has_all_kinds_of_run() -> None:
    assert {path.stem for path in (PLACE / VERSION).glob("*.jsonl")} == set(RUNS) == set(TELLING)


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_journal_of_a_release_gives_the_state_it_gave_then(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [(number, line["body"].encode(), bytes.fromhex(line["hash"])) for number, line in enumerate(lines, 1)]
    verify(rows, len(rows))
    events = [EVENT.validate_json(body) for _, body, _ in rows]
    assert {event.type for event in events} >= TELLING[path.stem]
    expected = json.loads(path.with_suffix(".state.json").read_text())
    assert_holds(expected, canonical(replay(events)), path.stem)


def assert_holds(expected: Any, found: Any, where: str) -> None:
    """What the release knew is as it was; fields that came later may be there besides."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in found, f"{where}.{key} is missing"
            assert_holds(value, found[key], f"{where}.{key}")
    else:
        assert found == expected, where
