from __future__ import annotations

from datetime import timedelta
from typing import Any

from link.feeds import AT, a_snapshot

from cockpit.cli.status_json import dead_status_json, status_json
from cockpit.cli.status_text import status_text
from cockpit.model.cluster import Note, Pod, Severity
from cockpit.model.run import RunState
from cockpit.model.snapshot import (
    ConditionView,
    DriftEntry,
    DriftView,
    EscalationView,
    GateView,
    GuardView,
    MetricsView,
    MetricView,
    PhaseView,
    PlanView,
    PodsView,
    ReadinessView,
    RollbackStepView,
    RollbackView,
    SilentWorker,
    StepView,
)
from cockpit.model.status import GateStatus, StepStatus, Worker
from cockpit.model.verdict import Verdict

NOW = AT + timedelta(seconds=90)
DRIFT = DriftEntry(object="service/web", expected="weight 10 %", found="weight 30 %", manager="argocd", at=AT)

SHAPE: dict[str, Any] = {
    "run": str, "rehearsal": bool, "status": str, "held": bool, "situation": int,
    "phase": {"id", "name"}, "step": {"id", "name", "status"},
    "traffic": {"backend", "commanded", "observed", "active", "residual", "notes"},
    "metrics": {"id", "value", "unit", "verdict", "age_s", "query", "link"},
    "gate": {"verdict", "held_s", "needs_s", "conditions"},
    "pods": {"name", "track", "ready", "status", "restarts", "age_s"},
    "drift": {"object", "found", "expected", "manager", "since"}, "fenced_by": str, "fenced_at": str,
    "escalation": {"level", "since", "acknowledged_by"},
    "rollback": {"ready", "reasons"},
    "commander": {"actor", "epoch", "terminal", "since"}, "lease": {"command", "problem"}, "mirror": {"at", "problem"},
    "engine": {"pid", "alive", "silent"},
}  # fmt: skip


def busy() -> dict[str, Any]:
    step = StepView(id="2.1", title="10% Traffic", status=StepStatus.GATING)
    phase = PhaseView(id="2", title="Shift", status=StepStatus.GATING, steps=(step,))
    gate = GateView(
        step="2.1", status=GateStatus.HOLDING, verdict=Verdict.NORMAL, needs_s=1800, held_since=AT,
        conditions=(ConditionView(text="error_rate < 0.5", met=True), ConditionView(text="x", met=False, reason="y")),
    )  # fmt: skip
    metric = MetricView(
        id="error_rate", title="Error rate", unit="%", decimals=2, warning_from=0.1, critical=1.0, value=0.04,
        verdict=Verdict.WARNING, at=AT,
    )  # fmt: skip
    pod = Pod(name="blue-1", track="blue", ready=1, containers=1, status="Running", restarts=0, created=AT)
    snapshot = a_snapshot().model_copy(
        update={
            "plan": PlanView(phases=(phase,), current="2.1"),
            "gate": gate,
            "metrics": MetricsView(metrics=(metric,)),
            "pods": PodsView(pods=(pod,)),
            "escalation": EscalationView(since=AT, level=2),
            "readiness": ReadinessView(ready=False, reasons=("green is cold",)),
            "drift": DriftView(entries=(DRIFT,), fenced_by="run eve@two", fenced_at=AT),
            "guard": GuardView(silent=(SilentWorker(worker=Worker.GUARD, since=AT),)),
        }
    )
    return status_json(snapshot, NOW)


def test_the_shape_is_the_documented_one() -> None:
    found = busy()
    assert list(found) == list(SHAPE)
    for name, keys in SHAPE.items():
        value = found[name][0] if isinstance(found[name], list) else found[name]
        assert set(value) == keys if isinstance(keys, set) else isinstance(value, keys)


def test_the_values_are_those_of_the_snapshot() -> None:
    found = busy()
    assert found["phase"] == {"id": "2", "name": "Shift"}
    assert found["gate"]["held_s"] == 90.0
    assert [condition["met"] for condition in found["gate"]["conditions"]] == [True, False]
    assert found["metrics"][0] == {
        "id": "error_rate", "value": 0.04, "unit": "%", "verdict": "WARNING", "age_s": 90.0, "query": "", "link": None,
    }  # fmt: skip
    assert found["pods"][0]["ready"] == "1/1"
    assert found["escalation"] == {"level": 2, "since": AT.isoformat(), "acknowledged_by": None}
    assert found["rollback"] == {"ready": False, "reasons": ["green is cold"]}


def test_a_rollback_shows_its_clock() -> None:
    steps = (RollbackStepView(id="traffic", title="Traffic", status="done", budget_s=30, started_at=AT, ended_at=AT),)
    rollback = RollbackView(active=True, budget_s=300, started_at=AT, steps=steps)
    found = status_json(a_snapshot().model_copy(update={"rollback": rollback}), NOW)["rollback"]
    assert found == {
        "status": "running", "elapsed_s": 90.0, "budget_s": 300.0,
        "steps": [{"id": "traffic", "status": "done", "elapsed_s": 0.0, "budget_s": 30.0}],
    }  # fmt: skip
    over = rollback.model_copy(update={"ended_at": AT + timedelta(seconds=40), "succeeded": True})
    found = status_json(a_snapshot().model_copy(update={"rollback": over}), NOW)["rollback"]
    assert (found["status"], found["elapsed_s"]) == ("succeeded", 40.0)


def test_a_dead_run_has_the_same_names() -> None:
    found = dead_status_json("demo-1", "agent1", RunState(), rehearsal=True)
    assert list(found) == list(SHAPE)
    assert found["engine"] == {"pid": None, "alive": False, "left_open": []}


def test_a_person_reads_one_line_for_each_fact() -> None:
    said = status_text(busy())
    assert "step        2.1 10% Traffic: gating" in said
    assert "error_rate 0.04 % WARNING" in said
    assert "held 90 of 1800 s, 1 of 2 conditions" in said
    assert "not ready: green is cold" in said
    assert "1 of 1 ready" in said
    assert "service/web by argocd: weight 30 %, expected weight 10 %" in said
    assert f"by run eve@two since {busy()['fenced_at']}" in said
    assert f"guard silent since {busy()['engine']['silent'][0]['since']}" in said
    dead = status_text(dead_status_json("demo-1", "agent1", RunState(), rehearsal=True))
    assert "not running" in dead
    assert "demo-1 (rehearsal: nothing of it is real)" in dead


def test_notes_of_the_route_and_residual_requests_are_told() -> None:
    snapshot = a_snapshot()
    note = Note(text="cookie affinity on web", severity=Severity.WARNING, evades=True)
    traffic = snapshot.traffic.model_copy(update={"notes": (note,), "residual": 0.05})
    found = status_json(snapshot.model_copy(update={"traffic": traffic}), NOW)
    assert found["traffic"]["notes"] == [{"severity": "warning", "text": "cookie affinity on web"}]
    assert found["traffic"]["residual"] == 0.05
    said = status_text(found)
    assert "            warning: cookie affinity on web" in said.splitlines()
    assert "0.05 residual requests/s" in said
