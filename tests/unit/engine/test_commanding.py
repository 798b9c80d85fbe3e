"""Who commands, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.engine.commanding import GRACE_S, Commanding
from cockpit.model.commanding import Front

ADA, ADA_2, EVE = (
    Front(number=1, person="ada", terminal="pts/1"),
    Front(number=2, person="ada", terminal="pts/2"),
    Front(number=3, person="eve", terminal="pts/3"),
)
SEATED = Commanding("ada", ADA)
LEFT = Commanding("ada", None, left_at=100.0)
RELEASED = Commanding("ada", None, left_at=100.0, released=True)


@pytest.mark.parametrize(
    ("before", "front", "now", "seat"),
    [
        (SEATED, ADA_2, 100.0, ADA),
        (SEATED, EVE, 100.0 + 10 * GRACE_S, ADA),
        (LEFT, ADA_2, 100.0, ADA_2),
        (LEFT, EVE, 100.0 + GRACE_S - 0.1, None),
        (LEFT, EVE, 100.0 + GRACE_S, EVE),
        (RELEASED, EVE, 100.0, EVE),
        (RELEASED, ADA_2, 100.0, ADA_2),
    ],
    ids=["second-terminal", "another-person", "back-again", "within-grace", "after-grace", "released", "own-released"],
)
def test_who_gets_the_seat_by_attaching(before: Commanding, front: Front, now: float, seat: Front | None) -> None:
    after = before.join(front, now)
    assert after.seat == seat
    assert after.person == (seat.person if seat else "ada")
    assert not (after.released and seat)


@pytest.mark.parametrize(
    ("known", "person", "front", "may"),
    [
        (SEATED, "ada", ADA, True),
        (SEATED, "ada", None, True),
        (SEATED, "ada", ADA_2, False),
        (SEATED, "eve", None, False),
        (SEATED, "eve", EVE, False),
        (LEFT, "ada", None, True),
        (LEFT, "eve", None, False),
        (RELEASED, "eve", None, False),
    ],
)
def test_whose_orders_count(known: Commanding, person: str, front: Front | None, may: bool) -> None:
    assert known.may_order(person, front) is may


def test_a_hang_up_of_a_screen_that_only_watches_changes_nothing() -> None:
    assert SEATED.leave(ADA_2, 5.0) == SEATED
    assert SEATED.leave(ADA, 5.0) == Commanding("ada", None, 5.0)


def test_taking_over_moves_the_seat_and_ends_a_release() -> None:
    assert SEATED.take("eve", EVE, 7.0) == Commanding("eve", EVE, 7.0)
    assert RELEASED.take("eve", None, 7.0) == Commanding("eve", None, 7.0)
    assert SEATED.take("ada", ADA_2, 7.0).may_order("ada", ADA) is False


def test_only_the_commander_can_release() -> None:
    assert SEATED.release("eve", EVE, 9.0) == SEATED
    assert SEATED.release("ada", ADA, 9.0) == replace(SEATED, seat=None, left_at=9.0, released=True)
