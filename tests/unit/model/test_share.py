"""What was commanded over a run, and how readings stand to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cockpit.model.events import Event, StepStarted, WeightChanged
from cockpit.model.history import History, Mark
from cockpit.model.readings import Reading, Readings
from cockpit.model.share import Course, Judged, course, residual_reading, share_of, share_reading
from cockpit.model.verdict import Verdict

START = datetime(2026, 11, 26, 8, tzinfo=UTC)
T = START.timestamp()
N, W, D, B = Verdict.NORMAL, Verdict.WARNING, Verdict.NO_DATA, Verdict.BROKEN


def run() -> Course:
    """As found, 10 %, 50 % with a smaller tolerance, switched, the route off."""
    head = {"actor": "engine"}

    def moved(minute: int, weight: int, active: str = "green", canary: bool = True) -> Event:
        at = START + timedelta(minutes=minute)
        return WeightChanged(seq=minute + 1, at=at, weight=weight, active=active, canary=canary, **head)

    history = History()
    for event in (
        moved(0, 0),
        StepStarted(seq=2, at=START, step="2.1", title="10 %", **head),
        moved(10, 10),
        StepStarted(seq=20, at=START + timedelta(minutes=15), step="2.2", title="50 %", **head),
        moved(20, 50),
        moved(30, 50, "blue"),
        moved(40, 50, "blue", False),
    ):
        history.heard(event)
    sent = [Mark.model_validate_json(mark.model_dump_json()) for mark in history.marks]
    return course(sent, "blue", {"2.2": 3}, 5)


def test_the_course_is_told_by_the_marks_of_the_journal() -> None:
    found = run()
    assert [(step.share, step.routed, step.tolerance) for step in found.steps] == [
        (0, True, 5), (10, True, 5), (50, True, 3), (100, True, 3), (100, False, 3),
    ]  # fmt: skip
    assert found.at(T - 1) is None
    assert found.deviation(Reading(T + 700, 12.5, N)) == 2.5
    assert found.deviation(Reading(T + 700, None, N)) is None
    assert (found.off(T + 2300), found.off(T + 2400)) == (False, True)
    assert (share_of(50, False, "green", "blue"), share_of(0, False, "blue", "blue")) == (0, 100)


SHARES = [
    ("as commanded", 700, 12.0, N, N),
    ("the tolerance itself is near enough", 700, 15.0, N, N),
    ("beyond it", 700, 15.1, N, W),
    ("below it", 700, 4.9, N, W),
    ("a step of its own tolerance", 1300, 54.0, N, W),
    ("just moved: it says nothing yet", 629, 99.0, N, N),
    ("settled", 630, 99.0, N, W),
    ("silence stays silence", 700, None, D, D),
    ("a broken question stays broken", 700, None, B, B),
    ("a warning of the server stays", 700, 10.0, W, W),
    ("before anything was commanded", -5, 40.0, N, N),
    ("all of it comes through the Service", 2000, 100.0, N, N),
]


@pytest.mark.parametrize(("what", "second", "value", "verdict", "judged"), SHARES)
def test_a_share_is_judged_by_what_was_commanded_then(
    what: str, second: int, value: float | None, verdict: Verdict, judged: Verdict
) -> None:
    found = share_reading(Reading(T + second, value, verdict), run(), 30.0)
    assert found is not None
    assert (found.value, found.verdict) == (value, judged), what


def test_while_the_route_is_off_there_is_no_share() -> None:
    assert share_reading(Reading(T + 2500, 0.0, N), run(), 30.0) is None


@pytest.mark.parametrize(
    ("second", "value", "judged"), [(2410, 9.0, N), (2430, 9.0, W), (2430, 0.1, N), (2430, None, N)]
)
def test_what_still_reaches_the_route_is_judged_once_it_can_be_told(
    second: int, value: float | None, judged: Verdict
) -> None:
    assert residual_reading(Reading(T + second, value, N), run(), 30.0, 0.1).verdict is judged


def test_readings_are_judged_once_and_anew_only_by_another_rule() -> None:
    asked: list[float] = []

    def judge(reading: Reading) -> Reading | None:
        asked.append(reading.at)
        return None if reading.at == T else reading

    source, judged = Readings(Reading(T + number, 1.0, N) for number in range(3)), Judged()
    assert [reading.at - T for reading in judged.take(source, "a", judge)] == [1, 2]
    source.add(Reading(T + 3, 2.0, N))
    assert len(judged.take(source, "a", judge)) == 3
    assert len(asked) == 4
    source.add(Reading(T + 1.5, 2.0, N))
    assert [reading.at - T for reading in judged.take(source, "a", judge)] == [1, 1.5, 2, 3], (
        "a late one is in its place"
    )
    assert len(judged.take(Readings(source), "a", judge)) == 4, "the whole run was asked for again"
    asked.clear()
    judged.take(source, "b", judge)
    assert len(asked) == 5
