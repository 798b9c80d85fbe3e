from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cockpit.cli.commands import cockpit
from cockpit.cli.doctor import clock, leftovers, login, machine, network, terminal
from cockpit.cli.preflight.finding import State


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 6, 23), State.OK), ((3, 7, 0), State.WARNING), ((3, 51, 2), State.WARNING), ((3, 51, 3), State.OK)],
)
def test_sqlite_with_the_wal_reset_bug_is_named(version: tuple[int, ...], state: State) -> None:
    note = machine.sqlite_note(version)
    assert note.state is state
    assert ("WAL-reset bug" in note.message) == (state is State.WARNING)


@pytest.mark.parametrize(("mib", "state"), [(63, State.FAIL), (64, State.WARNING), (512, State.OK)])
def test_disk_space(mib: int, state: State) -> None:
    assert machine.space_note(mib * machine.MIB).state is state


@pytest.mark.parametrize(
    ("files", "state"), [(128, State.FAIL), (512, State.WARNING), (1024, State.OK), (resource.RLIM_INFINITY, State.OK)]
)
def test_open_files(files: int, state: State) -> None:
    assert machine.files_note(files).state is state


def test_a_network_file_system_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "file_system_magic", lambda path: 0x6969)
    note = next(iter(machine.disk(tmp_path)))
    assert note.state is State.FAIL
    assert "NFS" in note.message


def test_a_home_open_to_others_fails(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    (note,) = machine.permissions(home)
    assert (note.state, "chmod 0700" in note.fix) == (State.FAIL, True)
    home.chmod(0o700)
    (note,) = machine.permissions(home)
    assert note.state is State.OK


@pytest.mark.parametrize(
    ("environ", "size", "words"),
    [
        ({"TERM": "dumb"}, (80, 24), "TERM is dumb"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, (80, 24), "16 million"),
        ({"TERM": "screen-256color", "TMUX": "x"}, (80, 24), "inside tmux"),
        ({"TERM": "xterm", "STY": "x"}, (80, 24), "inside screen"),
        ({"TERM": "xterm"}, (40, 10), "40×10 is small"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, (80, 24), "without colours"),
        ({}, None, "no terminal"),
    ],
)
def test_terminals(environ: dict[str, str], size: tuple[int, int] | None, words: str) -> None:
    assert words in " ".join(note.message for note in terminal.terminal_notes(environ, size))


@pytest.mark.parametrize(
    ("seconds", "within", "state"),
    [(0.4, 0.5, State.OK), (-2.6, 0.5, State.WARNING), (15.6, 0.5, State.FAIL), (3.0, 2.0, State.OK)],
)
def test_clock_skew_counts_what_is_certain(seconds: float, within: float, state: State) -> None:
    note = clock.skew_note(seconds, within)
    assert note.state is state
    assert ("ahead of" in note.message) == (seconds > 0)


def conf(root: Path, main: str, **drops: str) -> Path:
    (root / "logind.conf.d").mkdir(parents=True)
    (root / "logind.conf").write_text(main)
    for name, text in drops.items():
        (root / "logind.conf.d" / f"{name}.conf").write_text(text)
    return root


@pytest.mark.parametrize(
    ("main", "drops", "kills"),
    [
        ("[Login]\n#KillUserProcesses=yes\n", {}, False),
        ("[Login]\nKillUserProcesses=yes\n", {}, True),
        ("[Login]\nKillUserProcesses = Yes \n", {"b": "[Login]\nKillUserProcesses=no"}, False),
        ("", {"a": "[Login]\nKillUserProcesses=no", "b": "[Login]\nKillUserProcesses=1"}, True),
        ("[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root ada\n", {}, False),
        ("[Login]\nKillUserProcesses=yes\nKillOnlyUsers=bob\n", {}, False),
    ],
)
def test_logind(tmp_path: Path, main: str, drops: dict[str, str], kills: bool) -> None:
    assert login.kill_user_processes([conf(tmp_path / "etc", main, **drops)], "ada") is kills


def test_a_drop_in_of_etc_hides_its_namesake(tmp_path: Path) -> None:
    etc = conf(tmp_path / "etc", "", kill="[Login]\nKillUserProcesses=no")
    lib = conf(tmp_path / "lib", "", kill="[Login]\nKillUserProcesses=yes")
    assert not login.kill_user_processes([etc, lib], "ada")


def test_the_way_around_a_killing_logind() -> None:
    note = login.kill_note(True, {}, False)
    assert note.state is State.WARNING
    assert "systemd-run --user --scope" in note.fix
    assert "loginctl enable-linger" in note.fix
    assert login.in_own_scope("0::/user.slice/user-7.slice/user@7.service/app.slice/run-1.scope")
    assert not login.in_own_scope("0::/user.slice/user-7.slice/session-3.scope")


def test_proxies_are_named_without_their_values(tmp_path: Path) -> None:
    (tmp_path / ".netrc").touch()
    notes = list(network.notes({"https_proxy": "http://ada:canary@proxy"}, tmp_path))
    text = " ".join(note.message for note in notes)
    assert "https_proxy" in text
    assert "canary" not in text
    assert "present; not used" in text


def test_an_engine_without_its_run_is_found(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    # A program that only has the command line of an engine.
    program = "import sys; print('started', flush=True); sys.stdin.read()"
    (tmp_path / "cockpit.py").write_text(program)
    process = subprocess.Popen(
        [sys.executable, "-m", "cockpit", "engine", str(gone)],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    try:
        # A process that has just been made has no command line for a moment.
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        assert (process.pid, "engine", gone) in set(leftovers.processes())
    finally:
        process.communicate()


def test_the_doctor_as_a_person_calls_it(home: Path) -> None:
    done = CliRunner().invoke(cockpit, ["doctor", "-o", "json"], standalone_mode=False)
    found = json.loads(done.output)
    assert {each["group"] for each in found["findings"]} == {
        "versions", "home", "terminal", "clock", "limits", "login", "network", "runs",
    }  # fmt: skip
    assert found["ok"] == all(each["ok"] for each in found["findings"])
    assert done.return_value == (0 if found["ok"] else 1)
    assert not home.exists()
    text = CliRunner().invoke(cockpit, ["doctor"], standalone_mode=False).output
    assert "✔ ok" in text
    assert "VERSIONS" in text


def test_a_home_that_others_may_enter_is_exit_code_1(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    assert CliRunner().invoke(cockpit, ["doctor"], standalone_mode=False).return_value == 1
