"""What a tripped trigger does through a run: at once, after a countdown, or not when a person says so in time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cockpit.errors import Unreachable
from cockpit.model.commands import DismissTrigger
from cockpit.runbook.gate import MonitoringLoss, TriggerResponse
from tests.engine.test_session import accepted, begin, to_step
from tests.engine.world import LoopClock, Stage
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME
COUNTDOWN = timedelta(seconds=90)
GONE = Unreachable("Prometheus cannot be reached", "")


def asking(stage: Stage) -> None:
    """Let the first trigger ask, and blindness roll back after five minutes."""
    book = stage.book.runbook
    trigger = book.rollback.triggers[0].model_copy(update={"response": TriggerResponse.PROMPT, "countdown": COUNTDOWN})
    rollback = book.rollback.model_copy(update={"triggers": (trigger, *book.rollback.triggers[1:])})
    monitoring = book.monitoring.model_copy(
        update={"on_monitoring_loss": MonitoringLoss.ROLLBACK, "loss_after": timedelta(minutes=5)}
    )
    stage.book = replace(stage.book, runbook=book.model_copy(update={"rollback": rollback, "monitoring": monitoring}))


async def holding(stage: Stage) -> Any:
    """The run in its first gate, with a first trigger that asks; returns the start of the hold."""
    asking(stage)
    await begin(stage)
    await to_step(stage, "2.1")
    return await stage.until("gate.holding", step="2.1")


def blind(stage: Stage, *metrics: str) -> None:
    for name in metrics:
        stage.world.values[name] = GONE


async def test_a_prompt_counts_down_and_goes_back_unless_it_is_dismissed(stage: Stage) -> None:
    await holding(stage)

    stage.world.values["error_rate"] = 9.0
    tripped = await stage.until("trigger.tripped", trigger="error-rate")
    assert tripped.rollback_at - tripped.at == COUNTDOWN
    await asyncio.sleep(60)
    assert "rollback.started" not in stage.types()
    other = await stage.order(DismissTrigger(reason="a batch job, known", trigger="p95-latency"))
    assert (other.ok, other.message) == (False, "Error rate > 5% counts down now")
    assert stage.session is not None
    shown = stage.session.feed.snapshot().guard.triggers[0].state
    assert shown == "Error Rate 9.00, 9.00 %, above 5 in 2 of 3 measurements; now 9.00 %"
    await accepted(stage, DismissTrigger(reason="a batch job, known", trigger="error-rate"))
    # A dismissed one stays quiet while the value has not been good again, and asks anew after that.
    await asyncio.sleep(300)
    assert stage.types().count("trigger.tripped") == 1
    assert "rollback.started" not in stage.types()
    stage.world.values["error_rate"] = 0.04
    await asyncio.sleep(300)
    assert stage.types().count("trigger.tripped") == 1, "it goes back for what is good again"
    assert "trigger.rearmed" in stage.types()
    stage.world.values["error_rate"] = 9.0
    back = await stage.until("rollback.started")
    again = [event for event in stage.store.events if event.type == "trigger.tripped"][1]
    assert timedelta() <= back.at - again.rollback_at < timedelta(seconds=10)
    assert (back.automatic, back.trigger) == (True, "error-rate")


@pytest.mark.parametrize(
    ("gone", "returns_after", "ends"),
    [
        (("error_rate", "p95_latency"), None, "rollback.started"),
        (("error_rate", "p95_latency"), 330, "trigger.dismissed"),
        (("error_rate", "p95_latency"), 200, "nothing"),
        (("error_rate", "cpu", "memory"), None, "nothing"),
    ],
)
async def test_lost_monitoring_goes_back_only_where_the_runbook_says_so(
    stage: Stage, gone: tuple[str, ...], returns_after: float | None, ends: str
) -> None:
    """After five minutes without any trigger's metric and another to say no; one metric that is seen is enough."""
    held = await holding(stage)
    blind(stage, *gone)
    if returns_after is not None:
        await asyncio.sleep(returns_after)
        stage.world.values |= {"error_rate": 0.04, "p95_latency": 85.0}
    if ends == "nothing":
        await asyncio.sleep(600)
        assert not {"trigger.tripped", "rollback.started"} & set(stage.types())
        return
    ended = await stage.until(ends)
    tripped = await stage.until("trigger.tripped", trigger="monitoring-lost")
    assert timedelta(minutes=5) <= tripped.at - held.at < timedelta(minutes=5, seconds=45)
    assert tripped.rollback_at - tripped.at == timedelta(seconds=60)
    assert "Prometheus cannot be reached" in tripped.reason
    assert {entry.metric for entry in tripped.evidence} == {"error_rate", "p95_latency"}
    if ends == "rollback.started":
        assert timedelta() <= ended.at - tripped.rollback_at < timedelta(seconds=10)
    else:
        await asyncio.sleep(300)
        assert "rollback.started" not in stage.types()


@dataclass(frozen=True)
class Slow(LoopClock):
    """The clock of a bastion that is behind, by so many seconds."""

    behind: float = 3600.0

    def timestamp(self) -> float:
        return super().timestamp() - self.behind

    def not_before(self, at: datetime) -> Slow:
        return replace(self, behind=self.behind - max(0.0, at.timestamp() - self.timestamp()))

    def ahead(self) -> timedelta:
        return timedelta(seconds=3600.0 - self.behind)


async def test_a_countdown_is_no_longer_on_a_machine_whose_clock_is_behind(stage: Stage) -> None:
    """The engine is killed in it; the next one, here or on another bastion, reads an hour less."""
    await holding(stage)
    stage.world.values["error_rate"] = 9.0
    tripped = await stage.until("trigger.tripped", trigger="error-rate")
    await asyncio.sleep(60)
    await stage.kill()
    later = Stage(stage.world, stage.store, stage.tmp, stage.book, clock=Slow())
    await later.start()
    back = await later.until("rollback.started", COUNTDOWN.total_seconds() + 10)
    assert back.at - tripped.at < COUNTDOWN + timedelta(seconds=10)
    assert back.trigger == "error-rate"
    told = await later.until("note", 10)
    assert told.text.startswith("This machine's clock was set back; the run's goes on evenly and is ")
    await later.kill()
