"""`cockpit check` as a command, against a real Prometheus: what is wrong with a query stands where it is written."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli.edge import run as command
from cockpit.model.clock import RunClock
from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook
from tests.contract.adapters.faulty import FaultyServer, always
from tests.contract.prometheus.servers import Server

SHIPPED = config_path("runbooks/moshimoshi.yaml").read_text()
Capture = pytest.CaptureFixture[str]


def edited(path: Path, *edits: tuple[str, str]) -> Path:
    """The shipped runbook with some of its text replaced."""
    text = SHIPPED
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def line_of(path: Path, text: str) -> int:
    """The line in which a text stands."""
    return next(at for at, line in enumerate(path.read_text().splitlines(), 1) if text in line)


WRONG = [
    ("100 * max(sum by (pod)\n        (rate(", "100 * max(sum by (pod)\n        ((rate("),
    ('status=~"5.."}[${window}])) or', 'status=~"5.."}[${window}] or'),
    ('canary="",status', 'canary=~"(",status'),
]


async def test_every_query_that_is_wrong_is_named_with_the_servers_words_and_its_place(
    server: Server, tmp_path: Path, capsys: Capture, faulty: FaultyServer
) -> None:
    manager = f"  alertmanager: {{url: {faulty.url}}}\n"
    alerts = SHIPPED[SHIPPED.index("  alerts_critical:\n") : SHIPPED.index("  candidate_share:\n")]
    path = edited(tmp_path / "runbook.yaml", *WRONG, (alerts, manager))
    faulty.script = always(200, [{"labels": {"alertname": "DiskFull", "severity": "critical"}}])
    book = load(path, {}, {}).runbook
    async with Simulator(from_runbook(book), RunClock.starting(datetime.now(UTC), 1.0)) as simulator:
        kubeconfig = tmp_path / "kubeconfig"
        simulator.write_kubeconfig(kubeconfig)
        arguments = ["check", str(path), "--kubeconfig", str(kubeconfig), "--var", f"PROMETHEUS_URL={server.url}"]
        code = await asyncio.to_thread(command, [*arguments, "-o", "json"])
        found = json.loads(capsys.readouterr().out)
        assert await asyncio.to_thread(command, arguments) == 5
        table = re.sub(r"\s+", " ", capsys.readouterr().out)

    assert (code, found["ok"], found["findings"]) == (5, False, [])
    rows = {one["name"]: one for one in found["preflight"] if one["group"] == "metrics"}
    wrong = {name: row for name, row in rows.items() if row["state"] == "fail"}
    assert set(wrong) == {"cpu", "errors_5xx", "error_rate compared"}
    for name, field, begins, words in (
        ("cpu", "monitoring.metrics[2].query", "    - id: cpu", "parse error"),
        ("errors_5xx", "monitoring.metrics[5].query", "    - id: errors_5xx", "parse error"),
        ("error_rate compared", "monitoring.metrics[0].compare.stable", "      compare:", "missing closing )"),
    ):
        row = wrong[name]
        assert "bad_data: invalid parameter" in row["message"]
        assert words in row["message"]
        said = re.fullmatch(rf"Correct {re.escape(field)} at {re.escape(str(path))}:(\d+)", row["fix"])
        assert said, row["fix"]
        assert 0 <= int(said[1]) - line_of(path, begins) <= 9
        assert field in table
    assert {name for name, row in rows.items() if row["state"] == "ok"} >= {"prometheus", "residual"}
    assert rows["p95_latency compared"]["message"] == "no request of the stable track is counted"
    # What fires already is told before anything is changed, by the Alertmanager that the run would ask.
    assert rows["alertmanager"]["state"] == "warning"
    assert "1 critical alerts are firing already: DiskFull" in rows["alertmanager"]["message"]
    assert faulty.requests[0].query.getall("filter") == ['severity="critical"']


def test_a_runbook_that_cannot_be_meant_is_exit_code_two_with_all_of_it_at_once(
    tmp_path: Path, capsys: Capture
) -> None:
    """Nothing is asked of any server: thresholds in the wrong order, units that do not fit, gates that never pass."""
    path = edited(
        tmp_path / "runbook.yaml",
        ("{warning_from: 50, critical_above: 70}", "{warning_from: 70, critical_above: 50}"),
        ("{warning_from: 60, critical_above: 80}", "{warning_from: 60, critical_below: 80}"),
        ("1000 * histogram_quantile", "histogram_quantile"),
        ("{warning_from: 0.01, critical_above: 0.1}", "{warning_from: 0.01, critical_above: 100}"),
        ("hold: 30m", "hold: 30m\n          give_up_after: 30m\n          interval: 31m"),
        ("{metric: error_rate, below: 0.5}", "{metric: error_rate, below: 0}"),
        ("metric: p95_latency, above: 1000", "metric: p95_latency, below: 1000"),
    )

    assert command(["check", str(path), "-o", "json"]) == 2
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]

    problems = {one["path"]: one["problem"] for one in found}
    assert problems == {
        "monitoring.metrics[2].bands": "the warning begins above the critical threshold",
        "monitoring.metrics[3].bands": "the warning begins below the critical threshold",
        "monitoring.metrics[1].query": "gives seconds for a metric in ms",
        "monitoring.metrics[5].bands.critical_above": "5xx Errors can never be above 100 %",
        "phases[1].steps[0].gate.give_up_after": "comes before the gate can pass",
        "phases[1].steps[0].gate.interval": "is longer than the hold: the gate would look once",
        "phases[1].steps[0].gate.conditions[0].below": "can never hold",
        "phases[1].steps[1].gate.conditions[2].below": "would let critical values pass",
        "phases[1].steps[1].gate.conditions[3].below": "would let critical values pass",
        "rollback.triggers[1].below": "is the wrong direction",
    }
    lines = {one["path"]: one["line"] for one in found}
    assert lines["monitoring.metrics[2].bands"] == line_of(path, "{warning_from: 70, critical_above: 50}")
    assert lines["phases[1].steps[0].gate.interval"] == line_of(path, "interval: 31m")
    assert command(["check", str(path)]) == 2
    said = capsys.readouterr().err
    for one in found:
        assert f"{path}:{one['line']}: {one['path']}: {one['problem']}" in said
