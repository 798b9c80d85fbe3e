from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cockpit.engine import guard
from cockpit.model.events import TriggerTripped
from cockpit.model.run import RunState, TripState
from cockpit.model.status import RunStatus
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.gate import MonitoringLoss
from cockpit.runbook.load import load
from cockpit.runbook.schema import Runbook
from cockpit.runbook.shipped import config_path

NOW = datetime(2026, 11, 26, 9, 10, tzinfo=UTC)
BOOK: Runbook = load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook


def state() -> RunState:
    return RunState(status=RunStatus.RUNNING, changed=True)


def history(*values: float | Verdict) -> tuple[Measurement, ...]:
    return tuple(
        Measurement(
            metric="error_rate",
            at=NOW + timedelta(seconds=15 * index),
            value=None if isinstance(value, Verdict) else value,
            verdict=value if isinstance(value, Verdict) else Verdict.CRITICAL,
        )
        for index, value in enumerate(values)
    )


@pytest.mark.parametrize(
    ("values", "trips"),
    [
        ((), False),
        ((9.0,), False),
        ((9.0, 9.0), True),
        ((9.0, 1.0, 9.0), True),
        ((9.0, 1.0, 1.0, 9.0), False),
        ((5.0, 5.0, 5.0), False),
        ((Verdict.NO_DATA, Verdict.BROKEN, Verdict.NO_DATA), False),
        ((9.0, Verdict.NO_DATA, Verdict.NO_DATA, 9.0), True),
        ((9.0, Verdict.BROKEN), False),
        ((9.0, *[Verdict.NO_DATA] * 4, 9.0), True),
        ((9.0, *[Verdict.NO_DATA] * 5, 9.0), False),
    ],
)
def test_a_trigger_trips_on_two_of_three_measured_values(values: tuple[float | Verdict, ...], trips: bool) -> None:
    events = guard.watch(BOOK, state(), {"error_rate": history(*values)}, NOW)
    assert [event.type for event in events] == (["trigger.tripped", "rollback.started"] if trips else [])


def low_book() -> Runbook:
    """The runbook with a trigger on what must not fall."""
    trigger = BOOK.rollback.triggers[0].model_copy(update={"above": None, "below": 97.0})
    triggers = (trigger, *BOOK.rollback.triggers[1:])
    return BOOK.model_copy(update={"rollback": BOOK.rollback.model_copy(update={"triggers": triggers})})


@pytest.mark.parametrize(
    ("values", "trips"),
    [
        ((96.9, 96.9), True),
        ((96.9, 99.0, 0.0), True),
        ((97.0, 97.0, 97.0), False),
        ((99.9, 100.0), False),
        ((96.9, Verdict.NO_DATA, Verdict.BROKEN), False),
    ],
)
def test_a_trigger_may_watch_what_must_not_fall(values: tuple[float | Verdict, ...], trips: bool) -> None:
    events = guard.watch(low_book(), state(), {"error_rate": history(*values)}, NOW)
    assert [event.type for event in events] == (["trigger.tripped", "rollback.started"] if trips else [])
    if trips:
        assert isinstance(events[0], TriggerTripped)
        assert events[0].rule == "Error Rate < 97 % in 2 of 3 measurements"
        assert "below 97 in 2 of 3 measurements" in events[0].reason
    dismissed = RunState(status=RunStatus.RUNNING, dismissed={"error-rate": NOW})
    assert guard.watch(low_book(), dismissed, {"error_rate": history(1, 1, 1, 1)}, NOW) == []
    assert guard.watch(low_book(), dismissed, {"error_rate": history(1, 1, 97, 1, 1)}, NOW) != []


def test_a_dismissed_trigger_stays_quiet_until_it_has_cleared() -> None:
    dismissed = RunState(status=RunStatus.RUNNING, dismissed={"error-rate": NOW})
    assert guard.watch(BOOK, dismissed, {"error_rate": history(9, 9, 9, 9)}, NOW) == []
    assert guard.watch(BOOK, dismissed, {"error_rate": history(9, 9, 1, 9, 9)}, NOW) != []


