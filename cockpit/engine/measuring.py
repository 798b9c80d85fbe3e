"""Asks the metrics server, judges the answers, runs the gate's clock and the guard."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from cockpit.engine import gates, guard, residual, verdicts
from cockpit.engine.core import Core
from cockpit.engine.plan import gate_passable, running_step, step_status
from cockpit.engine.ports import QueryAnswer
from cockpit.errors import OutsideError
from cockpit.model.events import Event, MetricsSampled, VerdictChanged
from cockpit.model.run import RunState
from cockpit.model.status import RunStatus, StepStatus
from cockpit.model.verdict import ALERTS_CRITICAL, CANARY_RESIDUAL, CANDIDATE_SHARE, Measurement, Verdict
from cockpit.runbook.gate import Metric, Signal

SAMPLED_EVERY = timedelta(seconds=60)
LONGEST_REAL_GAP_S = 5.0
SHORTEST_INTERVAL_S = 0.02


class Measuring:
    """One task of the engine: a round of measurements at every interval."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._monitoring = core.setting.book.monitoring
        self._sampled_at: datetime | None = None
        self._residual_said: tuple[datetime, str] | None = None

    async def run(self) -> None:
        """Measure until the run is closed."""
        interval = max(SHORTEST_INTERVAL_S, self._core.real_seconds(self._monitoring.interval.total_seconds()))
        loop = asyncio.get_running_loop()
        while not self._core.state.closed:
            started = loop.time()
            await self.round()
            await asyncio.sleep(max(SHORTEST_INTERVAL_S / 4, interval - (loop.time() - started)))

    async def round(self) -> None:
        """One round: all metrics at the same time, then gate and guard."""
        asked_at = self._core.now()
        window = self._window(asked_at)
        asked = [self._metric(metric, window, asked_at) for metric in self._monitoring.metrics]
        for name, signal in self._signals():
            asked.append(self._signal(name, signal, window, asked_at))
        if self._monitoring.residual is not None and residual.is_off(self._core.state):
            short = residual.window(self._core.setting.book)
            asked.append(self._signal(CANARY_RESIDUAL, self._monitoring.residual, short, asked_at))
        measured = await asyncio.gather(*asked)
        await self._core.record_if(lambda state: tuple(self._verdict_changes(state, measured)))
        for measurement in measured:
            self._core.seen.keep(measurement)
        await self._judge()
        await self._note_residual()
        await self._sample()
        await self._core.touch()

    def _signals(self) -> list[tuple[str, Signal]]:
        known = (
            (ALERTS_CRITICAL, self._monitoring.alerts_critical),
            (CANDIDATE_SHARE, self._monitoring.candidate_share),
        )
        return [(name, signal) for name, signal in known if signal is not None]

    def _window(self, now: datetime) -> int:
        """The rate window in seconds: shorter after a weight change, so that it never spans one."""
        longest = self._monitoring.window.total_seconds()
        traffic = self._core.state.traffic
        if traffic is None:
            return int(longest)
        elapsed = (now - traffic.changed_at).total_seconds()
        return int(min(longest, max(elapsed, self._monitoring.warmup.total_seconds())))

    async def _ask(self, expression: str) -> QueryAnswer | str:
        """The answer, or why there is none."""
        try:
            return await self._core.setting.outside.metrics.query(expression)
        except OutsideError as error:
            return str(error)

    async def _metric(self, metric: Metric, window: int, asked_at: datetime) -> Measurement:
        expression = _expand(metric.query, window)
        if metric.samples is None:
            answer, count = await self._ask(expression), None
        else:
            answer, counted = await asyncio.gather(
                self._ask(expression), self._ask(_expand(metric.samples.query, window))
            )
            count = self._count(counted, asked_at)
        if isinstance(answer, str):
            return verdicts.broken(metric.id, expression, asked_at, answer)
        rate = count / window if count else None
        return verdicts.measure(metric, self._monitoring, expression, answer, asked_at, count, rate)

    def _count(self, counted: QueryAnswer | str, asked_at: datetime) -> float | None:
        if isinstance(counted, str):
            return None
        return verdicts.single(counted, asked_at, self._monitoring.stale_after)[0]

    async def _signal(self, name: str, signal: Signal, window: int, asked_at: datetime) -> Measurement:
        expression = _expand(signal.query, window)
        answer = await self._ask(expression)
        if isinstance(answer, str):
            return verdicts.broken(name, expression, asked_at, answer)
        value, verdict, reason = verdicts.single(answer, asked_at, self._monitoring.stale_after)
        return Measurement(metric=name, at=asked_at, value=value, verdict=verdict, reason=reason, query=expression)

    def _verdict_changes(self, state: RunState, measured: list[Measurement]) -> list[Event]:
        now = self._core.now()
        banded = {metric.id: metric for metric in self._monitoring.metrics}
        return [
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
        ]

    async def _judge(self) -> None:
        seen, now = self._core.seen, self._core.now()
        await self._core.record_if(
            lambda state: tuple(guard.watch(self._core.setting.book, state, _as_sequences(self._core), now))
        )
        step = running_step(self._core.setting.book, self._core.state)
        if step is None or step.gate is None or not self._core.state.status.forward:
            seen.gate, seen.gate_step, seen.gate_checked_at, seen.blind_since = (), "", None, None
            return
        checked = gates.check(self._core.setting.book, step, self._core.state, self._sights(), now)
        since = now - seen.gate_checked_at if seen.gate_checked_at and seen.gate_step == step.id else None
        other = gates.obstacles(checked) != gates.obstacles(seen.gate)
        seen.gate, seen.gate_step, seen.gate_checked_at = checked, step.id, now
        gating = step_status(step, self._core.state) is StepStatus.GATING
        blind = gates.verdict(checked) in (Verdict.NO_DATA, Verdict.BROKEN)
        seen.blind_since = (seen.blind_since or now) if blind and gating else None
        gap = max(3 * self._monitoring.interval, timedelta(seconds=LONGEST_REAL_GAP_S * self._core.setting.clock.speed))

        def tick(state: RunState) -> tuple[Event, ...]:
            gate = state.steps[step.id].gate if step.id in state.steps else None
            if gate is None or gate_passable(gate):
                return ()
            evidence = tuple(seen.measurements.values())
            return tuple(gates.clock(step, gate, checked, evidence, now, since, gap, other))

        await self._core.record_if(tick)

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

    def _sights(self) -> gates.Sights:
        traffic = self._core.state.traffic
        warm_at = traffic.changed_at + self._monitoring.warmup if traffic else None
        return gates.Sights(self._core.seen.measurements, warm_at)

    async def _sample(self) -> None:
        now = self._core.now()
        if self._core.state.status is RunStatus.PREPARING or self._core.state.status.final:
            return
        if self._sampled_at is not None and now - self._sampled_at < SAMPLED_EVERY:
            return
        self._sampled_at = now
        latest = self._core.seen.measurements
        metrics = tuple(latest[metric.id] for metric in self._monitoring.metrics if metric.id in latest)
        share = latest.get(CANDIDATE_SHARE)
        await self._core.record(
            MetricsSampled(at=now, actor="engine", measurements=metrics, observed_share=share.value if share else None)
        )


def _expand(query: str, window: int) -> str:
    return query.replace("${window}", f"{window}s")


def _as_sequences(core: Core) -> dict[str, tuple[Measurement, ...]]:
    return {name: tuple(history) for name, history in core.seen.histories.items()}
