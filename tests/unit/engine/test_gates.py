from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from cockpit.engine import conditions, gates
from cockpit.engine.conditions import WARMING, Checked, Sights
from cockpit.engine.gates import Evidence, Look, Looks, Pulse
from cockpit.model.comparison import Comparison, Standing
from cockpit.model.describe import describe
from cockpit.model.events import DriftEnded, GateBroke, GateGaveUp, WeightChanged
from cockpit.model.reduce import reduce
from cockpit.model.run import DecisionState, DriftState, GateState, RunState, StepState, TickState, TrafficState
from cockpit.model.status import GateStatus, RunStatus
from cockpit.model.verdict import ALERTS_CRITICAL, CANDIDATE_SHARE, Measurement, Verdict
from cockpit.runbook.compare import Compare, CompareKind, TrackQueries
from cockpit.runbook.gate import Condition
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
    return conditions.check(BOOK, STEPS[step], run, sights, NOW)


def test_the_conditions_of_the_first_gate_are_the_sources_and_the_observed_share() -> None:
    checked = check("2.1", state(), Sights(measured()))
    assert [entry.text for entry in gates.deciding(checked)] == [
        "Error Rate < 0.5 %",
        "P95 Latency < 200 ms",
        "No critical alerts",
        "Observed share within 5 of 10 %",
    ]
    assert [entry.text for entry in checked if entry.advisory] == [
        "Error Rate not worse than stable",
        "P95 Latency not worse than stable",
    ]
    assert all(entry.met for entry in gates.deciding(checked))
    assert gates.verdict(checked) is Verdict.NORMAL


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({"error_rate": 0.5}, Verdict.WARNING, "Error Rate 0.50 %, must be < 0.5"),
        ({"p95_latency": 214.0}, Verdict.WARNING, "P95 Latency 214 ms, must be < 200"),
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
    assert {entry.reason for entry in checked} == {"warming up after the weight change until 09:10:12"}
    assert not any(entry.met for entry in checked)


def test_a_person_confirms_what_no_metric_shows() -> None:
    run = state(weight=100)
    sights = Sights(measured(candidate_share=100.0))
    assert [entry.confirm for entry in check("2.3", run, sights) if not entry.met] == ["no-user-complaints"]
    ticked = state(weight=100, no_user_complaints=TickState(True, "ada", NOW))
    assert all(entry.met for entry in check("2.3", ticked, sights))


SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def test_a_measurement_whose_window_reaches_back_over_the_weight_change_does_not_count() -> None:
    """The answer to a slow query comes after the warm-up, and is of before."""
    for step, weight in (("2.1", 10), ("2.3", 100)):
        late = check(step, state(weight), Sights(measured(candidate_share=float(weight)), warm_at=NOW))
        assert all(entry.met for entry in late if not entry.advisory and not entry.confirm)
        early = check(step, state(weight), Sights(measured(candidate_share=float(weight)), warm_at=NOW + SECOND))
        before = conditions.check(
            BOOK, STEPS[step], state(weight), Sights(measured(), warm_at=NOW + SECOND), NOW + 2 * SECOND
        )
        for checked in (early, before):
            told = [entry for entry in gates.deciding(checked) if not entry.confirm]
            assert {entry.verdict for entry in told} == {Verdict.NO_DATA}
            assert gates.look(checked).fresh


@pytest.mark.parametrize(
    ("opened_ago", "moved_ago", "ticked_ago", "met", "words"),
    [
        (10, 20, 5, True, "confirmed by ada"),
        (10, 20, 10, True, "confirmed by ada"),
        (10, 20, 15, False, "a person must confirm it again: the gate has begun anew since"),
        (20, 10, 15, False, "a person must confirm it again: the gate has begun anew since"),
        (20, 10, 5, True, "confirmed by ada"),
    ],
)
def test_nobody_confirms_what_there_was_nothing_to_see_of(
    opened_ago: int, moved_ago: int, ticked_ago: int, met: bool, words: str
) -> None:
    opened = GateState(GateStatus.WAITING, NOW - opened_ago * SECOND, 1800)
    run = RunState(
        status=RunStatus.RUNNING,
        traffic=TrafficState(100, "green", True, NOW - moved_ago * SECOND),
        steps={"2.3": StepState(NOW - timedelta(hours=1), gate=opened)},
        ticks={"no-user-complaints": TickState(True, "ada", NOW - ticked_ago * SECOND)},
    )
    (entry,) = [each for each in check("2.3", run, Sights(measured())) if each.confirm]
    assert (entry.met, entry.reason) == (met, words)


