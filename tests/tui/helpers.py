"""What every test of the screen uses: an app on a fake line, and waiting for a condition."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from cockpit.model.snapshot import Snapshot
from cockpit.tui.app import CockpitApp
from cockpit.tui.looking import LookSettings
from tests.tui.worlds import FakeConnection
from widgets.pane import Pane

WIDE, NARROW, TINY = (160, 50), (80, 24), (60, 20)
PATIENCE_S = 20.0


async def wait_for(pilot: Pilot[int], condition: Callable[[], object], description: str) -> None:
    """Wait until the condition holds, or fail with what was waited for and what is on screen."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {description}\n{screen_text(pilot.app)}")
        await pilot.pause()


def screen_text(app: object) -> str:
    """What the top screen shows, cell by cell, without colours."""
    assert isinstance(app, CockpitApp)
    screen = app.screen
    width, height = app.size
    strips = screen._compositor.render_strips()
    return "\n".join(strip.text[:width].rstrip() for strip in strips[:height])


def pane_text(app: CockpitApp, id: str) -> str:
    """What one pane says."""
    return app.main.query_one(f"#{id}", Pane).text


@asynccontextmanager
async def cockpit(
    state: Snapshot | None = None,
    size: tuple[int, int] = WIDE,
    *,
    observer: bool = False,
    line: FakeConnection | None = None,
    look: LookSettings | None = None,
) -> AsyncIterator[tuple[CockpitApp, Pilot[int], FakeConnection]]:
    """An app that shows a state."""
    role = "observer" if observer else "commander"
    if line is None:
        line = FakeConnection.showing(state, role) if state else FakeConnection(role=role)
    app = CockpitApp(line, observer=observer, look=look)
    async with app.run_test(size=size, notifications=True) as pilot:
        if state is not None:
            await wait_for(pilot, lambda: app.main.loaded and app.main.rows, "the first snapshot is shown")
            await pilot.pause()
        yield app, pilot, line


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys and let them be handled."""
    await pilot.press(*keys)
    await pilot.pause()
