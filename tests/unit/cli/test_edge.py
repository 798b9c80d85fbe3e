from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.cli import edge
from cockpit.cli.edge import run
from cockpit.cli.settings import ClusterPin, RunSettings
from cockpit.errors import EngineUnreachable, NotCommander, PreflightFailed, UsageError
from cockpit.journal.lock import RunLock
from cockpit.link.paths import RunPaths, create_run
from cockpit.runbook.shipped import config_path

SHIPPED = str(config_path("runbooks/moshimoshi.yaml"))
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def invalid(tmp_path: Path) -> Path:
    path = tmp_path / "invalid.yaml"
    path.write_text(Path(SHIPPED).read_text().replace("candidate: blue", "candidate: red"))
    return path


@pytest.fixture
def live(home: Path) -> Iterator[list[RunPaths]]:
    """Two runs whose locks are held, as engines hold them."""
    runs = [create_run(home, f"demo-{number}") for number in (1, 2)]
    locks = [RunLock.take(paths.directory / "lock") for paths in runs]
    yield runs
    for lock in locks:
        lock.release()


@pytest.mark.parametrize(
    "arguments", [["frob"], ["weight", "101"], ["rollback"], ["override"], ["run"], ["demo", "--speed", "x"]]
)
def test_bad_usage_is_two(arguments: list[str], capsys: Capture) -> None:
    assert run(arguments) == 2
    assert "Usage: cockpit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no", "do that"), 2),
        (PreflightFailed("no", "do that"), 5),
        (NotCommander("no", "do that"), 6),
        (EngineUnreachable("no", "do that"), 1),
    ],
)
def test_errors_are_said_with_their_code(
    error: Exception, code: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.cockpit, "main", _raiser(error))
    assert run([]) == code
    said = capsys.readouterr().err
    assert said == f"{type(error).title}: no\n→ do that\n"  # type: ignore[attr-defined]


def test_what_nobody_foresaw_leaves_a_file_without_values(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(edge.cockpit, "main", _raiser(ValueError("the password is hunter2")))
    assert run([]) == 1
    said = capsys.readouterr().err
    (crash,) = (home / "crashes").iterdir()
    assert str(crash) in said
    assert "Traceback" not in said
    assert crash.stat().st_mode & 0o777 == 0o600
    assert "ValueError" in crash.read_text()
    assert "hunter2" not in crash.read_text() + said


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.cockpit, "main", _raiser(KeyboardInterrupt()))
    assert run([]) == 130


def _raiser(error: BaseException) -> object:
    def raises(**_: object) -> None:
        raise error

    return raises


@pytest.mark.parametrize("command", [["check", "--offline"], ["rehearse"], ["run"], ["demo", "--var", "NOPE=1"]])
def test_an_invalid_runbook_is_two_with_every_finding(
    command: list[str], invalid: Path, capsys: Capture, home: Path
) -> None:
    arguments = command if command[0] == "demo" else [*command, str(invalid)]
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert "The runbook is not valid" in said
    assert ("NOPE" if command[0] == "demo" else "cluster.candidate") in said
    assert not (home / "runs").exists()


def test_a_missing_runbook_is_two(capsys: Capture) -> None:
    assert run(["check", "--offline", "/nowhere.yaml"]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_check_prints_findings_as_json(invalid: Path, capsys: Capture) -> None:
    assert run(["check", str(invalid), "--offline", "-o", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["preflight"]) == (False, [])
    assert set(report["findings"][0]) == {"file", "line", "path", "problem", "hint"}
    assert run(["check", SHIPPED, "--offline", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "findings": [], "preflight": []}


def test_an_unknown_scenario_is_two(capsys: Capture) -> None:
    assert run(["demo", "--scenario", "sunshine"]) == 2
    assert "healthy" in capsys.readouterr().err


def test_the_schema_is_json(capsys: Capture) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


@pytest.mark.parametrize("command", [["status"], ["advance"], ["observe"], ["attach"], ["tick", "dns"]])
def test_without_a_run_there_is_nothing_to_name(command: list[str], capsys: Capture) -> None:
    assert run(command) == 2
    assert "No run is" in capsys.readouterr().err


def test_two_live_runs_must_be_named(live: list[RunPaths], capsys: Capture) -> None:
    assert run(["hold"]) == 2
    said = capsys.readouterr().err
    assert "2 runs are live" in said
    assert "demo-1, demo-2" in said


def test_an_unknown_run_is_two(live: list[RunPaths], capsys: Capture) -> None:
    assert run(["hold", "demo-3"]) == 2
    assert "demo-3" in capsys.readouterr().err


def test_a_silent_engine_is_said(live: list[RunPaths], capsys: Capture) -> None:
    assert run(["hold", "demo-1"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_runs_as_text_and_json(live: list[RunPaths], capsys: Capture) -> None:
    assert run(["runs", "-o", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["run"], row["engine"]["alive"], row["closed"]) for row in rows] == [
        ("demo-1", True, False), ("demo-2", True, False),
    ]  # fmt: skip
    assert run(["runs"]) == 0
    assert capsys.readouterr().out.startswith("demo-1  unknown")


def test_a_closed_run_is_not_attached_again(home: Path, capsys: Capture) -> None:
    paths = create_run(home, "demo-1")
    paths.closed.write_text('{"status": "completed"}')
    assert run(["runs", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "completed"
    assert run(["attach", "demo-1"]) == 2
    assert "is closed" in capsys.readouterr().err


def test_help_names_every_public_command(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert "simulator-process" not in said
    for name in ("demo", "rehearse", "run", "attach", "observe", "status", "runs", "rollback", "check", "simulate"):
        assert f"\n  {name}" in said


def test_every_command_explains_itself(capsys: Capture) -> None:
    for name in edge.cockpit.list_commands(None):  # type: ignore[arg-type]
        assert run([name, "--help"]) == 0
        assert f"Usage: cockpit {name}" in capsys.readouterr().out


def test_a_run_whose_context_leads_elsewhere_is_not_taken_up(home: Path, tmp_path: Path, capsys: Capture) -> None:
    paths = create_run(home, "demo-1")
    config = tmp_path / "kubeconfig"
    cluster = {"name": "c", "cluster": {"server": "https://staging.test:6443"}}
    context = {"name": "prod", "context": {"cluster": "c"}}
    config.write_text(json.dumps({"clusters": [cluster], "contexts": [context]}))
    RunSettings(
        run="demo-1", runbook="r", original="/r.yaml", kubeconfig=str(config), context="prod", commander="ops",
        cluster=ClusterPin(server="https://production.test:6443", context="prod"),
    ).save(paths)  # fmt: skip
    for command in (["attach"], ["rollback", "--reason", "it smells"]):
        assert run([command[0], "demo-1", *command[1:]]) == 2
        assert "its server is now https://staging.test:6443" in capsys.readouterr().err
    assert not paths.log.exists()