@pytest.mark.parametrize(
    ("weight", "active", "canary", "words"),
    [
        (50, "green", True, ""),
        (60, "green", True, ""),
        (25, "green", True, "only 25 % are commanded, the plan is at 50 %: move it back, or override"),
        (0, "green", True, "only 0 % are commanded, the plan is at 50 %: move it back, or override"),
        (50, "green", False, "only 0 % are commanded, the plan is at 50 %: move it back, or override"),
        (0, "blue", False, ""),
    ],
)
def test_a_gate_shows_nothing_of_traffic_that_a_hand_took_away(
    weight: int, active: str, canary: bool, words: str
) -> None:
    """At no traffic all metrics are fine, and the observed share is the commanded one."""
    begun = {name: StepState(NOW - timedelta(hours=1)) for name in ("2.1", "2.2")}
    traffic = TrafficState(weight, active, canary, NOW - timedelta(minutes=5))
    run = RunState(status=RunStatus.RUNNING, traffic=traffic, steps=begun)
    checked = check("2.2", run, Sights(measured(candidate_share=float(weight if canary else 0))))
    assert gates.failing(checked) == words
    assert gates.look(checked).failed is bool(words)


@pytest.mark.parametrize(
    ("weight", "observed", "met"),
    [(5, 5.0, True), (5, 0.1, True), (5, 0.0, False), (0, 0.0, True), (10, 5.0, True), (10, 4.9, False)],
)
def test_no_tolerance_is_wide_enough_for_a_candidate_that_nothing_reaches(
    weight: int, observed: float, met: bool
) -> None:
    checked = check("2.1", state(weight), Sights(measured(candidate_share=observed)))
    (entry,) = [each for each in checked if each.text.startswith("Observed share")]
    assert (entry.met, "no request reaches the candidate" in entry.reason) == (met, not observed and bool(weight))


def test_a_part_of_an_alert_is_an_alert() -> None:
    assert not check("2.1", state(), Sights(measured(alerts_critical=0.5)))[2].met


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


def clock(
    gate: GateState, checked: tuple[Checked, ...], since: timedelta | None = INTERVAL, looks: tuple[Look, ...] = (),
    step: Step = STEPS["2.1"],
) -> list[str]:  # fmt: skip
    pulse = Pulse(since, 3 * INTERVAL, looks)
    return [event.type for event in gates.clock(step, gate, checked, Evidence(), NOW, pulse)]


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
        (gate(GateStatus.HOLDING, 5000), MET, -INTERVAL, ["gate.broke", "gate.holding"]),
        (gate(GateStatus.PASSED, 5000), UNMET, INTERVAL, []),
        (gate(GateStatus.OVERRIDDEN), MET, INTERVAL, []),
    ],
)
def test_the_hold_clock(
    before: GateState, checked: tuple[Checked, ...], since: timedelta | None, expected: list[str]
) -> None:
    assert clock(before, checked, since) == expected


MISSED = (Checked("a", Verdict.NO_DATA, "nothing"),)
GOOD_LOOK, BAD_LOOK, BLIND_LOOK, FRESH_LOOK = Look(), Look(failed=True), Look(blind=True), Look(blind=True, fresh=True)
BOTH_LOOK = Look(failed=True, blind=True)


