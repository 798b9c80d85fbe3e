"""What `cockpit run` says before its engine starts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from cockpit.cli import front, launch
from cockpit.cli.doctor import login
from cockpit.cli.preflight import require
from cockpit.cli.run import run
from cockpit.runbook.shipped import config_path


@pytest.mark.parametrize("kills", [True, False])
def test_a_logind_that_would_kill_the_engine_is_named_with_a_way_around(
    kills: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ready = SimpleNamespace(pin=None, notes=tuple)
    monkeypatch.setattr(login, "kill_user_processes", lambda: kills)
    monkeypatch.setattr(login, "linger", lambda uid: False)
    monkeypatch.setattr(require, "require_ready", lambda plan: ready)
    monkeypatch.setattr(launch, "launch", lambda plan: tmp_path)
    monkeypatch.setattr(front, "follow", lambda paths, as_json: 0)
    told = CliRunner().invoke(run, [str(config_path("runbooks/minimal.yaml")), "--headless"], catch_exceptions=False)
    assert ("kills the engine when your last session ends" in told.stderr) is kills
    assert ("systemd-run --user --scope cockpit run" in told.stderr) is kills
