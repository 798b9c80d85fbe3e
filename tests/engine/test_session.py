"""Whole runs of the shipped runbook in fake time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.engine import plan
from cockpit.errors import Unreachable
from cockpit.model.cluster import Note, Severity
from cockpit.model.commands import (
    Acknowledge,
    Advance,
    Close,
    Command,
    Consent,
    Hold,
    Override,
    Reply,
    Resume,
    RollBack,
    SetWeight,
    Tick,
)
from cockpit.model.status import RunStatus, StepStatus
from cockpit.model.verdict import CANARY_RESIDUAL, Verdict
from cockpit.runbook.schema import Decision, DecisionDefault
from tests.engine.world import MemoryStore, Stage
from tests.fake_time import FAKE_TIME

pytestmark = FAKE_TIME


def change_step(stage: Stage, step_id: str, **changes: object) -> None:
    """Change one step of the stage's runbook."""
    book = stage.book.runbook
    phases = tuple(
        phase.model_copy(
            update={"steps": tuple(s.model_copy(update=changes) if s.id == step_id else s for s in phase.steps)}
        )
        for phase in book.phases
    )
    stage.book = replace(stage.book, runbook=book.model_copy(update={"phases": phases}))


async def tick_all(stage: Stage, list_stage: str) -> None:
    assert stage.session is not None
    for entry in stage.session.feed.snapshot().checklist.lists:
        if entry.stage == list_stage:
            for item in entry.items:
                reply = await stage.order(Tick(item=item.id))
                assert reply.ok, reply


async def accepted(stage: Stage, command: Command) -> Reply:
    reply = await stage.order(command)
    assert reply.ok, reply
    return reply


async def begin(stage: Stage) -> Stage:
    await stage.start()
    await stage.until("readiness.changed", ready=True)
    await tick_all(stage, "before")
    await accepted(stage, Advance())
    return stage


async def to_step(stage: Stage, step: str) -> Stage:
    """Advance whenever it is possible until a step starts."""
    for event in ("1.2", "2.1", "2.2", "2.3", "3.1", "3.2"):
        await stage.until("step.started", step=_before(event))
        if _before(event) == step:
            return stage
        await at_boundary(stage, _before(event))
        await accepted(stage, Advance())
    return stage


def _before(step: str) -> str:
    order = ["1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2"]
    return order[order.index(step) - 1]


async def at_boundary(stage: Stage, step: str) -> None:
    declared = next(each for each in stage.book.runbook.steps if each.id == step)
    if declared.gate and any(condition.confirm for condition in declared.gate.conditions):
        await stage.until("gate.opened", step=step)
        await accepted(stage, Tick(item="no-user-complaints"))
    await stage.until("decision.opened" if declared.decision else "step.finished", step=step)


async def test_a_commander_takes_the_shipped_runbook_to_its_end(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "3.1")
    await stage.until("step.finished", step="3.1")
    await accepted(stage, Advance())
    await stage.until("action.succeeded", action="purge-cdn")
    await stage.until("action.looked", action="flush-redis")
    refused = await stage.order(Consent(action="flush-redis", word="flushall"))
    assert not refused.ok
    await accepted(stage, Consent(action="flush-redis", word="FLUSHALL"))
    await stage.until("step.finished", step="3.2")
    await accepted(stage, Advance())
    await stage.until("step.finished", step="4.1")
    await accepted(stage, Advance())
    for item in ("user-feedback", "support-tickets", "social-media", "application-logs"):
        await accepted(stage, Tick(item=item))
    await stage.until("run.status", status=RunStatus.COMPLETED)
    assert stage.world.effects == [
        "image gcr.io/moshimoshi-prod/moshimoshi:1.0.0",
        "weight 10",
        "weight 50",
        "weight 100",
        "switch blue",
        "canary off",
        "purge",
        "flush",
    ]
    announced = {event.message for event in stage.store.events if event.type == "message.queued"}
    updates = {entry.id for entry in stage.book.runbook.communications.updates if entry.at}
    assert len(updates) == 7
    assert updates <= announced
    await accepted(stage, Close())
    assert stage.task is not None
    await stage.task
    assert stage.types()[-1] == "run.closed"
    # Killed before it could say so, the next engine ends by itself as well.
    later = await Stage(stage.world, stage.store, stage.tmp).start()
    assert later.task is not None
    await asyncio.wait_for(later.task, 60)