def patient(**changes: object) -> Step:
    step = STEPS["2.1"]
    assert step.gate is not None
    return step.model_copy(update={"gate": step.gate.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("budget", "looks", "borne"),
    [
        ({}, (BAD_LOOK,), False),
        ({}, (BLIND_LOOK,), False),
        ({"failures_allowed": 1}, (GOOD_LOOK, BAD_LOOK), True),
        ({"failures_allowed": 1}, (BAD_LOOK, GOOD_LOOK, BAD_LOOK), False),
        ({"failures_allowed": 1, "of": 3}, (BAD_LOOK, GOOD_LOOK, GOOD_LOOK, BAD_LOOK), True),
        ({"failures_allowed": 1, "of": 4}, (BAD_LOOK, GOOD_LOOK, GOOD_LOOK, BAD_LOOK), False),
        ({"failures_allowed": 2}, (BLIND_LOOK,), False),
        ({"errors_allowed": 2}, (BAD_LOOK,), False),
        ({"errors_allowed": 2}, (BLIND_LOOK, BLIND_LOOK), True),
        ({"errors_allowed": 2}, (BLIND_LOOK, BLIND_LOOK, BLIND_LOOK), False),
        ({"errors_allowed": 2}, (BLIND_LOOK, BLIND_LOOK, GOOD_LOOK, BLIND_LOOK, BLIND_LOOK), True),
        ({"errors_allowed": 1, "failures_allowed": 1}, (BAD_LOOK, GOOD_LOOK, BLIND_LOOK), True),
        ({"errors_allowed": 1}, (BOTH_LOOK,), False),
        ({"errors_allowed": 1, "failures_allowed": 1}, (BOTH_LOOK,), True),
        ({"errors_allowed": 9, "failures_allowed": 9}, (FRESH_LOOK,), False),
    ],
)
def test_failures_and_errors_have_budgets_of_their_own(
    budget: dict[str, int], looks: tuple[Look, ...], borne: bool
) -> None:
    step = patient(**budget)
    assert step.gate is not None
    assert gates.bears(step.gate, looks) is borne
    unmet = MISSED if looks[-1].blind else UNMET
    broke = clock(gate(GateStatus.HOLDING, 100), unmet, looks=looks, step=step)
    assert broke == ([] if borne else ["gate.broke"])


@pytest.mark.parametrize(
    ("looks", "breaks"),
    [
        ((GOOD_LOOK,), False),
        ((GOOD_LOOK, BAD_LOOK), True),
        ((FRESH_LOOK,), True),
        ((BLIND_LOOK,) * gates.PATIENCE, False),
        ((BLIND_LOOK,) * (gates.PATIENCE + 1), True),
        ((BLIND_LOOK,) * gates.PATIENCE + (GOOD_LOOK, BLIND_LOOK), False),
    ],
)
def test_a_gate_that_has_passed_is_watched_while_a_person_decides(looks: tuple[Look, ...], breaks: bool) -> None:
    checked = UNMET if looks[-1].failed else MET if looks[-1].good else MISSED
    broke = clock(gate(GateStatus.PASSED, 5000), checked, since=None, looks=looks)
    assert broke == (["gate.broke"] if breaks else [])
    assert clock(gate(GateStatus.OVERRIDDEN), checked, looks=looks) == []


def test_what_broke_a_hold_stays_known_and_a_broken_pass_is_asked_about_again() -> None:
    def broke(run: RunState, minute: int, reason: str, value: str = "") -> RunState:
        event = GateBroke(at=NOW + minute * MINUTE, actor="engine", step="2.1", reason=reason, value=value)
        return reduce(run, event)

    asked = DecisionState("Continue?", NOW, None, "hold")
    known = StepState(NOW, gate=gate(GateStatus.WAITING), decision=asked)
    run = broke(RunState(steps={"2.1": known}), 0, "too much", "231 ms")
    waiting = run.steps["2.1"].gate
    assert waiting is not None
    assert (waiting.broke_at, waiting.broke_value, waiting.reason) == (None, "", "too much"), "it never held"

    for status, decision in ((GateStatus.HOLDING, asked), (GateStatus.PASSED, None)):
        step = replace(known, gate=gate(status, 60))
        run = broke(RunState(steps={"2.1": step}), 1, "P95 231 ms", "231 ms")
        run = broke(run, 9, "P95 214 ms; CPU 90 %", "214 ms")
        waiting = run.steps["2.1"].gate
        assert waiting is not None
        assert (waiting.status, waiting.held_since) == (GateStatus.WAITING, None)
        assert (waiting.broke_at, waiting.broke_value) == (NOW + MINUTE, "231 ms")
        assert waiting.reason == "P95 214 ms; CPU 90 %"
        assert run.steps["2.1"].decision == decision
        # One that had passed has all its time again, before it gives up.
        anew = NOW + MINUTE if status is GateStatus.PASSED else NOW - timedelta(hours=1)
        assert waiting.opened_at == anew


@pytest.mark.parametrize(
    ("status", "run_status", "anew"),
    [
        (GateStatus.PASSED, RunStatus.RUNNING, True),
        (GateStatus.OVERRIDDEN, RunStatus.RUNNING, True),
        (GateStatus.HOLDING, RunStatus.RUNNING, False),
        (GateStatus.PASSED, RunStatus.ROLLING_BACK, False),
    ],
)
def test_another_weight_is_another_gate(status: GateStatus, run_status: RunStatus, anew: bool) -> None:
    """Neither what was measured nor what a person overrode was of this weight."""
    asked = DecisionState("Continue?", NOW, None, "hold")
    over = StepState(NOW, ended_at=NOW, gate=gate(status, 60), decision=replace(asked, answer="continue"))
    known = StepState(NOW, gate=gate(status, 60), decision=asked)
    run = replace(state(), status=run_status, steps={"2.1": over, "2.2": known})
    moved = WeightChanged(at=NOW + MINUTE, actor="ada", weight=5, active="green", canary=True, by="hand")
    settled = DriftEnded.model_validate({"at": NOW + MINUTE, "actor": "engine", "object": "x", "how": "gone"})
    drifted = replace(run, drift={"x": DriftState({}, {"weight": "90"}, "argocd", NOW)})
    for after in (reduce(run, moved), reduce(drifted, settled)):
        assert after.steps["2.1"] == over
        found = after.steps["2.2"].gate
        assert found is not None
        assert (found.status is GateStatus.WAITING, after.steps["2.2"].decision is None) == (anew, anew)
        assert found.opened_at == (NOW + MINUTE if anew else gate(status).opened_at)


@pytest.mark.parametrize(
    ("found", "how", "moved"),
    [({"weight": "90"}, "gone", True), ({"image": "x"}, "restored", True), ({"epoch": "3"}, "gone", False)],
)
def test_the_end_of_a_drift_is_a_change_of_the_traffic(found: dict[str, str], how: str, moved: bool) -> None:
    run = replace(state(), drift={"x": DriftState({}, found, "argocd", NOW)})
    ended = DriftEnded.model_validate({"at": NOW + MINUTE, "actor": "engine", "object": "x", "how": how})
    traffic = reduce(run, ended).traffic
    assert traffic is not None
    assert traffic.changed_at == (NOW + MINUTE if moved else NOW - 5 * MINUTE)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (gate(GateStatus.WAITING), "Gate 2.1 waits: a: too much"),
        (gate(GateStatus.HOLDING, 680), "Gate 2.1 broke after 11:20: a: too much"),
    ],
)
def test_only_what_held_is_said_to_have_broken(before: GateState, words: str) -> None:
    (event,) = gates.clock(STEPS["2.1"], before, UNMET, Evidence(), NOW, Pulse(INTERVAL, 3 * INTERVAL))
    assert describe(event) == words


