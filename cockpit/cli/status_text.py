"""`cockpit status` for a person. Pure."""

from __future__ import annotations

from cockpit.cli.status_json import Json
from cockpit.model.verdict import Verdict


def status_text(status: Json) -> str:
    """The same facts for a person, about ten lines."""
    engine, escalation = status["engine"], status["escalation"]
    alive = _alive_text(engine) if engine["alive"] else _dead_text(engine["left_open"])
    lines = [
        ("run", status["run"] + (" (rehearsal: nothing of it is real)" if status["rehearsal"] else "")),
        ("status", status["status"] + (" (held)" if status["held"] else "")),
        ("step", _step_text(status)),
        ("traffic", _traffic_text(status["traffic"])),
        *(("", f"{note['severity']}: {note['text']}") for note in status["traffic"]["notes"]),
        ("metrics", ", ".join(map(_metric_text, status["metrics"])) or "none"),
        ("gate", _gate_text(status["gate"])),
        ("pods", f"{sum(_ready(pod) for pod in status['pods'])} of {len(status['pods'])} ready"),
        *([("drift", "; ".join(map(_drift_text, status["drift"])))] if status["drift"] else []),
        *([("fenced", f"by {status['fenced_by']} since {status['fenced_at']}")] if status["fenced_by"] else []),
        ("escalation", f"level {escalation['level']}" if escalation["since"] else "none"),
        ("rollback", _rollback_text(status["rollback"])),
        ("commander", _commander_text(status["commander"])),
        *([("lease", _LEASE[lease])] if (lease := status["lease"]["command"]) in _LEASE else []),
        *([("mirror", f"none: {status['mirror']['problem']}")] if status["mirror"]["problem"] else []),
        ("engine", alive),
    ]
    return "\n".join(f"{name:<11} {value}" for name, value in lines)


_LEASE = {
    "lapsed": "lapsed: nothing goes forward until it is renewed",
    "lost": "lost: deleted or edited by hand; cockpit takeover takes it again",
    "other": "held by somebody else",
    "local": "none: local lock only",
}


def _commander_text(commander: Json) -> str:
    at = f" at {commander['terminal']}" if commander["terminal"] else ""
    return f"{commander['actor']}{at} (epoch {commander['epoch']})"


def _alive_text(engine: Json) -> str:
    hang = [f"{each['worker']} silent since {each['since']}" for each in engine["silent"]]
    return "; ".join((f"process {engine['pid']}", *hang))


def _dead_text(left_open: list[str]) -> str:
    return f"not running; under way when it ended: {', '.join(left_open)}" if left_open else "not running"


def _step_text(status: Json) -> str:
    step = status["step"]
    return f"{step['id']} {step['name']}: {step['status']}" if step else "–"


def _traffic_text(traffic: Json) -> str:
    observed = "–" if traffic["observed"] is None else f"{traffic['observed']:.1f} %"
    said = f"{traffic['commanded']} % commanded, {observed} observed, {traffic['active'] or '–'} active"
    residual = traffic["residual"]
    return said if residual is None else f"{said}, {residual:.2f} residual requests/s"


def _metric_text(metric: Json) -> str:
    value = "" if metric["value"] is None else f" {metric['value']:g} {metric['unit']}".rstrip()
    mark = "" if metric["verdict"] == Verdict.NORMAL.value else f" {metric['verdict']}"
    return f"{metric['id']}{value}{mark}"


def _gate_text(gate: Json | None) -> str:
    if gate is None:
        return "none"
    deciding = [condition for condition in gate["conditions"] if not condition.get("advisory")]
    met = sum(condition["met"] for condition in deciding)
    return f"held {gate['held_s']:.0f} of {gate['needs_s']:.0f} s, {met} of {len(deciding)} conditions"


def _drift_text(drift: Json) -> str:
    by = drift["manager"] or "somebody else"
    return f"{drift['object']} by {by}: {drift['found']}, expected {drift['expected']}"


def _rollback_text(rollback: Json) -> str:
    if "status" in rollback:
        return f"{rollback['status']} after {rollback['elapsed_s']:.0f} of {rollback['budget_s']:.0f} s"
    if rollback["ready"]:
        return "ready"
    return f"not ready: {'; '.join(rollback['reasons']) or 'not checked yet'}"


def _ready(pod: Json) -> bool:
    ready, _, containers = pod["ready"].partition("/")
    return bool(ready == containers != "0")