@pytest.mark.parametrize("status", [RunStatus.PREPARING, RunStatus.ROLLING_BACK, RunStatus.ROLLED_BACK])
def test_the_guard_is_quiet_where_there_is_nothing_to_take_back(status: RunStatus) -> None:
    assert guard.watch(BOOK, RunState(status=status), {"error_rate": history(9, 9)}, NOW) == []


def test_one_trigger_at_a_time() -> None:
    trip = TripState("p95-latency", "P95", "slow", NOW, NOW)
    busy = RunState(status=RunStatus.RUNNING, trip=trip)
    assert guard.watch(BOOK, busy, {"error_rate": history(9, 9)}, NOW) == []


def test_the_decision_has_its_evidence_and_its_rule() -> None:
    tripped, back = guard.watch(BOOK, state(), {"error_rate": history(1, 9, 9)}, NOW)
    assert isinstance(tripped, TriggerTripped)
    assert tripped.rule == "Error Rate > 5 % in 2 of 3 measurements"
    assert [entry.value for entry in tripped.evidence] == [9, 9]
    assert back.type == "rollback.started"


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.VALIDATING])
def test_the_guard_watches_in_every_phase(status: RunStatus) -> None:
    assert guard.watch(BOOK, RunState(status=status), {"error_rate": history(9, 9)}, NOW) != []


def losing(loss: MonitoringLoss) -> Runbook:
    monitoring = BOOK.monitoring.model_copy(update={"on_monitoring_loss": loss, "loss_after": timedelta(minutes=5)})
    return BOOK.model_copy(update={"monitoring": monitoring})


def silent(minutes: float) -> dict[str, tuple[Measurement, ...]]:
    at = NOW - timedelta(minutes=minutes)
    good = Measurement(metric="m", at=at - timedelta(minutes=1), value=1.0, verdict=Verdict.NORMAL)
    blind = [
        Measurement(metric="m", at=when, value=None, verdict=Verdict.BROKEN, reason="refused") for when in (at, NOW)
    ]
    return {"error_rate": (good, *blind), "p95_latency": (good, *blind)}


@pytest.mark.parametrize(
    ("loss", "minutes", "run", "trips"),
    [
        (MonitoringLoss.FREEZE, 60, state(), False),
        (MonitoringLoss.ROLLBACK, 4.9, state(), False),
        (MonitoringLoss.ROLLBACK, 5, state(), True),
        (MonitoringLoss.ROLLBACK, 60, RunState(status=RunStatus.RUNNING), False),
        (MonitoringLoss.ROLLBACK, 60, RunState(status=RunStatus.COMPLETED, changed=True), False),
        (
            MonitoringLoss.ROLLBACK,
            60,
            RunState(status=RunStatus.RUNNING, changed=True, dismissed={guard.MONITORING_LOST: NOW}),
            False,
        ),
        (
            MonitoringLoss.ROLLBACK,
            10,
            RunState(
                status=RunStatus.RUNNING, changed=True, dismissed={guard.MONITORING_LOST: NOW - timedelta(minutes=11)}
            ),
            True,
        ),
    ],
)
def test_blindness_rolls_back_only_where_the_runbook_says_so_and_counts_down(
    loss: MonitoringLoss, minutes: float, run: RunState, trips: bool
) -> None:
    events = guard.watch(losing(loss), run, silent(minutes), NOW)
    assert [event.type for event in events] == (["trigger.tripped"] if trips else [])
    for event in events:
        assert isinstance(event, TriggerTripped)
        assert event.rollback_at == NOW + guard.LOSS_COUNTDOWN
        assert "refused" in event.reason


def test_one_trigger_that_is_measured_is_enough_to_see() -> None:
    seen = {**silent(60), "p95_latency": history(1)}
    assert guard.watch(losing(MonitoringLoss.ROLLBACK), state(), seen, NOW) == []
    assert guard.blind_since(BOOK, {}) is None


def test_a_countdown_for_want_of_measurements_ends_when_there_is_one() -> None:
    trip = TripState(guard.MONITORING_LOST, "Monitoring lost", "blind", NOW, NOW)
    run = RunState(status=RunStatus.RUNNING, changed=True, trip=trip)
    book = losing(MonitoringLoss.ROLLBACK)
    assert guard.watch(book, run, silent(60), NOW) == []
    assert [event.type for event in guard.watch(book, run, {"error_rate": history(1)}, NOW)] == ["trigger.dismissed"]