def test_a_borne_look_never_passes_the_gate_and_never_hides_a_gap() -> None:
    step = patient(failures_allowed=3, errors_allowed=3)
    assert clock(gate(GateStatus.HOLDING, 5000), UNMET, looks=(BAD_LOOK,), step=step) == []
    assert clock(gate(GateStatus.HOLDING, 5000), MISSED, looks=(BLIND_LOOK,), step=step) == []
    assert clock(gate(GateStatus.HOLDING, 5000), UNMET, 4 * INTERVAL, (BAD_LOOK,), step) == ["gate.broke"]
    assert clock(gate(GateStatus.HOLDING, 5000), UNMET, None, (BAD_LOOK,), step) == ["gate.broke"]
    assert clock(gate(GateStatus.HOLDING, 5000), MET, looks=(BAD_LOOK, GOOD_LOOK), step=step) == ["gate.passed"]


@pytest.mark.parametrize(
    ("interval", "entries", "expected"),
    [
        (None, (GOOD_LOOK, BAD_LOOK, BLIND_LOOK), (GOOD_LOOK, BAD_LOOK, BLIND_LOOK)),
        (INTERVAL, (GOOD_LOOK, BAD_LOOK, BLIND_LOOK), (GOOD_LOOK, BAD_LOOK, BLIND_LOOK)),
        (INTERVAL / 3, (GOOD_LOOK, BAD_LOOK), (GOOD_LOOK, BAD_LOOK)),
        (MINUTE, (BAD_LOOK, BAD_LOOK, GOOD_LOOK, BAD_LOOK), (BAD_LOOK,)),
        (MINUTE, (GOOD_LOOK, BAD_LOOK, BLIND_LOOK, GOOD_LOOK, GOOD_LOOK), (BOTH_LOOK, GOOD_LOOK)),
        (MINUTE, (GOOD_LOOK,) * 9, (GOOD_LOOK,) * 3),
    ],
)
def test_a_look_lasts_the_gates_interval_and_is_as_bad_as_its_worst_measurement(
    interval: timedelta | None, entries: tuple[Look, ...], expected: tuple[Look, ...]
) -> None:
    step, looks = patient(interval=interval), Looks()
    assert step.gate is not None
    for number, entry in enumerate(entries):
        # A round takes some time of its own.
        looks = looks.seen(entry, NOW + number * INTERVAL * 1.01, step.gate, INTERVAL)
    assert looks.looks == expected


