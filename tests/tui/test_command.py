"""The command moves between screens: both are told, and each can do what it may."""

from __future__ import annotations

from datetime import UTC, datetime

from cockpit.link.feed import Seated
from cockpit.model.commanding import Place
from cockpit.model.commands import Release, Takeover
from cockpit.tui.screens.main import CommanderScreen, StandbyScreen
from tests.tui.helpers import cockpit, press, screen_text, wait_for
from tests.tui.worlds import snapshot

AT = datetime(2026, 1, 8, 9, 41, 7, tzinfo=UTC)
MINE = Seated(place=Place(role="commander", commander="agent1"))
TAKEN = Seated(
    place=Place(role="observer", commander="eve", terminal="pts/3", since=AT, reason="agent1 [b]is[/] off shift")
)


async def test_who_loses_the_command_is_told_by_whom_and_why_and_watches() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        line.put(MINE)
        line.put(TAKEN)
        await wait_for(pilot, lambda: isinstance(app.main, StandbyScreen), "the screen watches")
        await wait_for(pilot, lambda: "eve at pts/3 commands this run since 09:41:07" in screen_text(app), "by whom")
        text = screen_text(app)
        assert "[b]is[/]" in text
        assert "TAKE COMMAND" in text
        assert "OBSERVER" in text
        for key in "nhoRDwye":
            await press(pilot, key)
            await press(pilot, "escape")
        assert line.orders == []


async def test_it_can_take_the_command_back_with_a_reason() -> None:
    async with cockpit(snapshot()) as (app, pilot, line):
        line.put(TAKEN)
        await wait_for(pilot, lambda: isinstance(app.main, StandbyScreen), "the screen watches")
        await press(pilot, "T")
        await wait_for(pilot, lambda: "TAKE OVER THE COMMAND" in screen_text(app), "the dialog")
        await press(pilot, "enter")
        assert line.orders == []
        await press(pilot, *"back", "enter")
        await wait_for(pilot, lambda: line.orders, "the order")
        assert line.orders == [Takeover(reason="back")]
        line.put(MINE)
        await wait_for(pilot, lambda: isinstance(app.main, CommanderScreen), "the screen commands")
        await wait_for(pilot, lambda: "You command this run now" in screen_text(app), "told")
        assert "COMMANDER" in screen_text(app)
        line.show(snapshot())
        await press(pilot, "h")
        await wait_for(pilot, lambda: len(line.orders) == 2, "orders go out again")


async def test_the_first_word_that_somebody_else_commands_is_no_alarm() -> None:
    async with cockpit() as (app, pilot, line):
        line.put(TAKEN)
        await wait_for(pilot, lambda: isinstance(app.main, StandbyScreen), "the screen watches")
        line.show(snapshot())
        await wait_for(pilot, lambda: app.main.loaded and "eve at pts/3" in screen_text(app), "who commands")


async def test_detaching_leaves_the_command() -> None:
    async with cockpit(snapshot()) as (_, pilot, line):
        line.put(MINE)
        await press(pilot, "q")
        await press(pilot, "enter")
        await wait_for(pilot, lambda: Release() in line.orders, "the goodbye")
