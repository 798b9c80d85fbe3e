from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from cockpit.engine import gates, guard
from cockpit.engine.gates import Checked, Sights
from cockpit.model.run import GateState, RunState, TickState, TrafficState, TripState
from cockpit.model.status import GateStatus, RunStatus
from cockpit.model.verdict import ALERTS_CRITICAL, CANDIDATE_SHARE, Measurement, Verdict
from cockpit.runbook.load import load
from cockpit.runbook.schema import Runbook, Step
from cockpit.runbook.shipped import config_path

NOW = datetime(2026, 11, 26, 9, 10, tzinfo=UTC)
BOOK: Runbook = load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook
STEPS = MappingProxyType({step.id: step for step in BOOK.steps})
GOOD = MappingProxyType(
    {
        "error_rate": 0.04,
        "p95_latency": 80.0,
        "cpu": 40.0,
        "memory": 50.0,
        "pod_restarts": 0.0,
        "errors_5xx": 0.001,
        ALERTS_CRITICAL: 0.0,
        CANDIDATE_SHARE: 10.0,
    }
)


def measured(**changes: float | Verdict) -> dict[str, Measurement]:
    found = {}
    for name, good in GOOD.items():
        value = changes.get(name.replace(".", "_"), good)
        silent = isinstance(value, Verdict)
        found[name] = Measurement(
            metric=name,
            at=NOW,
            value=None if isinstance(value, Verdict) else value,
            verdict=value if isinstance(value, Verdict) else Verdict.NORMAL,
            reason="refused" if silent else "",
        )
    return found


def state(weight: int = 10, **ticks: TickState) -> RunState:
    return RunState(
        status=RunStatus.RUNNING,
        traffic=TrafficState(weight, "green", True, NOW - timedelta(minutes=5)),
        ticks={name.replace("_", "-"): tick for name, tick in ticks.items()},
    )


def check(step: str, run: RunState, sights: Sights) -> tuple[Checked, ...]:
    return gates.check(BOOK, STEPS[step], run, sights, NOW)


def test_the_conditions_of_the_first_gate_are_the_sources_and_the_observed_share() -> None:
    checked = check("2.1", state(), Sights(measured()))
    assert [entry.text for entry in checked] == [
        "Error Rate < 0.5 %",
        "P95 Latency < 200 ms",
        "No critical alerts",
        "Observed share within 5 of 10 %",
    ]
    assert all(entry.met for entry in checked)
    assert gates.verdict(checked) is Verdict.NORMAL


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({"error_rate": 0.5}, Verdict.WARNING, "Error Rate < 0.5 %: 0.50 %, must be < 0.5"),
        ({"p95_latency": 214.0}, Verdict.WARNING, "P95 Latency < 200 ms: 214 ms, must be < 200"),
        ({"alerts_critical": 2.0}, Verdict.WARNING, "No critical alerts: 2 firing"),
        ({"candidate_share": 15.1}, Verdict.WARNING, "Observed share within 5 of 10 %: 15.1 %"),
        ({"error_rate": Verdict.NO_DATA}, Verdict.NO_DATA, "Error Rate < 0.5 %: refused"),
        ({"alerts_critical": Verdict.BROKEN}, Verdict.BROKEN, "No critical alerts: refused"),
        ({"candidate_share": Verdict.NO_DATA}, Verdict.NO_DATA, "Observed share within 5 of 10 %: refused"),
        ({"error_rate": Verdict.NO_DATA, "p95_latency": 300.0}, Verdict.NO_DATA, "Error Rate"),
    ],
)
def test_a_condition_that_does_not_hold_says_so_in_words(
    changes: dict[str, float | Verdict], verdict: Verdict, words: str
) -> None:
    checked = check("2.1", state(), Sights(measured(**changes)))
    assert gates.verdict(checked) is verdict
    assert gates.failing(checked).startswith(words)


def test_nothing_measured_is_not_a_pass() -> None:
    checked = check("2.1", state(), Sights({}))
    assert {entry.verdict for entry in checked} == {Verdict.NO_DATA}