@pytest.mark.parametrize(("interval", "pace"), [(None, INTERVAL), (MINUTE, INTERVAL), (INTERVAL / 3, INTERVAL / 3)])
def test_an_open_gate_is_never_measured_less_often_than_usual(interval: timedelta | None, pace: timedelta) -> None:
    step = patient(interval=interval)
    assert step.gate is not None
    assert step.gate.pace(INTERVAL) == pace


@pytest.mark.parametrize("bad", [BAD_LOOK, BLIND_LOOK, FRESH_LOOK, BOTH_LOOK])
def test_a_gate_does_not_pass_in_a_look_that_was_not_good_all_the_time(bad: Look) -> None:
    step = patient(failures_allowed=3, errors_allowed=3, interval=MINUTE)
    assert clock(gate(GateStatus.HOLDING, 5000), MET, looks=(bad,), step=step) == []
    assert clock(gate(GateStatus.HOLDING, 5000), MET, looks=(bad, GOOD_LOOK), step=step) == ["gate.passed"]


def test_what_of_the_budgets_is_used_is_said() -> None:
    step = patient(failures_allowed=2, errors_allowed=1)
    assert step.gate is not None
    said = gates.borne(step.gate, (BAD_LOOK, GOOD_LOOK, BLIND_LOOK))
    assert said == "1 failed look of 2 allowed, 1 without an answer, 1 in a row allowed"
    assert gates.borne(step.gate, (GOOD_LOOK,)) == ""


def test_a_look_tells_what_failed_from_what_could_not_be_told() -> None:
    warm = (Checked("a", Verdict.NO_DATA, f"{WARMING} until 09:10:03"),)
    advisory = (Checked("a", Verdict.BROKEN, "refused", advisory=True),)
    assert gates.look(MET) == gates.look(advisory) == GOOD_LOOK
    assert gates.look(UNMET) == BAD_LOOK
    assert gates.look(MISSED) == gates.look((Checked("a", Verdict.BROKEN),)) == BLIND_LOOK
    assert gates.look(warm) == FRESH_LOOK
    assert gates.look((*UNMET, *MISSED)) == BOTH_LOOK


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_advisory_condition_is_shown_and_never_decides(verdict: Verdict) -> None:
    checked = (*MET, Checked("b", verdict, "so so", advisory=True))
    assert gates.verdict(checked) is Verdict.NORMAL
    assert (gates.failing(checked), gates.obstacles(checked)) == ("", frozenset())
    assert clock(gate(GateStatus.HOLDING, 1800), checked) == ["gate.passed"]


@pytest.mark.parametrize(
    ("status", "held", "opened_ago", "gives_up"),
    [
        (GateStatus.WAITING, None, 29, False),
        (GateStatus.WAITING, None, 30, False),
        (GateStatus.WAITING, None, 31, True),
        (GateStatus.HOLDING, 10, 40, False),
        (GateStatus.HOLDING, 10, 41, True),
        (GateStatus.PASSED, 30, 90, False),
        (GateStatus.OVERRIDDEN, None, 90, False),
    ],
)
def test_a_gate_gives_up_as_soon_as_its_hold_does_not_fit_in_any_more(
    status: GateStatus, held: int | None, opened_ago: int, gives_up: bool
) -> None:
    step = patient(hold=timedelta(minutes=30), give_up_after=timedelta(minutes=60))
    since = None if held is None else NOW - timedelta(minutes=held)
    before = GateState(status, NOW - timedelta(minutes=opened_ago), 1800, since)
    events = gates.gave_up(step, before, UNMET, Evidence(), NOW)
    assert [event.type for event in events] == (["gate.gave_up"] if gives_up else [])
    assert gates.gave_up(step, replace(before, gave_up=True), UNMET, Evidence(), NOW) == []
    assert gates.gave_up(patient(), before, UNMET, Evidence(), NOW) == []


def test_a_gate_that_gives_up_says_how_much_is_missing_and_why() -> None:
    step = patient(give_up_after=timedelta(minutes=60))
    before = GateState(GateStatus.WAITING, NOW - timedelta(minutes=33), 1800)
    checked = (Checked("a < 1", Verdict.WARNING, "2, must be < 1", short="A 2, must be < 1"),)
    (event,) = gates.gave_up(step, before, checked, Evidence(), NOW)
    assert isinstance(event, GateGaveUp)
    assert event.reason == "it cannot pass before 09:37:00 any more, 3:00 would be missing: A 2, must be < 1"


