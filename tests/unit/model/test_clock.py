"""Run time goes on evenly, whatever is done to the machine's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from cockpit.model.clock import RunClock, SteadyClock

HOUR = timedelta(hours=1)
SOON = timedelta(seconds=5)


def set_by(monkeypatch: pytest.MonkeyPatch, change: timedelta) -> None:
    true = time.time
    monkeypatch.setattr("cockpit.model.clock.time.time", lambda: true() + change.total_seconds())


@pytest.mark.parametrize("change", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_is_set_moves_no_deadline(monkeypatch: pytest.MonkeyPatch, change: timedelta) -> None:
    clock = SteadyClock.of(RunClock())
    before = clock.now()
    assert clock.ahead() == timedelta()
    set_by(monkeypatch, change)
    assert timedelta() <= clock.now() - before < SOON
    assert clock.ahead() == -change
    assert abs(datetime.now(UTC) - before) < SOON
    # A front end reads the same from the clock that was set.
    assert abs(clock.on_the_wall().now() - clock.now()) < timedelta(seconds=1)
    assert abs(RunClock().now() - before - change) < SOON


def test_run_time_does_not_come_again_on_a_machine_that_is_behind() -> None:
    clock = SteadyClock.of(RunClock())
    last = clock.now() + HOUR
    assert clock.not_before(clock.now() - HOUR) is clock
    later = clock.not_before(last)
    assert timedelta() <= later.now() - last < SOON
    assert later.ahead() == HOUR
    assert abs(later.on_the_wall().now() - later.now()) < timedelta(seconds=1)
