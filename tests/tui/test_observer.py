"""An observer's app has nothing that changes anything."""

from __future__ import annotations

from textual.keys import Keys

from cockpit.tui.commands.act import ACT
from cockpit.tui.screens.main import CommanderScreen, MainScreen
from tests.tui.helpers import cockpit, screen_text, wait_for
from tests.tui.worlds import FakeConnection, alarm, consenting, snapshot
from widgets.traffic_slider import TrafficSlider

KEYS = [*"nhRoaDwyctxpgjmib?12", "enter", "space", "tab", "ctrl+r", "left", "right", Keys.F2.value, "escape"]


async def test_no_key_sends_anything() -> None:
    for world in (alarm(), consenting()):
        async with cockpit(world, observer=True) as (_, pilot, line):
            for key in KEYS:
                await pilot.press({"?": "question_mark"}.get(key, key))
                await pilot.press("escape")
            await pilot.pause()
            assert line.orders == []


async def test_no_order_is_bound_shown_or_helped() -> None:
    async with cockpit(alarm(), observer=True) as (app, pilot, _):
        names = {command.name() for command in ACT}
        bound = {binding.action for _, binding in app.main._bindings}
        assert not any(name in action for name in names for action in bound)
        assert not app.main.query(TrafficSlider)
        assert not hasattr(app.main, "_orders")
        text = screen_text(app)
        assert "OBSERVER" in text
        assert "roll back NOW" not in text
        assert not any(label in text.split("\n")[-1] for label in ("advance", "ROLL BACK", "hold", "weight"))
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: "LOOK" in screen_text(app), "help")
        assert "COMMAND" not in screen_text(app)
        assert not any(command.help()[:30] in screen_text(app) for command in ACT)


async def test_the_palette_of_an_observer_offers_no_order() -> None:
    async with cockpit(alarm(), observer=True) as (app, pilot, _):
        await pilot.press("ctrl+p", *"roll")
        await pilot.pause()
        assert "ROLL BACK" not in screen_text(app)


async def test_whom_the_engine_calls_an_observer_loses_the_keys() -> None:
    line = FakeConnection.showing(snapshot(), role="observer")
    async with cockpit(line=line) as (app, pilot, _):
        await wait_for(pilot, lambda: app.main.loaded and "OBSERVER" in screen_text(app), "the observer's screen")
        assert type(app.main) is MainScreen
        assert not any(isinstance(screen, CommanderScreen) for screen in app.screen_stack)
        await pilot.press("h")
        await pilot.pause()
        assert line.orders == []
