from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cockpit.engine import guard
from cockpit.engine.observations import Observations
from cockpit.model.describe import describe
from cockpit.model.events import TriggerTripped
from cockpit.model.reduce import reduce
from cockpit.model.run import RunState, TripState
from cockpit.model.status import RunStatus
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.gate import MonitoringLoss, TriggerResponse
from cockpit.runbook.load import load
from cockpit.runbook.schema import Runbook
from cockpit.runbook.shipped import config_path

NOW = datetime(2026, 11, 26, 9, 10, tzinfo=UTC)
TRIPS = ["trigger.tripped", "rollback.started"]
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
    events = guard.watch(low_book(), dismissed, {"error_rate": history(1, 1, 97, 1, 1)}, NOW)
    assert [event.type for event in events] == ["trigger.rearmed", *TRIPS]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((9, 9, 9, 9), []),
        ((9, 9, Verdict.NO_DATA, 9), []),
        # The first good value is no reason to go back for those before it.
        ((9, 9, 9, 1), ["trigger.rearmed"]),
        ((9, 9, 9, 1, 9), ["trigger.rearmed"]),
        ((9, 9, 1, 9, 9), ["trigger.rearmed", "trigger.tripped", "rollback.started"]),
    ],
)
def test_a_dismissed_trigger_stays_quiet_until_it_has_cleared(
    values: tuple[float | Verdict, ...], expected: list[str]
) -> None:
    dismissed = RunState(status=RunStatus.RUNNING, dismissed={"error-rate": NOW})
    events = guard.watch(BOOK, dismissed, {"error_rate": history(*values)}, NOW)
    assert [event.type for event in events] == expected
    for event in events[:1]:
        assert describe(event) == "Trigger error-rate watches again: Error Rate 1.00 %"


def test_an_engine_that_knows_no_older_values_knows_that_a_dismissal_is_over() -> None:
    run = RunState(status=RunStatus.RUNNING, dismissed={"error-rate": NOW})
    for event in guard.watch(BOOK, run, {"error_rate": history(9, 1)}, NOW):
        run = reduce(run, event)
    assert run.dismissed == {}
    # What was measured before the good value does not count any more; what is measured by the next engine does.
    assert guard.watch(BOOK, run, {"error_rate": history(9, 1)}, NOW) == []
    later = tuple(entry.model_copy(update={"at": entry.at + timedelta(hours=1)}) for entry in history(9, 9))
    assert [event.type for event in guard.watch(BOOK, run, {"error_rate": later}, NOW)] == TRIPS


@pytest.mark.parametrize("status", [RunStatus.PREPARING, RunStatus.ROLLING_BACK, RunStatus.ROLLED_BACK])
def test_the_guard_is_quiet_where_there_is_nothing_to_take_back(status: RunStatus) -> None:
    assert guard.watch(BOOK, RunState(status=status), {"error_rate": history(9, 9)}, NOW) == []


def asking(countdown_s: float, trigger: str = "error-rate") -> Runbook:
    """The runbook with a trigger that asks."""
    changes = {"response": TriggerResponse.PROMPT, "countdown": timedelta(seconds=countdown_s)}
    triggers = tuple(each.model_copy(update=changes) if each.id == trigger else each for each in BOOK.rollback.triggers)
    return BOOK.model_copy(update={"rollback": BOOK.rollback.model_copy(update={"triggers": triggers})})


@pytest.mark.parametrize(
    ("book", "ends_in_s", "expected"),
    [
        (BOOK, 600, TRIPS),
        (asking(60), 600, ["trigger.tripped"]),
        (asking(60), 60, []),
        (asking(60), 30, []),
        (BOOK, None, TRIPS),
    ],
)
def test_a_countdown_hides_no_trigger_that_would_go_back_before_its_end(
    book: Runbook, ends_in_s: float | None, expected: list[str]
) -> None:
    ends = None if ends_in_s is None else NOW + timedelta(seconds=ends_in_s)
    busy = RunState(status=RunStatus.RUNNING, trip=TripState("p95-latency", "P95", "slow", NOW, ends))
    events = guard.watch(book, busy, {"error_rate": history(9, 9)}, NOW)
    assert [event.type for event in events] == expected


def test_of_two_triggers_at_once_the_one_that_goes_back_first_trips() -> None:
    seen = {"error_rate": history(9, 9), "p95_latency": history(2000, 2000)}
    tripped, back = guard.watch(asking(60), state(), seen, NOW)
    assert (getattr(tripped, "trigger", ""), back.type) == ("p95-latency", "rollback.started")


def test_the_decision_has_its_evidence_and_its_rule() -> None:
    (near, _) = guard.watch(BOOK, state(), {"error_rate": history(5.001, 9)}, NOW)
    assert "Error Rate 5.001, 9.00 %, above 5 in 2 of 3 measurements" in getattr(near, "reason", "")
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


@pytest.mark.parametrize(("after_min", "trips"), [(5, True), (61, False)])
def test_a_silence_longer_than_the_history_is_a_silence_all_the_same(after_min: float, trips: bool) -> None:
    """A history holds so many measurements; at a look a second that is two minutes."""
    seen, began = Observations(), NOW - timedelta(hours=1)
    for second in range(0, 3600, 5):
        for name in ("error_rate", "p95_latency"):
            at = began + timedelta(seconds=second)
            seen.keep(Measurement(metric=name, at=at, value=None, verdict=Verdict.BROKEN, reason="refused"))
    histories = {name: tuple(entries) for name, entries in seen.histories.items()}
    monitoring = losing(MonitoringLoss.ROLLBACK).monitoring.model_copy(
        update={"loss_after": timedelta(minutes=after_min)}
    )
    book = BOOK.model_copy(update={"monitoring": monitoring})
    assert guard.blind_since(book, histories, seen.silent) == began
    assert bool(guard.watch(book, state(), histories, NOW, seen.silent)) is trips
    # Whoever was asked in this silence and said no is not asked again in it.
    dismissed = RunState(status=RunStatus.RUNNING, changed=True, dismissed={guard.MONITORING_LOST: began})
    assert guard.watch(book, dismissed, histories, NOW, seen.silent) == []
    seen.keep(Measurement(metric="error_rate", at=NOW, value=1.0, verdict=Verdict.NORMAL))
    assert guard.blind_since(book, {name: tuple(each) for name, each in seen.histories.items()}, seen.silent) is None
