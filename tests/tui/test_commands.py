"""Every key of the commander sends the right command, or says why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cockpit.errors import EngineUnreachable
from cockpit.model import commands as c
from cockpit.model.commands import Command, Reply
from cockpit.model.snapshot import NextView, Snapshot
from cockpit.tui.commands.act import ACT
from cockpit.tui.dialogs.advance import AdvanceDialog
from cockpit.tui.screens.help import HelpScreen
from tests.tui.helpers import cockpit, screen_text, wait_for
from tests.tui.worlds import (
    ALARM,
    alarm,
    completed,
    consenting,
    deciding,
    drifted,
    escalation,
    guard,
    held,
    preparing,
    ready,
    rolling_back,
    snapshot,
)

CASES: list[tuple[str, Callable[[], Snapshot], list[str], Command]] = [
    ("start a step", ready, ["n", "enter"], c.Advance(expected_seq=41)),
    ("answer a decision", deciding, ["n", "enter"], c.Advance(expected_seq=41)),
    ("hold", snapshot, ["h"], c.Hold(expected_seq=41)),
    ("resume", held, ["h"], c.Resume(expected_seq=41)),
    ("override", snapshot, ["o", *"why", "enter"], c.Override(reason="why", expected_seq=41)),
    ("override before the start", preparing, ["o", *"ok", "enter"], c.Override(reason="ok", expected_seq=41)),
    ("acknowledge", alarm, ["a"], c.Acknowledge()),
    ("dismiss", alarm, ["D", *"no", "enter"], c.DismissTrigger(reason="no", trigger="error_rate")),
    ("restore a drift", drifted, ["e", "enter"], c.Restore(expected_seq=41)),
    ("adopt a drift", drifted, ["e", *"ok", "ctrl+t"], c.Adopt(reason="ok", expected_seq=41)),
    ("roll back", snapshot, ["R", *"bad", "enter", "ctrl+r"], c.RollBack(reason="bad")),
    (
        "roll back an alarm",
        alarm,
        ["R", "enter", "ctrl+r"],
        c.RollBack(reason="Error rate > 5 %: 6.20 % in 3 of 3 measurements"),
    ),
    (
        "roll back with a cause",
        snapshot,
        ["R", "f3", "enter", "ctrl+r"],
        c.RollBack(reason="Security breach identified", trigger="security"),
    ),
    (
        "roll back with the step its cause needs",
        snapshot,
        ["R", "f2", "enter", "ctrl+r"],
        c.RollBack(reason="Database corruption detected", trigger="db", needed=("database",)),
    ),
    (
        "roll back with a step",
        snapshot,
        ["R", *"bad", "f5", "enter", "ctrl+r"],
        c.RollBack(reason="bad", needed=("database",)),
    ),
    ("roll back again", rolling_back, ["R", *"bad", "enter", "ctrl+r"], c.RollBack(reason="bad")),
    ("less traffic", snapshot, ["w", "left", "left", "enter", "enter"], c.SetWeight(weight=48, expected_seq=41)),
    ("five less", snapshot, ["w", "left_square_bracket", "enter", "enter"], c.SetWeight(weight=45, expected_seq=41)),
    ("a stop less", snapshot, ["w", "down", "enter", "enter"], c.SetWeight(weight=10, expected_seq=41)),
    (
        "beyond the plan",
        snapshot,
        ["w", "shift+right", "right", "enter", *"ok", "enter"],
        c.SetWeight(weight=56, reason="ok", expected_seq=41),
    ),
    ("consent", consenting, ["y", *"FLUSH", "enter"], c.Consent(action="3.2/redis", word="FLUSH", expected_seq=41)),
    (
        "consent by n",
        consenting,
        ["n", *"FLUSH", "enter"],
        c.Consent(action="3.2/redis", word="FLUSH", expected_seq=41),
    ),
    ("skip", consenting, ["y", "ctrl+s"], c.Consent(action="3.2/redis", word="", expected_seq=41)),
    ("close", completed, ["X", "enter"], c.Close()),
    ("tick", preparing, ["c", "space"], c.Tick(item="m2")),
    ("tick the next", preparing, ["t", "down", "space"], c.Tick(item="m3")),
    ("untick", preparing, ["x", "up", "space"], c.Tick(item="m1", done=False)),
    ("tick with a note", preparing, ["c", "N", *"x y", "enter"], c.Tick(item="m2", note="x y")),
]


def as_key(key: str) -> str:
    return "space" if key == " " else key


@pytest.mark.parametrize(("world", "keys", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_keys_send_commands(world: Callable[[], Snapshot], keys: list[str], wanted: Command) -> None:
    async with cockpit(world()) as (_, pilot, line):
        for key in keys:
            assert line.orders == []
            await pilot.press(as_key(key))
            await pilot.pause()
        await wait_for(pilot, lambda: line.orders, "the command is sent")
        assert line.orders == [wanted]


REFUSED = [
    ("n", snapshot, "must hold"),
    ("D", snapshot, "No rollback trigger"),
    ("X", snapshot, "finish it or roll it back"),
    ("a", snapshot, "No escalation"),
    ("y", snapshot, "No action asks"),
    ("o", ready, "nothing to override"),
    ("n", rolling_back, "no way forward"),
    ("w", rolling_back, "no way forward"),
]


@pytest.mark.parametrize(("key", "world", "words"), REFUSED)
async def test_a_refused_key_says_why(key: str, world: Callable[[], Snapshot], words: str) -> None:
    async with cockpit(world()) as (app, pilot, line):
        await pilot.press(key)
        await wait_for(pilot, lambda: words in screen_text(app), f"“{words}” is said")
        assert line.orders == []


@pytest.mark.parametrize(
    "keys",
    [
        ["R", "enter", "ctrl+r"],
        ["R", *"bad", "ctrl+r"],
        ["R", *"bad", "enter", "x", "ctrl+r"],
        ["R", *"bad", "enter", "enter"],
        ["R", *"bad", "enter", "escape"],
        ["o", "enter"],
        ["n", "escape"],
        ["y", *"flush", "enter"],
        ["w", "right", "escape"],
        ["w", "up", "enter", "enter"],
    ],
    ids=" ".join,
)
async def test_half_a_confirmation_sends_nothing(keys: list[str]) -> None:
    world = consenting() if keys[0] == "y" else ready() if keys[0] == "n" else snapshot()
    async with cockpit(world) as (_, pilot, line):
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert line.orders == []


@pytest.mark.parametrize("key", ["n", "o"])
async def test_a_changed_situation_disarms(key: str) -> None:
    world = deciding() if key == "n" else snapshot()
    async with cockpit(world) as (app, pilot, line):
        await pilot.press(key, *("bad" if key == "o" else ""))
        changed = world.model_copy(
            update={"situation": 42, "next": NextView(verb="Retry 2.2", question="Retry?", override="go on anyway")}
        )
        line.show(changed, "next")
        await wait_for(pilot, lambda: "THE SITUATION CHANGED" in screen_text(app), "the dialog is disarmed")
        assert ("Retry 2.2" if key == "n" else "go on anyway") in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert line.orders == []
        await pilot.press("ctrl+l", "enter")
        await wait_for(pilot, lambda: line.orders, "after looking again it is sent")
        assert line.orders[0].expected_seq == 42


async def test_a_trigger_that_went_away_is_not_dismissed() -> None:
    async with cockpit(alarm()) as (app, pilot, line):
        await pilot.press("D", *"no")
        line.show(alarm().model_copy(update={"guard": guard(ALARM.model_copy(update={"id": "other"}))}), "guard")
        await wait_for(pilot, lambda: "THE SITUATION CHANGED" in screen_text(app), "disarmed")
        await pilot.press("enter")
        await pilot.pause()
        assert line.orders == []


@pytest.mark.parametrize("keys", [["n", "enter", "enter", "enter"], ["p", "escape", "escape"]], ids=" ".join)
async def test_a_key_pressed_twice_closes_one_screen(keys: list[str]) -> None:
    async with cockpit(ready()) as (app, pilot, line):
        await pilot.press(keys[0])
        await pilot.pause()
        for key in keys[1:]:
            app.simulate_key(key)
        await wait_for(pilot, lambda: app.screen is app.main, "the main screen")
        await pilot.pause()
        assert len(line.orders) == (1 if keys[0] == "n" else 0)
        assert app.is_running


async def test_a_lost_line_disarms_even_a_rollback() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        await pilot.press("R", *"bad", "enter")
        line.lose()
        await wait_for(pilot, lambda: "nothing can be sent" in screen_text(app), "it says so")
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert line.orders == []


async def test_what_the_engine_refuses_is_said_with_its_hint() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        line.reply = Reply(ok=False, message="The [b]situation[/b] changed", hint="Look again")
        await pilot.press("h")
        await wait_for(pilot, lambda: "→ Look again" in screen_text(app), "the hint")
        assert "[b]situation[/b]" in screen_text(app)


async def test_an_unreachable_engine_is_said() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        line.error = EngineUnreachable("no answer from the engine", "It may be gone: cockpit runs")
        await pilot.press("h")
        await wait_for(pilot, lambda: "It may be gone" in screen_text(app), "the error and its hint")


async def test_rollback_works_from_every_screen() -> None:
    for key in ("p", "j", "m", "i", "g", "b", "c", "question_mark"):
        async with cockpit(snapshot()) as (_, pilot, line):
            await pilot.press(key, "R", *"bad", "enter", "ctrl+r")
            await wait_for(pilot, lambda line=line: line.orders, f"the rollback from {key}")


async def test_the_palette_offers_what_would_work() -> None:
    async with cockpit(alarm()) as (app, pilot, line):
        await pilot.press("ctrl+p", *"acknow")
        await wait_for(pilot, lambda: "acknowledge" in screen_text(app), "the palette shows it")
        await pilot.press("enter")
        await wait_for(pilot, lambda: line.orders == [c.Acknowledge()], "it is sent")


async def test_help_lists_every_command() -> None:
    async with cockpit(snapshot(escalation=escalation())) as (app, pilot, _):
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: isinstance(app.screen, HelpScreen) and "LOOK" in screen_text(app), "help")
        text = screen_text(app)
        assert all(command.help()[:40] in text for command in app.main.commands)
        assert "not now: No escalation" in text


def test_every_command_says_what_it_does() -> None:
    keys = [key for command in ACT for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert all(command.help().endswith(".") and command.label for command in ACT)


async def test_the_advance_dialog_says_what_will_happen() -> None:
    async with cockpit(ready()) as (app, pilot, _):
        await pilot.press("n")
        await wait_for(pilot, lambda: isinstance(app.screen, AdvanceDialog), "the dialog")
        await wait_for(
            pilot, lambda: "Sends 100 % of the traffic to blue, then measures" in screen_text(app), "the detail"
        )
        assert "rollback is ready" in screen_text(app)
