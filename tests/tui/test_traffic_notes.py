"""What a weight does not tell is on screen: in the pane, in full when there is room, and in the dialog."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.model import commands as c
from cockpit.model.cluster import Note, Severity, WeightField
from cockpit.model.snapshot import Snapshot
from tests.tui.helpers import NARROW, TINY, WIDE, cockpit, pane_text, press, screen_text, wait_for
from tests.tui.worlds import snapshot, traffic
from widgets.traffic_pane import TrafficPane

HEADER = Note(text="requests with the header X-Beta: yes go to the candidate at every weight", evades=True)
FAULT = Note(
    text="no primary Ingress serves web.test/: ingress-nginx ignores this canary there",
    severity=Severity.FAULT,
    hint="A canary needs a primary Ingress.",
)
TOTAL = Note(text="canary-weight counts of 200, not of 100", severity=Severity.INFO)
FIELD = WeightField(target="ingress/web-canary", field="canary-weight", value="100", total=200)
OFF = 'canary "false" and canary-weight 0'


def noted(*notes: Note, **changes: Any) -> Snapshot:
    view = traffic(notes=notes, fields=(FIELD,), off=OFF, **changes)
    return snapshot().model_copy(update={"traffic": view})


@pytest.mark.parametrize(
    ("notes", "count"),
    [((TOTAL,), "· 1 note"), ((TOTAL, HEADER), "▲ 2 notes"), ((TOTAL, HEADER, FAULT), "✖ 3 notes")],
)
@pytest.mark.parametrize("size", [WIDE, (120, 30), NARROW, TINY], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_number_of_notes_is_on_every_screen(
    notes: tuple[Note, ...], count: str, size: tuple[int, int]
) -> None:
    async with cockpit(noted(*notes), size) as (app, pilot, _):
        await wait_for(pilot, lambda: count in pane_text(app, "traffic"), count)
        assert count in screen_text(app)


async def test_the_worst_note_is_on_the_main_screen() -> None:
    async with cockpit(noted(TOTAL, HEADER, FAULT), WIDE) as (app, pilot, _):
        await wait_for(pilot, lambda: "✖ no primary Ingress serves web.test/" in pane_text(app, "traffic"), "the fault")


async def test_the_large_pane_says_everything() -> None:
    async with cockpit(noted(TOTAL, HEADER, FAULT), NARROW) as (app, pilot, _):
        await press(pilot, "5")
        whole = (FAULT.hint, "X-Beta: yes", "counts of 200", "Weight 0 is not a way back", OFF)
        await wait_for(
            pilot,
            lambda: all(part in " ".join(pane_text(app, "traffic").split()) for part in whole),
            "all notes, hints and the way back",
        )


async def test_without_notes_the_pane_is_as_calm_as_ever() -> None:
    async with cockpit(noted(), WIDE) as (app, pilot, _):
        await wait_for(pilot, lambda: "plan allows up to 50 %" in pane_text(app, "traffic"), "the plan")
        assert "note" not in pane_text(app, "traffic")


async def test_a_route_that_is_not_in_force_says_why() -> None:
    pending = "gateway edge has not looked at the newest route yet"
    async with cockpit(noted(pending=pending), WIDE) as (app, pilot, _):
        await wait_for(pilot, lambda: f"▲ not in force: {pending[:20]}" in pane_text(app, "traffic"), pending)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"residual": 0.0, "residual_at_most": 0.1}, "canary route off   residual 0.00 requests/s ✔"),
        ({"residual": 0.4, "residual_at_most": 0.1}, "canary route off   residual 0.40 requests/s ▲"),
        ({"residual_problem": "no series"}, "canary route off   ○ residual: no series"),
        ({}, "canary route off"),
    ],
)
async def test_what_still_reaches_the_route_is_shown(changes: dict[str, Any], text: str) -> None:
    async with cockpit(noted(canary_enabled=False, **changes), WIDE) as (app, pilot, _):
        await wait_for(pilot, lambda: text in pane_text(app, "traffic"), text)


async def test_the_dialog_says_what_is_written_what_to_know_and_how_to_go_back() -> None:
    async with cockpit(noted(TOTAL, HEADER, FAULT), NARROW) as (app, pilot, line):
        await press(pilot, "w", "left", "left", "enter")
        parts = (
            "50 %  →  48 %",
            "green gets 52 %",
            "Writes ingress/web-canary: canary-weight 100 → 96 of 200",
            "✖ no primary Ingress serves web.test/",
            "X-Beta: yes",
            "Weight 0 is not a way back",
        )
        await wait_for(pilot, lambda: all(part in screen_text(app) for part in parts), f"all of {parts}")
        assert "counts of 200" not in screen_text(app)
        await press(pilot, "enter")
        await wait_for(pilot, lambda: line.orders, "the command")
        assert line.orders == [c.SetWeight(weight=48, expected_seq=41)]


async def test_the_dialog_without_notes_says_how_to_go_back() -> None:
    async with cockpit(noted(), NARROW) as (app, pilot, _):
        await press(pilot, "w", "left", "enter")
        back = f"Back: w again to 50 %, or R rolls back ({OFF})."
        await wait_for(pilot, lambda: back in " ".join(screen_text(app).replace("│", "").split()), back)


async def test_many_notes_leave_room_for_the_keys() -> None:
    many = [HEADER.model_copy(update={"text": f"rule {number}: {HEADER.text} " * 3}) for number in range(9)]
    async with cockpit(noted(*many), NARROW) as (app, pilot, _):
        await press(pilot, "w", "right", "enter")
        parts = ("5 shows all notes", "Enter", "override it with a reason")
        await wait_for(pilot, lambda: all(part in screen_text(app) for part in parts), f"all of {parts}")


def test_hostile_notes_are_inert() -> None:
    pane = TrafficPane()
    pane.set_reactive(TrafficPane.traffic, traffic(notes=(Note(text="x\x1b[2J[@click='app.rollback']y"),)))
    said = [text for line in pane.lines(80, 30) for text, _ in line]
    assert not [text for text in said if "\x1b" in text]
