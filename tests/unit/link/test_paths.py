from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.errors import JournalError, UsageError
from cockpit.link.paths import all_runs, cockpit_home, create_run, find_run, new_run_id, write_private

AT = datetime(2026, 1, 8, 7, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("environ", "home"),
    [
        ({"COCKPIT_HOME": "/srv/c", "XDG_STATE_HOME": "/x"}, "/srv/c"),
        ({"XDG_STATE_HOME": "/x"}, "/x/cockpit"),
        ({}, str(Path.home() / ".local/state/cockpit")),
    ],
)
def test_the_home_follows_the_environment(environ: dict[str, str], home: str) -> None:
    assert cockpit_home(environ) == Path(home)


def test_run_ids_name_the_runbook_and_the_minute() -> None:
    run = new_run_id("moshimoshi", AT)
    assert run.startswith("moshimoshi-20260108-0755-")
    assert len(run.rsplit("-", 1)[1]) == 4


def test_a_run_is_private_and_made_once(home: Path) -> None:
    run = create_run(home, "demo-1")
    assert [path.stat().st_mode & 0o777 for path in (home, home / "runs", run.directory)] == [0o700] * 3
    with pytest.raises(JournalError, match="exists already"):
        create_run(home, "demo-1")
    assert find_run(home, "demo-1") == run
    assert [found.run for found in all_runs(home)] == ["demo-1"]


@pytest.mark.parametrize("run", ["demo-2", "../demo-1", "", "."])
def test_an_unknown_run_is_refused(home: Path, run: str) -> None:
    create_run(home, "demo-1")
    with pytest.raises(UsageError, match="no run"):
        find_run(home, run)


def test_a_home_open_to_others_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(JournalError, match="open to other users"):
        create_run(home, "demo-1")


def test_no_runs_without_a_home(home: Path) -> None:
    assert list(all_runs(home)) == []


def test_sockets_live_in_the_runs_directory_when_it_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = create_run(Path("h"), "demo-1")
    placed = run.place_sockets({"XDG_RUNTIME_DIR": "/run/user/0"})
    assert placed.control == Path("h/runs/demo-1/control.sock")
    assert run.sockets() == placed


def test_long_paths_move_to_the_runtime_directory(home: Path, tmp_path: Path) -> None:
    run = create_run(home / ("x" * 100), "demo-1")
    placed = run.place_sockets({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert placed.watch == tmp_path / "cockpit" / "demo-1" / "watch.sock"
    assert placed.watch.parent.stat().st_mode & 0o777 == 0o700
    assert run.sockets() == placed


def test_without_a_runtime_directory_the_temporary_one_serves(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.link.paths.tempfile.gettempdir", lambda: str(tmp_path))
    run = create_run(home / ("x" * 100), "demo-1")
    assert run.place_sockets({}).control.parent == tmp_path / f"cockpit-{os.geteuid()}" / "demo-1"
    (tmp_path / f"cockpit-{os.geteuid()}").chmod(0o777)
    with pytest.raises(JournalError, match="open to other users"):
        run.place_sockets({})


def test_private_files_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, "a long first text")
    write_private(path, "short")
    assert path.read_text() == "short"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
