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
    text = sheet(BOOK, "prod", selector, ("kubectl patch ingress x -n production",), NOW)
    (line,) = [line for line in text.splitlines() if "patch service" in line]
    words = shlex.split(line)
    assert words[:7] == ["kubectl", "--context", "prod", "-n", "production", "patch", "service"]
    assert json.loads(words[-1]) == patch
    assert ("--type=json" in words) == (selector is not None)
    assert "kubectl --context prod patch ingress x -n production" in text
