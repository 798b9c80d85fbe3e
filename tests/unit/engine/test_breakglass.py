from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime

import pytest

from cockpit.engine.breakglass import sheet
from cockpit.runbook.load import load
from cockpit.runbook.shipped import config_path

BOOK = load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("selector", "patch"),
    [
        (
            {"app": "moshimoshi", "version": "green"},
            [{"op": "replace", "path": "/spec/selector", "value": {"app": "moshimoshi", "version": "green"}}],
        ),
        (None, {"spec": {"selector": {"version": "green"}}}),
    ],
)
def test_the_sheet_switches_the_service_back(selector: dict[str, str] | None, patch: object) -> None:
    text = sheet(BOOK, "prod", selector, ("kubectl --context prod patch ingress x -n production",), NOW)
    (line,) = [line for line in text.splitlines() if "patch service" in line]
    words = shlex.split(line)
    assert words[:7] == ["kubectl", "--context", "prod", "-n", "production", "patch", "service"]
    assert json.loads(words[-1]) == patch
    assert ("--type=json" in words) == (selector is not None)
    assert "\nkubectl --context prod patch ingress x -n production\n" in text


def test_a_context_with_an_odd_name_stays_one_word() -> None:
    text = sheet(BOOK, "my prod; reboot", None, (), NOW)
    commands = [line for line in text.splitlines() if line.startswith("kubectl")]
    assert len(commands) == 4
    assert {shlex.split(line)[2] for line in commands} == {"my prod; reboot"}