def test_nothing_counts_while_the_metrics_warm_up_after_a_weight_change() -> None:
    checked = check("2.1", state(), Sights(measured(), warm_at=NOW + timedelta(seconds=12)))
    assert {entry.reason for entry in checked} == {"warming up after the weight change, 12 s more"}
    assert not any(entry.met for entry in checked)


def test_a_person_confirms_what_no_metric_shows() -> None:
    run = state(weight=100)
    sights = Sights(measured(candidate_share=100.0))
    assert [entry.confirm for entry in check("2.3", run, sights) if not entry.met] == ["no-user-complaints"]
    ticked = state(weight=100, no_user_complaints=TickState(True, "ada", NOW))
    assert all(entry.met for entry in check("2.3", ticked, sights))


@pytest.mark.parametrize("verdict", [Verdict.CRITICAL, Verdict.NO_DATA, Verdict.BROKEN])
def test_all_metrics_stable_bears_a_warning_and_nothing_worse(verdict: Verdict) -> None:
    found = measured(candidate_share=100.0)
    found["cpu"] = found["cpu"].model_copy(update={"verdict": Verdict.WARNING})
    assert check("2.3", state(weight=100), Sights(found))[0].met
    found["cpu"] = found["cpu"].model_copy(update={"verdict": verdict, "reason": "refused"})
    assert not check("2.3", state(weight=100), Sights(found))[0].met


MET = (Checked("a", Verdict.NORMAL),)
UNMET = (Checked("a", Verdict.WARNING, "too much"),)
INTERVAL = timedelta(seconds=15)


def clock(gate: GateState, checked: tuple[Checked, ...], since: timedelta | None = INTERVAL) -> list[str]:
    step: Step = STEPS["2.1"]
    return [event.type for event in gates.clock(step, gate, checked, (), NOW, since, 3 * INTERVAL)]


def gate(status: GateStatus, held: float | None = None, reason: str = "") -> GateState:
    since = None if held is None else NOW - timedelta(seconds=held)
    return GateState(status, NOW - timedelta(hours=1), 1800, since, reason=reason)


@pytest.mark.parametrize(
    ("before", "checked", "since", "expected"),
    [
        (gate(GateStatus.WAITING), MET, INTERVAL, ["gate.holding"]),
        (gate(GateStatus.WAITING), MET, None, ["gate.holding"]),
        (gate(GateStatus.WAITING), UNMET, INTERVAL, ["gate.broke"]),
        (gate(GateStatus.WAITING, reason="known"), UNMET, INTERVAL, []),
        (gate(GateStatus.HOLDING, 1799), MET, INTERVAL, []),
        (gate(GateStatus.HOLDING, 1800), MET, INTERVAL, ["gate.passed"]),
        (gate(GateStatus.HOLDING, 1799), UNMET, INTERVAL, ["gate.broke"]),
        (gate(GateStatus.HOLDING, 5000), UNMET, INTERVAL, ["gate.broke"]),
        (gate(GateStatus.HOLDING, 5000), MET, 4 * INTERVAL, ["gate.broke", "gate.holding"]),
        (gate(GateStatus.HOLDING, 5000), MET, None, ["gate.broke", "gate.holding"]),
        (gate(GateStatus.PASSED, 5000), UNMET, INTERVAL, []),
        (gate(GateStatus.OVERRIDDEN), MET, INTERVAL, []),
    ],
)
def test_the_hold_clock(
    before: GateState, checked: tuple[Checked, ...], since: timedelta | None, expected: list[str]
) -> None:
    assert clock(before, checked, since) == expected


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
    ],
)
def test_a_trigger_trips_on_two_of_three_measured_values(values: tuple[float | Verdict, ...], trips: bool) -> None:
    events = guard.watch(BOOK, state(), {"error_rate": history(*values)}, NOW)
    assert [event.type for event in events] == (["trigger.tripped", "rollback.started"] if trips else [])


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