def test_what_the_server_warns_may_be_missing_does_not_meet_a_condition() -> None:
    found = measured()
    found["error_rate"] = found["error_rate"].model_copy(update={"warnings": ("a store is down",)})
    entry = check("2.1", state(), Sights(found))[0]
    assert (entry.verdict, entry.reason) == (Verdict.NO_DATA, "data may be missing, the server warns: a store is down")
    assert not check("2.3", state(weight=100), Sights(found))[0].met


def comparison(standing: Standing) -> Comparison:
    return Comparison(metric="error_rate", at=NOW, standing=standing, sentence="blue so, green so: such")


@pytest.mark.parametrize(
    ("standing", "verdict"),
    [
        (Standing.WORSE, Verdict.WARNING),
        (Standing.NOT_WORSE, Verdict.NORMAL),
        (Standing.BETTER, Verdict.NORMAL),
        (Standing.TOO_FEW, Verdict.NO_DATA),
        (Standing.UNKNOWN, Verdict.BROKEN),
        (None, Verdict.NO_DATA),
    ],
)
@pytest.mark.parametrize("decides", [True, False])
def test_a_comparison_informs_unless_the_runbook_lets_it_decide(
    standing: Standing | None, verdict: Verdict, decides: bool
) -> None:
    compare = Compare(kind=CompareKind.COUNTS, candidate=TrackQueries(), stable=TrackQueries(), condition=decides)
    metrics = BOOK.monitoring.metrics
    compared = [metric.model_copy(update={"compare": compare if metric is metrics[0] else None}) for metric in metrics]
    book = BOOK.model_copy(update={"monitoring": BOOK.monitoring.model_copy(update={"metrics": tuple(compared)})})
    known = {} if standing is None else {"error_rate": comparison(standing)}
    sights = Sights(measured(), comparisons=known)
    checked = conditions.check(book, STEPS["2.1"], state(), sights, NOW)
    entry = checked[-1]
    assert (entry.text, entry.verdict, entry.advisory) == ("Error Rate not worse than stable", verdict, not decides)
    assert gates.verdict(checked) is (verdict if decides else Verdict.NORMAL)
    whole = conditions.check(book, STEPS["2.3"], state(weight=100), sights, NOW)
    assert "Error Rate not worse than stable" not in [each.text for each in whole]
    gate = STEPS["2.1"].gate
    assert gate is not None
    named = (*gate.conditions, Condition(compare="error_rate"))
    step = STEPS["2.1"].model_copy(update={"gate": gate.model_copy(update={"conditions": named})})
    asked = [each for each in conditions.check(book, step, state(), sights, NOW) if "not worse" in each.text]
    assert [(each.verdict, each.advisory) for each in asked] == [(verdict, False)]


@pytest.mark.parametrize(
    ("value", "met", "words"),
    [
        (199.6, True, "199.6 ms"),
        (199.97, True, "199.97 ms"),
        (200.0, False, "200 ms, must be < 200"),
        (200.4, False, "200.4 ms, must be < 200"),
        (231.4, False, "231 ms, must be < 200"),
        (85.4, True, "85 ms"),
    ],
)
def test_no_rounding_puts_a_value_on_the_other_side_of_its_limit(value: float, met: bool, words: str) -> None:
    entry = check("2.1", state(), Sights(measured(p95_latency=value)))[1]
    assert (entry.met, entry.reason) == (met, words)


@pytest.mark.parametrize(
    ("below", "above", "value", "met", "words"),
    [
        (None, 10.0, 10.0, False, "Error Rate 10.00 %, must be > 10"),
        (None, 10.0, 10.1, True, ""),
        (20.0, 10.0, 20.0, False, "Error Rate 20.00 %, must be < 20 and > 10"),
        (20.0, 10.0, 15.0, True, ""),
    ],
)
def test_a_condition_may_have_a_lower_limit(
    below: float | None, above: float | None, value: float, met: bool, words: str
) -> None:
    condition = Condition(metric="error_rate", below=below, above=above)
    step = patient(conditions=(condition,))
    entry = conditions.check(BOOK, step, state(), Sights(measured(error_rate=value)), NOW)[0]
    assert (entry.met, entry.short) == (met, words)
