"""The real engine behind real sockets, and nothing but keys."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from textual.pilot import Pilot

from cockpit.link.client import SocketConnection
from cockpit.link.peer import person_of
from cockpit.link.server import serve
from cockpit.model.clock import RunClock
from cockpit.model.status import RunStatus
from cockpit.runbook.schema import Runbook, Step, Window
from cockpit.tui.app import CockpitApp
from cockpit.tui.dialogs.advance import AdvanceDialog
from cockpit.tui.screens.checklist import TickScreen
from tests.engine.world import START, MemoryStore, Stage, World, shipped
from tests.tui.helpers import WIDE, press, screen_text, wait_for

SPEED = 400.0
ALL_DAY = Window.model_validate({"start": "00:00", "end": "23:59"})


@dataclass
class Show:
    """An engine on a world in memory, and a screen attached to it."""

    stage: Stage
    app: CockpitApp
    pilot: Pilot[int]

    def recorded(self, type_: str, **facts: object) -> bool:
        return any(
            event.type == type_ and all(getattr(event, key) == value for key, value in facts.items())
            for event in self.stage.store.events
        )

    async def until(self, type_: str, **facts: object) -> None:
        await self.shown(lambda: self.recorded(type_, **facts), f"{type_} {facts}")

    async def shown(self, condition: Callable[[], object], what: str) -> None:
        await wait_for(self.pilot, condition, what)

    async def go_on(self, verb: str) -> None:
        """Press the two keys of an advance when the screen offers it; again when the situation changed meanwhile."""
        refused = self.refusals()
        for _ in range(5):
            await self.shown(lambda: self.app.main.next and not self.app.main.next.blocked, f"{verb} is offered")
            await press(self.pilot, "n")
            await self.shown(lambda: isinstance(self.app.screen, AdvanceDialog), "the dialog is open")
            assert verb in screen_text(self.app)
            await press(self.pilot, "enter")
            if isinstance(self.app.screen, AdvanceDialog):
                await press(self.pilot, "escape")
                continue
            if self.refusals() == refused:
                return
            refused = self.refusals()
        raise AssertionError(f"{verb} was never accepted\n{screen_text(self.app)}")

    def refusals(self) -> int:
        return self.stage.types().count("command.refused")


def unhurried(book: Runbook) -> Runbook:
    """A runbook that waits for its commander all day: at this speed the keys take hours of run time."""

    def asked(step: Step) -> Step:
        decision = step.decision and step.decision.model_copy(update={"deadline": timedelta(hours=12)})
        return step.model_copy(update={"decision": decision})

    phases = [phase.model_copy(update={"steps": tuple(map(asked, phase.steps))}) for phase in book.phases]
    return book.model_copy(update={"window": ALL_DAY, "phases": tuple(phases)})


@asynccontextmanager
async def show(tmp_path: Path, short_path: Path, observer: bool = False) -> AsyncIterator[Show]:
    loaded = shipped()
    book = replace(loaded, runbook=unhurried(loaded.runbook))
    stage = Stage(World(), MemoryStore(), tmp_path, book, clock=RunClock.starting(START, SPEED))
    stage.commander = person_of(os.getpid(), os.geteuid())
    await stage.start()
    assert stage.session is not None
    control, watch = short_path / "c.sock", short_path / "w.sock"
    async with serve(stage.session.feed, control, watch):
        line = SocketConnection(watch if observer else control, observer=observer)
        app = CockpitApp(line, observer=observer)
        async with app.run_test(size=WIDE) as pilot:
            await wait_for(pilot, lambda: app.main.loaded, "the first snapshot")
            yield Show(stage, app, pilot)
    await stage.kill()


async def tick(on: Show, *items: str) -> None:
    """Tick items of the checklist screen, in the order in which they stand there."""
    await press(on.pilot, "c")
    await on.shown(lambda: isinstance(on.app.screen, TickScreen), "the checklist is open")
    screen = on.app.screen
    assert isinstance(screen, TickScreen)
    for item in items:
        for _ in range(60):
            chosen = screen.chosen()
            if chosen is not None and chosen.id == item:
                break
            await press(on.pilot, "down")
        await press(on.pilot, "space")
        await on.until("item.ticked", item=item)
    await press(on.pilot, "escape")


async def settled(on: Show) -> None:
    """Wait until everything was measured once: a dialog disarms itself when a verdict changes under it."""
    await on.until("readiness.changed", ready=True)
    metrics = {metric.id for metric in on.stage.book.runbook.monitoring.metrics}
    await on.shown(lambda: metrics <= verdicts(on), "all metrics are measured")
    # Samples are rows of the journal, and none of the screen's.
    seen = max(event.seq for event in on.stage.store.events if event.type != "metrics.sampled")
    await on.shown(lambda: on.app.main.rows and on.app.main.rows[-1].seq >= seen, "the screen has seen it")


def verdicts(on: Show) -> set[str]:
    return {event.measurement.metric for event in on.stage.store.events if event.type == "metric.verdict"}


async def test_a_whole_run_by_keys(tmp_path: Path, short_path: Path) -> None:
    async with show(tmp_path, short_path) as on:
        await settled(on)
        await tick(on, *(item.id for entry in on.stage.book.runbook.checklists for item in entry.items))
        await on.go_on("Start the run")
        for step in ("1.1", "1.2"):
            await on.until("step.finished", step=step)
            await on.go_on("Start")
        for step in ("2.1", "2.2"):
            await on.until("decision.opened", step=step)
            await on.go_on("Continue")
        await on.until("gate.opened", step="2.3")
        await tick(on, "no-user-complaints")
        await on.until("step.finished", step="2.3")
        await on.go_on("Start")
        await on.until("step.finished", step="3.1")
        await on.go_on("Start")
        await on.until("action.succeeded", action="purge-cdn")
        await on.until("action.looked", action="flush-redis")
        await on.shown(lambda: on.app.main.consent, "the consent is asked for")
        await on.shown(lambda: "keys in db0" in str(on.app.main.plan), "what it would do is there")
        await press(on.pilot, "n")
        await press(on.pilot, *"FLUSHALL", "enter")
        await on.until("step.finished", step="3.2")
        await on.go_on("Start")
        await on.until("step.finished", step="4.1")
        await on.go_on("Start")
        await on.until("step.started", step="4.2")
        await tick(on, "user-feedback", "support-tickets", "social-media", "application-logs")
        await on.until("run.status", status=RunStatus.COMPLETED)
        await on.shown(lambda: "COMPLETED" in screen_text(on.app).upper(), "the screen says that the run is completed")
        assert on.stage.world.effects[-4:] == ["switch blue", "canary off", "purge", "flush"]


async def test_a_rollback_by_keys(tmp_path: Path, short_path: Path) -> None:
    async with show(tmp_path, short_path) as on:
        await settled(on)
        await press(on.pilot, "o", *"drill", "enter")
        for step in ("1.1", "1.2"):
            await on.until("step.finished", step=step)
            await on.go_on("Start")
        await on.until("gate.holding", step="2.1")
        await press(on.pilot, "R", *"users", "enter", "ctrl+r")
        await on.until("rollback.finished", succeeded=True)
        await on.shown(lambda: "ROLLED BACK" in screen_text(on.app).upper(), "the screen says rolled back")
        assert (on.stage.world.weight, on.stage.world.active) == (0, "green")


async def test_an_observer_sees_the_same_run_and_changes_nothing(tmp_path: Path, short_path: Path) -> None:
    async with show(tmp_path, short_path, observer=True) as on:
        await on.until("readiness.changed", ready=True)
        before = len(on.stage.world.effects)
        for key in ("n", "h", "R", "o", "a", "D", "space", "enter"):
            await press(on.pilot, key)
        await on.shown(lambda: "OBSERVER" in screen_text(on.app), "the screen says observer")
        assert len(on.stage.world.effects) == before
        assert not {"run.held", "run.started", "command.refused"} & set(on.stage.types())
