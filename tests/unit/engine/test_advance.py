"""What the way forward is called while something runs by itself: what comes after it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cockpit.engine import advance
from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path

NOW = datetime(2026, 1, 8, 9, tzinfo=UTC)
BOOK = load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook
STEPS = {step.id: step for step in BOOK.steps}


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("1.1", ("Start", "1.2 Smoke Tests")),
        ("2.1", ("Decide", "Continue or rollback?")),
        (BOOK.steps[-1].id, ("Complete the run", "")),
    ],
)
def test_what_comes_after_a_step(step: str, after: tuple[str, str]) -> None:
    assert advance.after_step(BOOK, STEPS[step]) == after


@pytest.mark.parametrize(
    ("step", "action", "after"),
    [
        ("2.1", 0, ("Measure", "gate 2.1")),
        ("1.1", -1, ("Start", "1.2 Smoke Tests")),
        ("3.2", 0, ("Go on", STEPS["3.2"].actions[1].title)),
    ],
)
def test_what_comes_after_an_action(step: str, action: int, after: tuple[str, str]) -> None:
    found = STEPS[step]
    assert advance.after_action(BOOK, found, found.actions[action]) == after
