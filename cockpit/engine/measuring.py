"""Asks the metrics server, judges the answers, runs the gate's clock and the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cockpit.engine import conditions, gates, guard, residual, rollback, verdicts
from cockpit.engine.comparing import Comparing
from cockpit.engine.core import Core
from cockpit.engine.plan import gate_passable, running_step, step_status
from cockpit.engine.ports import Alerts, QueryAnswer
from cockpit.errors import OutsideError
from cockpit.model.comparison import Comparison, Standing
from cockpit.model.events import ComparisonChanged, Event, Held, MetricsSampled, VerdictChanged
from cockpit.model.run import GateState, RunState
from cockpit.model.status import GateStatus, RunStatus, StepStatus, Worker
from cockpit.model.verdict import ALERTS_CRITICAL, CANARY_RESIDUAL, CANDIDATE_SHARE, Measurement
from cockpit.runbook.gate import GiveUp, Metric, Signal
from cockpit.runbook.schema import Step

SAMPLED_EVERY = timedelta(seconds=60)
IDLE_SAMPLED_EVERY = timedelta(minutes=5)
"""The same while a run waits for its start or is over: the measurements before and after are evidence too."""
LONGEST_REAL_GAP_S = 5.0
SHORTEST_INTERVAL_S = 0.02
PERIODS = 3
"""So many intervals, and the time that queries may take, without a new round: the guard hangs."""


class Measuring:
    """One task of the engine: a round of measurements at every interval."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._monitoring = core.setting.book.monitoring
        self._comparing = Comparing(core, self._ask)
        self._compared: dict[str, tuple[datetime | None, Standing]] = {}
        self._began_at = core.now()
        self._sampled_at: datetime | None = None
        self._residual_said: tuple[datetime, str] | None = None

    async def run(self) -> None:
        """Measure until the run is closed."""
        loop = asyncio.get_running_loop()
        addresses = 1 + len(self._monitoring.prometheus_fallbacks)
        patience = (1 + addresses) * self._monitoring.timeout.total_seconds()
        within = PERIODS * self._real(self._monitoring.interval) + patience
        while not self._core.state.closed:
            started = loop.time()
            self._core.turned(Worker.GUARD, within)
            await self.round()
            await asyncio.sleep(max(SHORTEST_INTERVAL_S / 4, self._real(self._pace()) - (loop.time() - started)))

    def _real(self, interval: timedelta) -> float:
        return max(SHORTEST_INTERVAL_S, self._core.real_seconds(interval.total_seconds()))

    def _pace(self) -> timedelta:
        """The time between two rounds: that of the open gate if it wants to look more often."""
        usual = self._monitoring.interval
        step = running_step(self._core.setting.book, self._core.state)
        if step is None or step.gate is None or _open_gate(step, self._core.state) is None:
            return usual
        return step.gate.pace(usual)

    async def round(self) -> None:
        """One round: all metrics at the same time, then gate and guard."""
        asked_at = self._core.now()
        window = self._window(asked_at)
        asked: list[Coroutine[Any, Any, Measurement]] = [
            self._metric(metric, window, asked_at) for metric in self._monitoring.metrics
        ]
        for name, signal in self._signals():
            asked.append(self._signal(name, signal, window, asked_at))
        if self._core.setting.outside.alerts is not None:
            asked.append(self._alerts(self._core.setting.outside.alerts, asked_at))
        if self._monitoring.residual is not None and residual.is_off(self._core.state):
            short = residual.window(self._core.setting.book)
            asked.append(self._signal(CANARY_RESIDUAL, self._monitoring.residual, short, asked_at))
        # Started here: one that is cancelled before its first step must not be forgotten unstarted.
        tasks = [asyncio.ensure_future(question) for question in asked]
        try:
            _, compared = await asyncio.gather(self._keep_each(tasks), self._comparing.look(asked_at))
        finally:
            for task in tasks:
                task.cancel()
        await self._core.record(*self._comparison_changes(compared))
        self._core.seen.comparisons.update({comparison.metric: comparison for comparison in compared})
        await self._judge()
        await self._note_residual()
        await self._sample()
        await self._core.touch()

    async def _keep_each(self, tasks: Sequence[asyncio.Task[Measurement]]) -> None:
        """Keep every measurement when it comes, and let the guard look: no query waits for one that hangs."""
        while tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            measured = [task.result() for task in tasks if task in done]
            tasks = [task for task in tasks if task not in done]
            await self._core.record_if(partial(self._verdict_changes, measured=measured))
            for measurement in measured:
                self._core.seen.keep(measurement)
            if tasks:
                await self._guard()

    def _signals(self) -> list[tuple[str, Signal]]:
        known = (
            (ALERTS_CRITICAL, self._monitoring.alerts_critical),
            (CANDIDATE_SHARE, self._monitoring.candidate_share),
        )
        return [(name, signal) for name, signal in known if signal is not None]

    def _window(self, now: datetime) -> timedelta:
        """The rate window, in whole seconds: shorter after a weight change, so that it never spans one."""
        longest = self._monitoring.window
        traffic = self._core.state.traffic
        if traffic is not None:
            longest = min(longest, max(now - traffic.changed_at, self._monitoring.shortest_window))
        return timedelta(seconds=int(longest.total_seconds()))

    async def _ask(self, expression: str) -> QueryAnswer | str:
        """The answer, or why there is none."""
        try:
            answer = await self._core.setting.outside.metrics.query(expression)
        except OutsideError as error:
            return str(error)
        ahead = self._core.setting.clock.ahead()
        if not ahead:
            return answer
        # Servers go by the clock that was set, this run by its own.
        return replace(answer, samples=tuple(replace(sample, at=sample.at + ahead) for sample in answer.samples))

    async def _metric(self, metric: Metric, window: timedelta, asked_at: datetime) -> Measurement:
        expression = _expand(metric.query, window)
        value, samples, age = await asyncio.gather(
            self._ask(expression),
            self._maybe(metric.samples.query if metric.samples else None, window),
            self._maybe(metric.age, window),
        )
        answers = verdicts.Answers(value, samples, age)
        return verdicts.measure(metric, self._monitoring, verdicts.Asked(expression, asked_at, window), answers)

    async def _maybe(self, query: str | None, window: timedelta) -> QueryAnswer | str | None:
        return None if query is None else await self._ask(_expand(query, window))

    async def _signal(self, name: str, signal: Signal, window: timedelta, asked_at: datetime) -> Measurement:
        expression = _expand(signal.query, window)
        answer = await self._ask(expression)
        return verdicts.measure_signal(name, self._monitoring, verdicts.Asked(expression, asked_at, window), answer)

    async def _alerts(self, alerts: Alerts, asked_at: datetime) -> Measurement:
        """The critical alerts of a server that knows silences, in place of a query."""
        answer: QueryAnswer | str
        try:
            answer = await alerts.firing()
        except OutsideError as error:
            answer = str(error)
        # Its own clock stamps the answer, which a run at another speed cannot compare.
        if not isinstance(answer, str):
            answer = QueryAnswer(tuple(replace(sample, at=asked_at) for sample in answer.samples), answer.warnings)
        asked = verdicts.Asked(alerts.question, asked_at, self._monitoring.window)
        return verdicts.measure_signal(ALERTS_CRITICAL, self._monitoring, asked, answer)

    def _comparison_changes(self, compared: tuple[Comparison, ...]) -> list[Event]:
        """One row when a comparison says something else after the same weight change; none while it is too early."""
        titles = {metric.id: metric.title for metric in self._monitoring.metrics}
        changes: list[Event] = []
        for comparison in compared:
            says = (comparison.since, comparison.standing)
            if comparison.standing is Standing.TOO_FEW or self._compared.get(comparison.metric) == says:
                continue
            self._compared[comparison.metric] = says
            changes.append(
                ComparisonChanged(
                    at=comparison.at, actor="engine", comparison=comparison, title=titles[comparison.metric]
                )
            )
        return changes

    def _verdict_changes(self, state: RunState, measured: list[Measurement]) -> tuple[Event, ...]:
        now = self._core.now()
        banded = {metric.id: metric for metric in self._monitoring.metrics}
        return tuple(
            VerdictChanged(
                at=now,
                actor="engine",
                measurement=entry,
                previous=state.verdicts.get(entry.metric),
                title=banded[entry.metric].title,
                shown=verdicts.shown(banded[entry.metric], entry.value),
            )
            for entry in measured
            if entry.metric in banded and state.verdicts.get(entry.metric) is not entry.verdict
        )

    async def _guard(self) -> None:
        core, now = self._core, self._core.now()
        await core.record_if(
            lambda state: tuple(guard.watch(core.setting.book, state, _as_sequences(core), now, core.seen.silent))
        )

    async def _judge(self) -> None:
        await self._guard()
        seen, now = self._core.seen, self._core.now()
        step = running_step(self._core.setting.book, self._core.state)
        if step is None or step.gate is None or not self._core.state.status.forward:
            seen.gate, seen.gate_step, seen.gate_checked_at, seen.blind_since = (), "", None, None
            seen.gate_looks = gates.Looks()
            return
        judged = self._core.state
        checked = conditions.check(self._core.setting.book, step, judged, self._sights(), now)
        since = now - seen.gate_checked_at if seen.gate_checked_at and seen.gate_step == step.id else None
        other = gates.obstacles(checked) != gates.obstacles(seen.gate)
        seen.gate, seen.gate_step, seen.gate_checked_at = checked, step.id, now
        look = gates.look(checked)
        waited_for = _watched_gate(step, judged) is not None
        # That nothing counts yet after a weight change is no silence.
        seen.blind_since = (seen.blind_since or now) if look.blind and not look.fresh and waited_for else None
        gap = max(
            3 * step.gate.pace(self._monitoring.interval),
            timedelta(seconds=LONGEST_REAL_GAP_S * self._core.setting.clock.speed),
        )
        seen.gate_looks = seen.gate_looks.seen(look, now, step.gate, self._monitoring.interval)
        pulse = gates.Pulse(since, gap, seen.gate_looks.looks, other)
        evidence = gates.Evidence(tuple(seen.measurements.values()), tuple(seen.comparisons.values()))

        def tick(state: RunState) -> tuple[Event, ...]:
            # What changed since the conditions were looked at is for the next look.
            same = (state.traffic, state.drift, state.ticks) == (judged.traffic, judged.drift, judged.ticks)
            gate = _watched_gate(step, state) if same else None
            return () if gate is None else tuple(gates.clock(step, gate, checked, evidence, now, pulse))

        def end(state: RunState) -> tuple[Event, ...]:
            gate = _open_gate(step, state)
            if gate is None:
                return ()
            gave_up = gates.gave_up(step, gate, checked, evidence, now)
            return (*gave_up, *self._after_giving_up(state, step, gave_up))

        await self._core.record_if(tick)
        await self._core.record_if(end)
        gate = _watched_gate(step, self._core.state)
        if gate is None or gate.status is GateStatus.WAITING or gate.held_since == now:
            seen.gate_looks = gates.Looks()

    async def _note_residual(self) -> None:
        """Record once for each change of the traffic that nobody is left on the canary route, or that somebody is."""
        seen = self._core.seen.measurements.get(CANARY_RESIDUAL)

        def said(state: RunState) -> tuple[Event, ...]:
            found = residual.note(self._core.setting.book, state, seen, self._core.now())
            if found is None or state.traffic is None:
                return ()
            key = (state.traffic.changed_at, found.level)
            if key == self._residual_said:
                return ()
            self._residual_said = key
            return (found,)

        await self._core.record_if(said)

    def _after_giving_up(self, state: RunState, step: Step, gave_up: list[Event]) -> list[Event]:
        """A hold, or the way back where the runbook says so."""
        if not gave_up or step.gate is None:
            return []
        now, reason = self._core.now(), f"Gate {step.id} gave up: {getattr(gave_up[0], 'reason', '')}"
        if step.gate.on_give_up is GiveUp.ROLLBACK:
            return [rollback.start(self._core.setting.book, now, "engine", reason, automatic=True)]
        return [] if state.held else [Held(at=now, actor="engine", reason=reason)]

    def _sights(self) -> conditions.Sights:
        traffic = self._core.state.traffic
        warm_at = traffic.changed_at + self._monitoring.shortest_window if traffic else None
        return conditions.Sights(self._core.seen.measurements, warm_at, self._core.seen.comparisons)

    async def _sample(self) -> None:
        now, status = self._core.now(), self._core.state.status
        idle = status is RunStatus.PREPARING or status.final
        every = IDLE_SAMPLED_EVERY if idle else SAMPLED_EVERY
        # A run that waits for its start, or for its end, is no news: its first row can wait too.
        began = self._sampled_at or (self._began_at if idle else None)
        if (began is not None and now - began < every) or self._core.state.closed:
            return
        self._sampled_at = now
        latest = self._core.seen.measurements
        metrics = tuple(latest[metric.id] for metric in self._monitoring.metrics if metric.id in latest)
        share = latest.get(CANDIDATE_SHARE)
        await self._core.record(
            MetricsSampled(
                at=now,
                actor="engine",
                measurements=metrics,
                observed_share=share.value if share else None,
                series=self._core.seen.history.unjournaled(),
            )
        )


def _open_gate(step: Step, state: RunState) -> GateState | None:
    """The step's gate while it has neither passed nor been overridden."""
    gate = state.steps[step.id].gate if step.id in state.steps else None
    return None if gate is None or gate_passable(gate) else gate


def _watched_gate(step: Step, state: RunState) -> GateState | None:
    """The step's gate while it is open, or has passed and a person is asked whether to go on."""
    gate = state.steps[step.id].gate if step.id in state.steps else None
    deciding = step_status(step, state) is StepStatus.DECIDING
    passed = gate is not None and gate.status is GateStatus.PASSED
    return gate if passed and deciding else _open_gate(step, state)


def _expand(query: str, window: timedelta) -> str:
    return query.replace("${window}", f"{window.total_seconds():.0f}s")


def _as_sequences(core: Core) -> dict[str, tuple[Measurement, ...]]:
    return {name: tuple(history) for name, history in core.seen.histories.items()}
