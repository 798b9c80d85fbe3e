"""Hand-made snapshots of every kind of moment, and a line to no engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from cockpit.link.feed import Changed, Connected, Disconnected, Recorded, Update
from cockpit.model import events as e
from cockpit.model.cluster import Pod
from cockpit.model.commands import Command, Reply
from cockpit.model.history import History, Mark
from cockpit.model.readings import Series
from cockpit.model.snapshot import (
    ActionView,
    ChecklistView,
    ConditionView,
    DriftEntry,
    DriftView,
    EscalationLevelView,
    EscalationView,
    GateView,
    GuardView,
    HeaderView,
    ItemView,
    ListView,
    MessagesView,
    MessageView,
    MetricsView,
    MetricView,
    NextView,
    PhaseView,
    PlanView,
    PodsView,
    ReadinessView,
    ReferenceEntry,
    ReferenceView,
    RollbackStepView,
    RollbackView,
    Snapshot,
    StepView,
    TrafficView,
    TriggerView,
)
from cockpit.model.status import ActionStatus, GateStatus, RunStatus, StepStatus
from cockpit.model.verdict import Measurement, Verdict

DAY = datetime(2026, 11, 26, tzinfo=UTC)
S, A = StepStatus, ActionStatus


def at(clock: str) -> datetime:
    """A time of the deployment day."""
    hours, minutes, seconds = (int(part) for part in (clock + ":00").split(":")[:3])
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds)


NOW = at("09:41:07")


def header(**changes: Any) -> HeaderView:
    base = HeaderView(
        run="moshimoshi-1",
        title="Production Deployment",
        name="moshimoshi",
        version="1.0.0",
        environment="production",
        namespace="production",
        context="prod-eu",
        server="https://10.0.0.1:6443",
        status=RunStatus.RUNNING,
        status_reason="",
        held=False,
        held_reason="",
        automatic=False,
        commander="agent1",
        epoch=1,
        engine_pid=4711,
        opened_at=at("06:00"),
        window_start=at("08:00"),
        window_end=at("12:00"),
        real_origin=time.time(),
        run_origin=NOW.timestamp(),
        speed=1.0,
        stable="green",
        candidate="blue",
    )
    return base.model_copy(update=changes)


def action(id: str, kind: str, title: str, status: ActionStatus = A.DONE, **more: Any) -> ActionView:
    return ActionView(id=id, kind=kind, title=title, status=status, **more)


def step(id: str, title: str, status: StepStatus, start: str, end: str, **more: Any) -> StepView:
    started = at(start) if status is not S.PENDING else None
    ended = at(end) if status.finished else None
    return StepView(
        id=id,
        title=title,
        status=status,
        planned_start=at(start),
        planned_end=at(end),
        started_at=started,
        ended_at=ended,
        **more,
    )


def plan(
    current: str | None = "2.2", status: StepStatus = S.GATING, drift: float | None = 120.0, **more: Any
) -> PlanView:
    order = ["1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2", "4.1", "4.2"]
    now = order.index(current) if current else -1

    def state(id: str) -> StepStatus:
        place = order.index(id)
        return S.DONE if place < now else status if place == now else S.PENDING

    acts = {
        "1.1": (action("1.1/deploy", "deploy", "Deploy 1.0.0 to blue"),),
        "1.2": (action("1.2/http", "http_checks", "Smoke tests on blue"),),
        "2.2": (action("2.2/traffic", "traffic", "Send 50 % of the traffic to blue", message="read back: 50 %"),),
        "3.2": (
            action("3.2/cdn", "purge_cdn", "Purge the CDN cache", A.DONE),
            action(
                "3.2/redis",
                "exec",
                "Flush the Redis cache",
                A.PENDING,
                consent="FLUSH",
                optional=True,
                message="FLUSHALL ASYNC in deployment/redis: 1 204 881 keys",
                hint="A cold cache makes blue slow.",
            ),
        ),
    }

    def make(id: str, title: str, start: str, end: str) -> StepView:
        made = step(id, title, state(id), start, end, actions=acts.get(id, ()))
        return made.model_copy(update=more) if id == current else made

    def phase(id: str, title: str, start: str, end: str, *steps: StepView) -> PhaseView:
        open_ = next((s.status for s in steps if not s.status.finished and s.status is not S.PENDING), None)
        done = all(s.status.finished for s in steps)
        status = S.DONE if done else open_ or (S.ACTING if any(s.status.finished for s in steps) else S.PENDING)
        return PhaseView(id=id, title=title, status=status, planned_start=at(start), planned_end=at(end), steps=steps)

    return PlanView(
        phases=(
            phase(
                "1",
                "Initial deployment",
                "08:00",
                "09:00",
                make("1.1", "Deploy to blue", "08:02", "08:31"),
                make("1.2", "Smoke tests", "08:31", "08:44"),
            ),
            phase(
                "2",
                "Progressive traffic shift",
                "09:00",
                "10:30",
                make("2.1", "10 % traffic", "09:02", "09:29"),
                make("2.2", "50 % traffic", "09:29:40", "10:00"),
                make("2.3", "100 % traffic", "10:00", "10:30"),
            ),
            phase(
                "3",
                "Final switch",
                "10:30",
                "11:00",
                make("3.1", "Switch the active Service", "10:30", "10:45"),
                make("3.2", "Clear caches", "10:45", "11:00"),
            ),
            phase(
                "4",
                "Validation",
                "11:00",
                "12:00",
                make("4.1", "Full system validation", "11:00", "11:30"),
                make("4.2", "User acceptance", "11:30", "12:00"),
            ),
        ),
        current=current,
        drift_s=drift,
    )


def pod(track: str, tail: str, status: str = "Running", ready: int = 1, restarts: int = 0, since: str = "08:05") -> Pod:
    return Pod(
        name=f"moshimoshi-{track}-{tail}",
        track=track,
        ready=ready,
        containers=1,
        status=status,
        restarts=restarts,
        created=at(since),
    )


def pods(**changes: Any) -> PodsView:
    base = PodsView(
        pods=(
            pod("blue", "7c9d5b6f4-8xkzp"),
            pod("blue", "7c9d5b6f4-j2m9q"),
            pod("blue", "7c9d5b6f4-w5tnd", restarts=1),
            pod("green", "5f6b8c7d9-4hvcl", since="02:10"),
            pod("green", "5f6b8c7d9-q8rbs", since="02:10"),
            pod("green", "5f6b8c7d9-zt7kw", since="02:11"),
        ),
        loaded=True,
        wanted=(("blue", 3), ("green", 3)),
    )
    return base.model_copy(update=changes)


def traffic(**changes: Any) -> TrafficView:
    base = TrafficView(
        backend="nginx",
        commanded=50,
        live=50,
        observed=49.6,
        observed_at=NOW,
        active="green",
        live_active="green",
        stops=(10, 50, 100),
        allowed=50,
    )
    return base.model_copy(update=changes)


def metric(
    id: str,
    title: str,
    unit: str,
    decimals: int,
    bands: tuple[float, float],
    trend: list[float | None],
    verdict: Verdict = Verdict.NORMAL,
    reason: str = "",
    when: str = "09:41:02",
) -> MetricView:
    return MetricView(
        id=id,
        title=title,
        unit=unit,
        decimals=decimals,
        warning_from=bands[0],
        critical=bands[1],
        value=trend[-1],
        verdict=verdict,
        reason=reason,
        at=at(when),
        trend=tuple(trend),
        query=f'sum(rate({id}{{namespace="production"}}[2m]))',
    )


def metrics(error: float | None = 0.04, p95: float = 143.0, alerts: int | None = 0, **more: Any) -> MetricsView:
    error_verdict = Verdict.NO_DATA if error is None else Verdict.CRITICAL if error > 1 else Verdict.NORMAL
    reason = "needs 240 more requests, about 40 s" if error is None else ""
    bad = error is not None and error > 1
    return MetricsView(
        metrics=(
            metric(
                "error_rate",
                "Error rate",
                "%",
                2,
                (0.1, 1.0),
                [0.03, 0.02, 0.05, 0.04, 0.03, 0.06, 0.04, 0.03, *([0.4, 1.8, 4.1] if bad else []), error],
                error_verdict,
                reason,
            ),
            metric(
                "p95",
                "P95 latency",
                "ms",
                0,
                (100, 500),
                [98, 96, 104, 120, 131, 140, 138, 151, 149, 145, p95],
                Verdict.WARNING,
            ),
            metric("cpu", "CPU usage", "%", 0, (50, 70), [30, 31, 33, 38, 40, 41, 43, 41, 42, 44, 43, 42]),
            metric("memory", "Memory usage", "%", 0, (60, 80), [51, 51, 52, 52, 53, 53, 54, 54, 54, 55, 55, 55]),
            metric("restarts", "Pod restarts", "", 0, (1, 2), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], Verdict.WARNING),
            metric("5xx", "5xx errors", "%", 3, (0.01, 0.1), [0.001, 0.002, 0.001, 0.003, 0.002, 0.002, 0.002, 0.002]),
        ),
        alerts_critical=alerts,
        interval_s=15.0,
        loaded=True,
        **more,
    )


def gate(**changes: Any) -> GateView:
    base = GateView(
        step="2.2",
        status=GateStatus.HOLDING,
        verdict=Verdict.NORMAL,
        needs_s=1800.0,
        held_since=at("09:29:47"),
        reason="All conditions hold; 18:40 more without a break.",
        conditions=(
            ConditionView(text="Error rate < 0.5 %", met=True, reason="0.04 %"),
            ConditionView(text="P95 latency < 200 ms", met=True, reason="143 ms"),
            ConditionView(text="CPU usage < 70 %", met=True, reason="42 %"),
            ConditionView(text="Memory usage < 80 %", met=True, reason="55 %"),
            ConditionView(text="Observed share 45–55 %", met=True, reason="49.6 %"),
        ),
    )
    return base.model_copy(update=changes)


def guard(*tripped: TriggerView) -> GuardView:
    return GuardView(
        triggers=(
            *(
                tripped
                or (TriggerView(id="error_rate", title="Error rate > 5 %", declared=False, state="0.04 %, 0 of 3"),)
            ),
            TriggerView(id="p95", title="P95 latency > 1000 ms", declared=False, state="143 ms, 0 of 3"),
            TriggerView(id="db", title="Database corruption detected", declared=True),
            TriggerView(id="security", title="Security breach identified", declared=True),
            TriggerView(id="critical", title="Critical functionality broken", declared=True),
        )
    )


ALARM = TriggerView(
    id="error_rate",
    title="Error rate > 5 %",
    declared=False,
    tripped=True,
    state="6.20 % in 3 of 3 measurements",
    rollback_at=NOW + timedelta(seconds=42),
)


def readiness(**changes: Any) -> ReadinessView:
    base = ReadinessView(
        ready=True,
        checked_at=at("09:40:58"),
        proofs=(
            "green is warm: 3 of 3 ready",
            "the API server would accept the writes",
            "credentials valid until 14:00",
        ),
    )
    return base.model_copy(update=changes)


SHEET = """# Go back by hand: moshimoshi, namespace production
kubectl -n production patch service moshimoshi-active -p '{"spec":{"selector":{"version":"green"}}}'
kubectl -n production annotate ingress moshimoshi-ingress-canary nginx.ingress.kubernetes.io/canary-weight=0 --overwrite
kubectl -n production annotate ingress moshimoshi-ingress-canary nginx.ingress.kubernetes.io/canary=false --overwrite
kubectl -n production get pods -l version=green"""


def rollback(**changes: Any) -> RollbackView:
    def make(id: str, title: str, budget: float, **more: Any) -> RollbackStepView:
        return RollbackStepView(id=id, title=title, status="pending", budget_s=budget, **more)

    base = RollbackView(
        active=False,
        budget_s=300,
        break_glass=SHEET,
        steps=(
            make("traffic", "Switch traffic to green", 30),
            make("verify", "Verify green health", 30),
            make("database", "Roll back the database", 120, if_needed=True, needed_for=("db",)),
            make("caches", "Clear all caches", 30),
            make("validate", "Validate the rollback", 30),
        ),
    )
    return base.model_copy(update=changes)


def rolling(started: str = "09:39:55") -> RollbackView:
    steps = list(rollback().steps)
    steps[0] = steps[0].model_copy(
        update={
            "status": "done",
            "started_at": at("09:39:55"),
            "ended_at": at("09:40:01"),
            "message": "selector green, weight 0, read back",
        }
    )
    steps[1] = steps[1].model_copy(
        update={"status": "running", "started_at": at("09:40:01"), "message": "2 of 3 ready"}
    )
    steps[2] = steps[2].model_copy(update={"status": "skipped"})
    return rollback(
        active=True,
        started_at=at(started),
        steps=tuple(steps),
        actor="agent1",
        reason="Error rate > 5 %: 6.20 % in 3 of 3 measurements",
    )


def checklist(done_all: bool = True) -> ChecklistView:
    evening = (
        "All staging tests passed",
        "Database backup completed",
        "Security scan clean",
        "DNS pre-configured",
        "SSL certificates valid",
        "Feature flags configured",
        "Rollback procedure tested",
        "Team briefing completed",
        "Communication plan activated",
        "Monitoring dashboards ready",
    )
    morning = (
        ("War room opened", "06:00"),
        ("All agents present", ""),
        ("Communication channels verified", ""),
        ("Production backup created", "07:00"),
        ("Final go/no-go decision", "07:30"),
    )
    first = tuple(
        ItemView(id=f"e{n}", text=text, done=True, done_by="agent2", done_at=at("00:10"))
        for n, text in enumerate(evening)
    )
    second = tuple(
        ItemView(
            id=f"m{n}",
            text=text,
            at=at(clock) if clock else None,
            who="agent1",
            done=done_all or n < 2,
            done_by="agent1" if done_all or n < 2 else "",
            done_at=at("07:31") if done_all or n < 2 else None,
        )
        for n, (text, clock) in enumerate(morning)
    )
    after = tuple(
        ItemView(id=f"a{n}", text=text)
        for n, text in enumerate(("Remove canary configuration", "Update documentation", "Close deployment tickets"))
    )
    return ChecklistView(
        lists=(
            ListView(id="evening", title="Wednesday evening", when="the day before", stage="before", items=first),
            ListView(id="morning", title="Thursday morning", when="deployment day", stage="before", items=second),
            ListView(id="after", title="Post-deployment", when="day 1", stage="after", items=after),
        ),
        done=15 if done_all else 12,
        total=15,
    )


LEVELS = (
    EscalationLevelView(level=1, after_s=0, call="On-call engineer", name="Agent 2", phone="+1-555-0102"),
    EscalationLevelView(level=2, after_s=300, call="Deployment commander", name="Agent 1", phone="+1-555-0101"),
    EscalationLevelView(level=3, after_s=900, call="Engineering manager", name="Agent 6", phone="+1-555-0106"),
    EscalationLevelView(level=4, after_s=1800, call="CTO / Executive team"),
)


def escalation(**changes: Any) -> EscalationView:
    return EscalationView(levels=LEVELS).model_copy(update=changes)


def messages() -> MessagesView:
    return MessagesView(
        messages=(
            MessageView(
                id="u1", channel="slack", text="Deployment started", status="sent", at=at("08:02"), detail="ok"
            ),
            MessageView(id="u2", channel="slack", text="10% traffic shifted", status="sent", at=at("09:02")),
            MessageView(
                id="u3",
                channel="email",
                text="50% traffic shifted",
                status="failed",
                at=at("09:30"),
                detail="connection refused by mail:25 after 5 tries",
            ),
        ),
        planned=("10:00  100% traffic shifted → slack, status page", "10:30  Full production switch → slack"),
    )


def reference() -> ReferenceView:
    return ReferenceView(
        contacts=(
            ReferenceEntry(title="Deployment Commander", detail="Agent 1  +1-555-0101  agent1@moshimoshi.app"),
            ReferenceEntry(title="Database Admin", detail="Agent 3  +1-555-0103  agent3@moshimoshi.app"),
        ),
        dashboards=(ReferenceEntry(title="Grafana", detail="https://grafana.moshimoshi.app"),),
        commands=(
            ReferenceEntry(
                title="View pods",
                detail="kubectl get pods -n production -w",
                argv=("kubectl", "get", "pods", "-n", "production", "-w"),
            ),
            ReferenceEntry(title="List", detail="printf 'one\\ntwo\\n'", argv=("printf", "one\\ntwo\\n")),
            ReferenceEntry(title="Say hello", detail="echo hello", argv=("echo", "hello")),
            ReferenceEntry(
                title="Port forward for debugging",
                detail="kubectl port-forward -n production deployment/moshimoshi-blue 3000:3000",
                argv=("kubectl", "port-forward", "-n", "production", "deployment/moshimoshi-blue", "3000:3000"),
            ),
            ReferenceEntry(title="A shell here", detail="sh -i", argv=("sh", "-i"), interactive=True),
        ),
        troubleshooting=(
            ReferenceEntry(
                title="High error rate", detail="", lines=("Check application logs", "Verify database connectivity")
            ),
        ),
        channels=(ReferenceEntry(title="Slack", detail="#deployment-war-room"),),
        mails=(
            ReferenceEntry(title="Production Deployment Scheduled", detail="before", lines=("No expected downtime",)),
        ),
    )


def snapshot(**changes: Any) -> Snapshot:
    base = Snapshot(
        header=header(),
        plan=plan(),
        pods=pods(),
        traffic=traffic(),
        metrics=metrics(),
        gate=gate(),
        guard=guard(),
        next=NextView(
            verb="Continue to 2.3: 100 % traffic",
            blocked="The gate of 2.2 must hold 18:40 more.",
            detail="Sends 100 % of the traffic to blue.",
            override="go on without the gate of 2.2",
        ),
        readiness=readiness(),
        rollback=rollback(),
        checklist=checklist(),
        escalation=escalation(),
        messages=messages(),
        reference=reference(),
        situation=41,
        seq=120,
    )
    return base.model_copy(update=changes)


def preparing() -> Snapshot:
    return snapshot(
        header=header(status=RunStatus.PREPARING, run_origin=at("07:12:30").timestamp()),
        plan=plan(None, drift=None),
        gate=None,
        checklist=checklist(False),
        traffic=traffic(commanded=0, live=0, observed=0.0, allowed=0),
        next=NextView(
            verb="Start the run",
            blocked="3 required checklist items are not ticked.",
            override="start with 3 items unticked",
        ),
    )


def ready() -> Snapshot:
    return snapshot(
        plan=plan("2.3", S.PENDING),
        gate=None,
        next=NextView(
            verb="Start step 2.3: 100 % traffic", detail="Sends 100 % of the traffic to blue, then measures for 30:00."
        ),
    )


def deciding() -> Snapshot:
    return snapshot(
        plan=plan(status=S.DECIDING),
        gate=gate(status=GateStatus.PASSED, reason="Held 30:00."),
        next=NextView(
            verb="continue to 2.3: 100 % traffic",
            question="Continue or roll back?",
            detail="Sends 100 % of the traffic to blue.",
            deadline=NOW + timedelta(minutes=4),
            default="hold",
        ),
    )


def alarm() -> Snapshot:
    broken = gate(
        status=GateStatus.WAITING,
        verdict=Verdict.CRITICAL,
        held_since=None,
        broke_at=at("09:40:17"),
        reason="Error rate is 6.20 %; it must be below 0.5 %.",
        conditions=(ConditionView(text="Error rate < 0.5 %", met=False, reason="6.20 %"), *gate().conditions[1:]),
    )
    return snapshot(
        metrics=metrics(6.2, 480.0, 1),
        gate=broken,
        guard=guard(ALARM),
        pods=pods(pods=(pod("blue", "7c9d5b6f4-8xkzp", "CrashLoopBackOff", 0, 4), *pods().pods[1:])),
        escalation=escalation(since=NOW - timedelta(seconds=372), cause="Error rate is CRITICAL", level=2),
        next=NextView(verb="Continue to 2.3", blocked="The gate of 2.2 is open: error rate.", override="go on"),
    )


def rolling_back() -> Snapshot:
    return alarm().model_copy(
        update={
            "header": header(status=RunStatus.ROLLING_BACK, status_reason="Error rate > 5 %"),
            "guard": guard(),
            "rollback": rolling(),
            "traffic": traffic(commanded=0, live=0, observed=3.1, settling=True, allowed=0),
        }
    )


def rolled_back() -> Snapshot:
    steps = tuple(
        s.model_copy(
            update={
                "status": "skipped" if s.if_needed else "done",
                "started_at": None if s.if_needed else at("09:40:01"),
                "ended_at": None if s.if_needed else at("09:40:20"),
            }
        )
        for s in rollback().steps
    )
    return rolling_back().model_copy(
        update={
            "header": header(status=RunStatus.ROLLED_BACK, status_reason="Error rate > 5 %"),
            "rollback": rolling().model_copy(
                update={"active": False, "ended_at": at("09:40:41"), "succeeded": True, "steps": steps}
            ),
            "metrics": metrics(0.05, 90.0),
        }
    )


def held() -> Snapshot:
    return snapshot(header=header(held=True, held_reason="Waiting for the database team"))


def drifted() -> Snapshot:
    """Argo CD has changed the weight in the middle of a gate."""
    entry = DriftEntry(
        object="ingress/moshimoshi-ingress-canary",
        expected="weight 50 %",
        found="weight 30 %",
        manager="argocd-application-controller",
        at=at("09:40:30"),
    )
    blocked = "ingress/moshimoshi-ingress-canary was changed by argocd-application-controller"
    return snapshot(drift=DriftView(entries=(entry,)), next=NextView(verb="Settle the drift", blocked=blocked))


def fenced() -> Snapshot:
    """Another bastion has taken over."""
    view = DriftView(fenced_by="moshimoshi-2 eve@bastion-2", fenced_epoch=9, fenced_at=at("09:40:30"))
    return snapshot(drift=view, next=NextView(verb="Nothing to advance", blocked="eve commands"))


def stale() -> Snapshot:
    return snapshot(
        pods=pods(stale_since=at("09:38:50"), problem="the watch is broken: connection refused"),
        metrics=metrics(None, alerts=None),
        readiness=readiness(ready=False, reasons=("green has 2 of 3 pods ready", "the API server does not answer")),
        traffic=traffic(live=None, observed=None, observed_problem="Prometheus does not answer"),
    )


def consenting() -> Snapshot:
    return snapshot(
        header=header(run_origin=at("10:46:10").timestamp()),
        plan=plan("3.2", S.ACTING),
        gate=None,
        traffic=traffic(commanded=100, live=100, observed=99.8, active="blue", live_active="blue", allowed=100),
        next=NextView(verb="", blocked="“Flush the Redis cache” waits for consent."),
    )


def completed() -> Snapshot:
    return snapshot(
        header=header(status=RunStatus.COMPLETED, run_origin=at("11:58").timestamp()),
        plan=plan(None, drift=-120),
        gate=None,
        next=NextView(verb=""),
    )


def hostile() -> Snapshot:
    evil = "\x1b]0;own\x07\x1b[2J[@click=app.leave]x[/]\x9b31m\u202egnp\x1b]52;c;aGk=\x07"
    return alarm().model_copy(
        update={
            "header": header(commander=evil, held_reason=evil),
            "pods": pods(pods=(pod("blue", evil, evil),), problem=evil, stale_since=NOW),
            "gate": gate(reason=evil, conditions=(ConditionView(text=evil, met=False, reason=evil),)),
            "readiness": readiness(ready=False, reasons=(evil,)),
            "escalation": escalation(since=NOW, cause=evil, level=1),
        }
    )


def storm(count: int = 5000) -> Snapshot:
    many = tuple(pod("blue" if n % 2 else "green", f"7c9d5b6f4-{n:05}") for n in range(count))
    return snapshot(pods=pods(pods=many, wanted=(("blue", count // 2), ("green", count // 2))))


WORLDS = {
    world.__name__: world
    for world in (
        preparing,
        ready,
        deciding,
        alarm,
        rolling_back,
        rolled_back,
        held,
        drifted,
        fenced,
        stale,
        consenting,
        completed,
        hostile,
        storm,
    )
}
WORLDS["gating"] = snapshot


def journal() -> tuple[e.Event, ...]:
    def make(kind_: Any, seq: int, clock: str, actor: str = "agent1", **more: Any) -> e.Event:
        return kind_(seq=seq, at=at(clock), actor=actor, epoch=1, **more)

    sample = Measurement(metric="error_rate", at=NOW, value=0.04, verdict=Verdict.NORMAL)
    return (
        make(
            e.RunOpened,
            1,
            "06:00",
            run="moshimoshi-1",
            runbook="Production Deployment",
            version="1.0.0",
            sha256="ab" * 32,
            namespace="production",
            context="prod-eu",
        ),
        make(e.RunStarted, 60, "08:02"),
        make(e.StepStarted, 61, "08:02", "engine", step="1.1", title="Deploy to blue"),
        make(
            e.ActionIntended,
            62,
            "08:02:01",
            "engine",
            action="1.1/deploy",
            kind="deploy",
            attempt=1,
            request="set image moshimoshi:1.0.0 on deployment moshimoshi-blue",
        ),
        make(e.ActionSucceeded, 70, "08:29", "engine", action="1.1/deploy", message="3 of 3 available"),
        make(e.StepFinished, 90, "08:44", "engine", step="1.2"),
        make(e.GatePassed, 110, "09:29:30", "engine", step="2.1", held_s=1500),
        make(e.DecisionMade, 111, "09:29:38", step="2.1", answer="continue"),
        make(e.WeightChanged, 112, "09:29:45", "engine", weight=50, active="green", by="2.2/traffic"),
        make(e.GateHolding, 114, "09:29:47", "engine", step="2.2"),
        make(e.MetricsSampled, 115, "09:29:50", "engine", measurements=(sample,)),
        make(
            e.VerdictChanged,
            116,
            "09:35:10",
            "engine",
            measurement=Measurement(metric="p95", at=NOW, value=131, verdict=Verdict.WARNING),
            previous=Verdict.NORMAL,
        ),
        make(e.MessageFailed, 118, "09:36", "outbox", message="u3", channel="email", error="connection refused"),
        make(e.CommandRefusedEvent, 120, "09:40:02", command="advance", reason="the gate of 2.2 is open"),
    )


class FakeConnection:
    """A line that says what the test puts in and keeps what the app sends."""

    def __init__(self, *updates: Update, role: str = "commander") -> None:
        self.queue: asyncio.Queue[Update | None] = asyncio.Queue()
        self.orders: list[Command] = []
        self.reply = Reply(ok=True, message="done")
        self.error: Exception | None = None
        self.closed = False
        self.past = History()
        self.play: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.put(Connected(run="moshimoshi-1", role=role, you="agent1"))  # type: ignore[arg-type]
        for update in updates:
            self.put(update)

    @classmethod
    def showing(cls, state: Snapshot, role: str = "commander") -> FakeConnection:
        made = cls(role=role)
        made.show(state)
        made.put(Recorded(rows=journal(), earlier=True))
        return made

    def put(self, update: Update) -> None:
        self.queue.put_nowait(update)

    def show(self, state: Snapshot, *slices: str) -> None:
        self.put(Changed(snapshot=state, slices=frozenset(slices or Snapshot.model_fields)))

    def lose(self, reason: str = "connection refused", *, final: bool = False) -> None:
        self.put(Disconnected(reason=reason, final=final))

    async def updates(self) -> AsyncIterator[Update]:
        playing = asyncio.create_task(self.play()) if self.play else None
        while (update := await self.queue.get()) is not None:
            yield update
        if playing is not None:
            playing.cancel()

    async def history(self) -> tuple[tuple[Series, ...], tuple[Mark, ...]]:
        if self.error is not None:
            raise self.error
        return tuple(self.past.series()), tuple(self.past.marks)

    async def order(self, command: Command) -> Reply:
        self.orders.append(command)
        if self.error is not None:
            raise self.error
        return self.reply

    async def close(self) -> None:
        self.closed = True
