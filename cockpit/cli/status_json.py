"""The shape of `cockpit status -o json`. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cockpit.model.guarded import said
from cockpit.model.run import RunState
from cockpit.model.snapshot import GateView, RollbackView, Snapshot
from cockpit.model.status import ActionStatus

Json = dict[str, Any]


def status_json(snapshot: Snapshot, now: datetime) -> Json:
    """A living run; `now` is run time and ages and times are run seconds."""
    header, traffic = snapshot.header, snapshot.traffic
    return {
        "run": header.run,
        "rehearsal": header.rehearsal,
        "status": header.status.value,
        "held": header.held,
        "situation": snapshot.situation,
        **_place(snapshot),
        "traffic": {
            "backend": traffic.backend,
            "commanded": traffic.commanded,
            "observed": traffic.observed,
            "active": traffic.active,
            "residual": traffic.residual,
            "notes": [{"severity": note.severity.value, "text": note.text} for note in traffic.notes],
        },
        "metrics": _metrics(snapshot, now),
        "gate": _gate(snapshot.gate, now),
        "pods": _pods(snapshot, now),
        "drift": _drift(snapshot),
        "fenced_by": snapshot.drift.fenced_by or None,
        "fenced_at": _time(snapshot.drift.fenced_at),
        "escalation": {
            "level": snapshot.escalation.level,
            "since": _time(snapshot.escalation.since),
            "acknowledged_by": snapshot.escalation.acknowledged_by or None,
        },
        "rollback": _rollback(snapshot, now),
        "commander": {
            "actor": header.commander,
            "epoch": header.epoch,
            "terminal": header.commander_at or None,
            "since": _time(header.commander_since),
        },
        "lease": {"command": header.lease or "unknown", "problem": header.lease_problem or None},
        "mirror": {"at": _time(header.mirrored_at), "problem": header.mirror_problem or None},
        "engine": {
            "pid": header.engine_pid,
            "alive": True,
            "silent": [{"worker": each.worker.value, "since": _time(each.since)} for each in snapshot.guard.silent],
        },
    }


def _metrics(snapshot: Snapshot, now: datetime) -> list[Json]:
    return [
        {
            "id": metric.id,
            "value": metric.value,
            "unit": metric.unit,
            "verdict": metric.verdict.value,
            "age_s": _age(metric.at, now),
            "query": metric.query,
            "link": metric.link or None,
        }
        for metric in snapshot.metrics.metrics
    ]


def _pods(snapshot: Snapshot, now: datetime) -> list[Json]:
    return [
        {
            "name": pod.name,
            "track": pod.track,
            "ready": f"{pod.ready}/{pod.containers}",
            "status": pod.status,
            "restarts": pod.restarts,
            "age_s": _age(pod.created, now),
        }
        for pod in snapshot.pods.pods
    ]


def _drift(snapshot: Snapshot) -> list[Json]:
    return [
        {
            "object": entry.object,
            "found": entry.found,
            "expected": entry.expected,
            "manager": entry.manager or None,
            "since": _time(entry.at),
        }
        for entry in snapshot.drift.entries
    ]


def dead_status_json(run: str, commander: str, state: RunState, *, rehearsal: bool) -> Json:
    """A run without an engine, from its journal: what nobody measures is null or empty."""
    traffic = state.traffic
    return {
        "run": run,
        "rehearsal": rehearsal,
        "status": state.status.value,
        "held": state.held,
        "situation": state.situation,
        "phase": None,
        "step": None,
        "traffic": {
            "backend": None,
            "commanded": traffic.weight if traffic else 0,
            "observed": None,
            "active": traffic.active if traffic else None,
            "residual": None,
            "notes": [],
        },
        "metrics": [],
        "gate": None,
        "pods": [],
        "drift": [
            {
                "object": key,
                "found": said(drift.found),
                "expected": said(drift.expected),
                "manager": drift.manager or None,
                "since": _time(drift.at),
            }
            for key, drift in state.drift.items()
        ],
        "fenced_by": state.fenced.by if state.fenced else None,
        "fenced_at": _time(state.fenced.at) if state.fenced else None,
        "escalation": {"level": 0, "since": None, "acknowledged_by": None},
        "rollback": {"ready": None, "reasons": ["no engine checks it"]},
        "commander": {
            "actor": state.commander or commander,
            "epoch": state.epoch,
            "terminal": None,
            "since": _time(state.commander_since),
        },
        "lease": {"command": state.lease or "unknown", "problem": state.lease_problem or None},
        "mirror": {"at": None, "problem": None},
        "engine": {"pid": None, "alive": False, "left_open": list(under_way(state))},
    }


def under_way(state: RunState) -> tuple[str, ...]:
    """The actions whose outcome the journal does not tell: a dead engine left them open."""
    return tuple(name for name, action in state.actions.items() if action.status is ActionStatus.RUNNING)


def _place(snapshot: Snapshot) -> Json:
    for phase in snapshot.plan.phases:
        for step in phase.steps:
            if step.id == snapshot.plan.current:
                return {
                    "phase": {"id": phase.id, "name": phase.title},
                    "step": {"id": step.id, "name": step.title, "status": step.status.value},
                }
    return {"phase": None, "step": None}


def _gate(gate: GateView | None, now: datetime) -> Json | None:
    if gate is None:
        return None
    return {
        "verdict": gate.verdict.value,
        "held_s": _age(gate.held_since, now) or 0.0,
        "needs_s": gate.needs_s,
        "conditions": [
            {
                "text": condition.text,
                "met": condition.met,
                "reason": condition.reason,
                **({"advisory": True} if condition.advisory else {}),
            }
            for condition in gate.conditions
        ],
    }


def _rollback(snapshot: Snapshot, now: datetime) -> Json:
    rollback = snapshot.rollback
    if rollback.started_at is None:
        return {"ready": snapshot.readiness.ready, "reasons": list(snapshot.readiness.reasons)}
    end = rollback.ended_at or now
    return {
        "status": _rollback_status(rollback),
        "elapsed_s": _age(rollback.started_at, end),
        "budget_s": rollback.budget_s,
        "steps": [
            {"id": step.id, "status": step.status, "elapsed_s": _age(step.started_at, step.ended_at or end),
             "budget_s": step.budget_s}
            for step in rollback.steps
        ],
    }  # fmt: skip


def _rollback_status(rollback: RollbackView) -> str:
    if rollback.succeeded is None:
        return "running"
    return "succeeded" if rollback.succeeded else "failed"


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round((now - at).total_seconds(), 1)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