async def test_every_effect_has_its_intent_before_it(stage: Stage) -> None:
    stage.automatic = True
    await stage.start()
    await stage.until("run.status", status=RunStatus.COMPLETED, seconds=20_000)
    open_intents: set[str] = set()
    for event in stage.store.events:
        if event.type == "action.intended":
            open_intents.add(event.action)
        elif event.type == "action.succeeded" and event.action in {"traffic-10", "switch-blue", "purge-cdn"}:
            assert event.action in open_intents
    assert {"traffic-10", "switch-blue", "purge-cdn", "flush-redis", "deploy-blue"} <= open_intents


async def test_a_gate_holds_for_its_time_and_starts_again_when_it_breaks(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    holding = await stage.until("gate.holding", step="2.1")
    await asyncio.sleep(20 * 60)
    stage.world.values["p95_latency"] = 231.0
    broke = await stage.until("gate.broke", step="2.1", reason="P95 Latency 231 ms, must be < 200")
    assert stage.session is not None
    gate = stage.session.feed.snapshot().gate
    assert gate is not None
    assert gate.held_since is None
    stage.world.values["p95_latency"] = 214.0
    await asyncio.sleep(20)
    # What blocks is said as it is now; the journal has what it broke at.
    blocked = stage.session.feed.snapshot().next.blocked
    assert blocked == "Gate 2.1 has not passed: P95 Latency 214 ms, must be < 200"
    refused = await stage.order(Advance())
    assert "Gate 2.1 has not passed" in refused.message
    stage.world.values["p95_latency"] = 120.0
    passed = await stage.until("gate.passed", step="2.1")
    assert (broke.at - holding.at).total_seconds() >= 20 * 60
    assert (passed.at - broke.at).total_seconds() >= 30 * 60
    assert {entry.metric for entry in passed.evidence} >= {"error_rate", "p95_latency"}


async def test_a_green_that_is_none_any_more_does_not_let_the_run_go_on(stage: Stage) -> None:
    """The gate has passed, and is measured on while a person decides."""
    await begin(stage)
    await to_step(stage, "2.1")
    first = await stage.until("decision.opened", step="2.1")
    stage.world.values["p95_latency"] = 231.0
    broke = await stage.until("gate.broke", step="2.1", value="231 ms")
    assert broke.at > first.at
    assert stage.session is not None
    refused = await stage.order(Advance())
    assert refused.message == "Gate 2.1 has not passed: P95 Latency 231 ms, must be < 200"
    assert stage.session.feed.snapshot().next.question == ""

    stage.world.values["p95_latency"] = 120.0
    await asyncio.sleep(25 * 60)
    assert not (await stage.order(Advance())).ok
    await asyncio.sleep(6 * 60)
    asked = [event for event in stage.store.events if event.type == "decision.opened"]
    assert len(asked) == 2, "it is asked about anew, with the whole time to decide"
    assert asked[1].deadline - asked[1].at == asked[0].deadline - asked[0].at

    # A person takes the traffic away: nothing is wrong any more, and nothing is measured.
    await accepted(stage, SetWeight(weight=0))
    await asyncio.sleep(1)
    refused = await stage.order(Advance())
    assert refused.message == "Gate 2.1 has not passed: the traffic was changed"
    await asyncio.sleep(90)
    refused = await stage.order(Advance())
    assert "only 0 % are commanded, the plan is at 10 %: move it back, or override" in refused.message
    await accepted(stage, SetWeight(weight=10))
    await asyncio.sleep(32 * 60)
    await accepted(stage, Advance())


@pytest.mark.parametrize("dies", [False, True])
async def test_no_deadline_lets_a_run_go_on_that_sees_nothing(stage: Stage, dies: bool) -> None:
    decision = Decision(question="Go on?", deadline=timedelta(minutes=10), default=DecisionDefault.CONTINUE)
    change_step(stage, "2.1", decision=decision)
    await begin(stage)
    await to_step(stage, "2.1")
    opened = await stage.until("decision.opened", step="2.1")
    if dies:
        await stage.kill()
        await asyncio.sleep(3600)
    else:
        await asyncio.sleep(570)
    blind = dict.fromkeys(stage.world.values, None)
    stage.world.values, seen = {**blind}, dict(stage.world.values)
    if dies:
        await stage.start()
    await stage.until(
        "gate.broke", 300, step="2.1", reason="3 of 4 conditions cannot be measured: no series: nothing was measured"
    )
    await asyncio.sleep(1200)
    assert "decision.made" not in stage.types()
    stage.world.values = seen
    made = await stage.until("decision.made", step="2.1")
    assert (made.answer, made.at - opened.at > timedelta(minutes=60)) == ("continue", True)


@pytest.mark.parametrize("silence", [None, Unreachable("refused", "")])
async def test_silence_never_advances_and_never_rolls_back(stage: Stage, silence: Unreachable | None) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("gate.holding", step="2.1")
    for name in stage.world.values:
        stage.world.values[name] = silence
    await stage.until("gate.broke", step="2.1")
    await stage.until("escalation.started", cause="The gate cannot be measured")
    await asyncio.sleep(3 * 3600)
    assert "gate.passed" not in stage.types()
    assert "rollback.started" not in stage.types()
    assert stage.session is not None
    snapshot = stage.session.feed.snapshot()
    assert snapshot.gate is not None
    assert snapshot.gate.verdict in (Verdict.NO_DATA, Verdict.BROKEN)
    assert snapshot.guard.problem.startswith("cannot see")


async def test_the_guard_rolls_back_with_evidence(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.2")
    await stage.until("gate.holding", step="2.2")
    stage.world.values["error_rate"] = 7.5
    tripped = await stage.until("trigger.tripped", trigger="error-rate")
    assert [entry.value for entry in tripped.evidence] == [7.5, 7.5]
    finished = await stage.until("rollback.finished")
    assert finished.succeeded
    assert finished.took_s < 60
    assert (stage.world.weight, stage.world.canary, stage.world.active) == (0, False, "green")
    steps = {event.step: event.status for event in stage.store.events if event.type == "rollback.step_finished"}
    assert steps == {
        "rollback-traffic": "done",
        "rollback-verify": "done",
        "rollback-database": "skipped",
        "rollback-caches": "done",
        "rollback-validate": "done",
    }
    assert "flush" not in stage.world.effects
    await stage.until("run.status", status=RunStatus.ROLLED_BACK)


async def test_one_bad_measurement_does_not_trip(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    stage.world.values["error_rate"] = 7.5
    await stage.until("metric.verdict")
    await asyncio.sleep(14)
    stage.world.values["error_rate"] = 0.04
    await asyncio.sleep(300)
    assert "trigger.tripped" not in stage.types()


async def test_a_declared_trigger_brings_its_needed_step(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    reply = await stage.order(RollBack(reason="orders are gone", trigger="database-corruption"))
    assert reply.ok
    await stage.until("rollback.finished")
    assert len(stage.world.jobs) == 1


@pytest.mark.parametrize("status", ["acting", "gating", "deciding", "held", "completed", "failed"])
async def test_a_rollback_works_from_every_state(stage: Stage, status: str) -> None:
    await _bring_to(stage, status)
    await accepted(stage, RollBack(reason="we go back"))
    finished = await stage.until("rollback.finished")
    assert finished.succeeded
    assert (stage.world.weight if stage.world.canary else 0, stage.world.active) == (0, "green")


async def _bring_to(stage: Stage, status: str) -> None:
    brings: dict[str, Callable[[Stage], Awaitable[None]]] = {
        "acting": _acting,
        "gating": _gating,
        "deciding": _deciding,
        "held": _held,
        "completed": _completed,
        "failed": _failed,
    }
    await brings[status](stage)


async def _acting(stage: Stage) -> None:
    stage.world.rollout_s = 300
    await begin(stage)
    await stage.until("action.progressed", action="deploy-blue")


async def _gating(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("gate.holding", step="2.1")


async def _deciding(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.2")
    await stage.until("decision.opened", step="2.2")


async def _held(stage: Stage) -> None:
    await _gating(stage)
    await accepted(stage, Hold(reason="lunch"))


async def _completed(stage: Stage) -> None:
    stage.automatic = True
    await stage.start()
    await stage.until("run.status", status=RunStatus.COMPLETED, seconds=20_000)


async def _failed(stage: Stage) -> None:
    stage.world.available["blue"] = 0
    stage.world.rollout_s = 1_000_000
    await begin(stage)
    await stage.until("action.failed", action="deploy-blue")
    assert stage.session is not None
    assert stage.session.feed.snapshot().next.verb == "Try again"


async def test_a_rollback_goes_on_while_the_cdn_is_down(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    stage.world.cdn_down = True
    await accepted(stage, RollBack(reason="we go back"))
    await stage.until("rollback.finished")
    assert (stage.world.weight, stage.world.active) == (0, "green")
    validated = await stage.until("rollback.step_finished", step="rollback-validate")
    assert validated.status == "done"


async def test_a_rollback_keeps_trying_while_the_api_is_down(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("action.succeeded", action="traffic-10")
    stage.world.api_down = True
    await accepted(stage, RollBack(reason="we go back"))
    await asyncio.sleep(600)
    assert stage.world.weight == 10
    assert stage.session is not None
    assert "patch service" in stage.session.feed.snapshot().rollback.break_glass
    stage.world.api_down = False
    finished = await stage.until("rollback.finished")
    assert (stage.world.weight, stage.world.active) == (0, "green")
    # What was looked at while the traffic could not be moved is looked at again.
    assert finished.succeeded, finished.message


async def test_a_lost_answer_is_read_back_and_not_repeated(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "1.2")
    await stage.until("step.finished", step="1.2")
    stage.world.lose_answers = 1
    await accepted(stage, Advance())
    await stage.until("action.succeeded", action="traffic-10")
    assert stage.world.effects.count("weight 10") == 1


async def test_hold_stops_forward_steps_and_resume_lets_them_go(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "1.2")
    await stage.until("step.finished", step="1.2")
    await accepted(stage, Hold(reason="phone call"))
    assert (await stage.order(Advance())).message == "The run is held"
    await accepted(stage, Resume())
    await accepted(stage, Advance())
    await stage.until("action.succeeded", action="traffic-10")


async def test_nobody_answers_for_a_gate_before_it_is_open(stage: Stage) -> None:
    await begin(stage)
    refused = await stage.order(Tick(item="no-user-complaints"))
    assert (refused.ok, refused.message) == (False, "Gate 2.3 is not open yet")
    assert "item.ticked" not in stage.types()[stage.types().index("run.started") :]


async def test_override_needs_a_reason_and_passes_the_gate(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    stage.world.values["p95_latency"] = 300.0
    await stage.until("gate.broke", step="2.1")
    assert not (await stage.order(Override(reason="  "))).ok
    await accepted(stage, Override(reason="known slow report job"))
    overridden = await stage.until("gate.overridden", step="2.1")
    assert overridden.evidence
    await stage.until("decision.opened", step="2.1")


async def test_a_command_for_another_situation_is_refused(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "1.2")
    await stage.until("step.finished", step="1.2")
    assert stage.session is not None
    seen = stage.session.feed.snapshot().situation
    stage.world.values["error_rate"] = 0.5
    await stage.until("metric.verdict", previous=Verdict.NORMAL)
    refused = await stage.order(Advance(expected_seq=seen))
    assert refused.message.startswith("The situation has changed since you looked: Error Rate is WARNING at ")
    assert "step.started" not in stage.types()[stage.types().index("command.refused") :]


async def test_the_checklist_must_be_ticked_or_overridden(stage: Stage) -> None:
    await stage.start()
    await stage.until("readiness.changed", ready=True)
    refused = await stage.order(Advance())
    assert refused.message.startswith("Not ticked: All staging tests passed and 14 more")
    await accepted(stage, Override(reason="rehearsal"))
    await stage.until("step.started", step="1.1")
    await stage.until("run.overrode")


async def test_forward_is_locked_while_the_way_back_is_not_ready(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "1.2")
    await stage.until("step.finished", step="1.2")
    stage.world.available["green"] = 1
    await stage.until("readiness.changed", ready=False)
    refused = await stage.order(Advance())
    assert refused.message == "Rollback is not ready: green has 1 of 3 pods ready"


async def test_the_escalation_climbs_until_acknowledged(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    stage.world.values["cpu"] = 91.0
    await stage.until("escalation.level", level=2)
    await accepted(stage, Acknowledge())
    await asyncio.sleep(20 * 60)
    assert [event.level for event in stage.store.events if event.type == "escalation.level"] == [1, 2]
    stage.world.values["cpu"] = 40.0
    await stage.until("escalation.ended")


async def test_nobody_decides_in_time(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("decision.opened", step="2.1")
    held = await stage.until("run.held")
    assert "nobody answered in time" in held.reason
    assert stage.types().count("run.held") == 1
    await stage.until("escalation.started", cause="Nobody has decided in time")


async def test_the_slider_moves_the_traffic_within_the_plan(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.2")
    await stage.until("action.succeeded", action="traffic-50")
    refused = await stage.order(SetWeight(weight=60))
    assert (refused.ok, refused.message) == (False, "60 % is beyond the 50 % of the current step")
    await accepted(stage, SetWeight(weight=25))
    await stage.until("traffic.changed", weight=25)
    await accepted(stage, SetWeight(weight=0))
    await stage.until("traffic.changed", weight=0, canary=True)
    assert "run.overrode" not in stage.types()
    await accepted(stage, SetWeight(weight=60, reason="load test"))
    await stage.until("traffic.changed", weight=60)
    overrode = await stage.until("run.overrode", reason="load test")
    assert overrode.what == "moving the traffic by hand: 60 % is beyond the 50 % of the current step"  # type: ignore[attr-defined]
    assert stage.world.weight == 60


async def test_the_slider_gives_a_faulty_route_no_more(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.2")
    await stage.until("action.succeeded", action="traffic-50")
    stage.world.notes = (Note(text="two canaries", severity=Severity.FAULT, hint="Delete one."),)
    await accepted(stage, SetWeight(weight=60, reason="load test"))
    failed = await stage.until("action.failed")
    assert (failed.message, failed.hint) == ("moshimoshi-ingress-canary: two canaries", "Delete one.")  # type: ignore[attr-defined]
    await accepted(stage, SetWeight(weight=25))
    await stage.until("traffic.changed", weight=25)
    await asyncio.sleep(15)
    assert stage.session is not None
    assert [note.text for note in stage.session.feed.snapshot().traffic.notes] == ["two canaries"]


@pytest.mark.parametrize(
    ("rate", "said", "level"),
    [
        (0.0, "Residual canary requests: 0.00/s; nobody is left on the canary route", "info"),
        (0.4, "0.40 requests/s still reach the canary route", "warning"),
    ],
)
async def test_what_still_reaches_the_route_after_a_rollback_is_noted_once(
    stage: Stage, rate: float, said: str, level: str
) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("action.succeeded", action="traffic-10")
    stage.world.residual = rate
    await accepted(stage, RollBack(reason="practice"))
    await stage.until("run.status", status=RunStatus.ROLLED_BACK)
    noted = await stage.until("note", level=level)
    assert said in noted.text  # type: ignore[attr-defined]
    await asyncio.sleep(300)
    assert stage.types().count("note") == 1
    assert stage.session is not None
    snapshot = stage.session.feed.snapshot()
    assert (snapshot.traffic.canary_enabled, snapshot.traffic.residual) == (False, rate)
    charted, readings = snapshot.metrics.residual, stage.session._core.seen.history.readings[CANARY_RESIDUAL]
    assert charted is not None
    assert (charted.value, charted.at_most, charted.id) == (rate, 0.1, CANARY_RESIDUAL)
    assert len(readings) > 10, "it is measured as long as the route is off"


async def test_the_final_switch_waits_for_the_observed_share(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "3.1")
    stage.world.observed = 40.0
    words = "waiting: the observed share is 40.0 %, commanded are 100 % (± 5)"
    await stage.until("action.progressed", action="canary-off", message=words)
    assert "canary off" not in stage.world.effects
    stage.world.observed = None
    await stage.until("step.finished", step="3.1")
    assert stage.world.effects[-1] == "canary off"


async def test_somebody_else_moved_the_traffic(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("decision.opened", step="2.1")
    assert stage.session is not None
    await accepted(stage, Advance())
    await stage.until("action.succeeded", action="traffic-50")
    stage.world.weight = 80
    snapshot = stage.session.feed.snapshot()
    assert snapshot.traffic.commanded == 50
    await asyncio.sleep(15)
    assert stage.session.feed.snapshot().traffic.live == 80


@pytest.mark.parametrize("point", ["deploy-blue", "traffic-10", "traffic-50", "switch-blue", "purge-cdn"])
async def test_a_killed_engine_is_taken_up_again(stage: Stage, point: str) -> None:
    """Kill right after an INTENT; the next engine reads the target and goes on."""
    stage.automatic = True
    await stage.start()
    await stage.until("action.intended", action=point, seconds=20_000)
    await stage.kill()
    left = len(stage.store.events)
    again = Stage(stage.world, MemoryStore(stage.store.events), stage.tmp, automatic=True)
    await again.start()
    try:
        await again.until("run.status", status=RunStatus.COMPLETED, seconds=20_000)
    finally:
        await again.kill()
    assert len(again.store.events) > left
    for effect in ("weight 10", "weight 50", "weight 100", "switch blue", "canary off", "flush"):
        assert again.world.effects.count(effect) == 1, effect


async def test_an_engine_killed_in_a_rollback_finishes_the_rollback(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.2")
    await stage.until("action.succeeded", action="traffic-50")
    await stage.order(RollBack(reason="back"))
    await stage.until("rollback.step_started")
    await stage.kill()
    again = Stage(stage.world, MemoryStore(stage.store.events), stage.tmp)
    await again.start()
    try:
        finished = await again.until("rollback.finished")
    finally:
        await again.kill()
    assert finished.succeeded
    assert (again.world.weight, again.world.active) == (0, "green")


async def test_the_plan_knows_where_every_step_stands(stage: Stage) -> None:
    await begin(stage)
    await to_step(stage, "2.1")
    await stage.until("gate.holding", step="2.1")
    assert stage.session is not None
    view = stage.session.feed.snapshot()
    statuses = {step.id: step.status for phase in view.plan.phases for step in phase.steps}
    assert statuses["1.1"] is StepStatus.DONE
    assert statuses["2.1"] is StepStatus.GATING
    assert statuses["3.1"] is StepStatus.PENDING
    assert view.plan.current == "2.1"
    assert view.traffic.stops == (10, 50, 100)
    assert plan.run_day(stage.book.runbook, view.header.opened_at).isoformat() == "2026-11-26"
