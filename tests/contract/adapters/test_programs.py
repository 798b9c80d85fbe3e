"""The user's own programs, with real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cockpit.adapters.programs import Programs
from cockpit.errors import DeadlineExceeded, Denied, NotFound


def script(directory: Path, text: str, mode: int = 0o755) -> str:
    path = directory / "tool.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return "./tool.sh"


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


async def nothing(_: str) -> None:
    return None


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path


async def test_output_and_exit_code_come_back(place: Path) -> None:
    said: list[str] = []

    async def say(line: str) -> None:
        said.append(line)

    argv = (script(place, 'echo "first $1"; echo "$COCKPIT_REASON" >&2; exit 7'), "a b; rm -rf x")
    result = await Programs(place).run(argv, {"COCKPIT_REASON": "$(touch x)"}, 10, say)
    assert (result.exit_code, result.output) == (7, "first a b; rm -rf x\n$(touch x)\n")
    assert said
    assert not (place / "x").exists()


async def test_the_environment_is_an_allow_list(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "canary-secret")
    result = await Programs(place).run((script(place, "env"),), {}, 10, nothing)
    assert "canary-secret" not in result.output
    assert "PATH=" in result.output


async def test_a_program_is_killed_with_its_children_at_the_deadline(place: Path) -> None:
    argv = (script(place, "sleep 300 & echo $! > child; wait"),)
    with pytest.raises(DeadlineExceeded, match="did not end within"):
        await Programs(place).run(argv, {}, 0.5, nothing)
    assert not alive(int((place / "child").read_text()))


async def test_control_bytes_are_cleaned_and_output_is_capped(place: Path) -> None:
    argv = (script(place, r"printf '\033]0;owned\007\n'; head -c 300000 /dev/zero | tr '\0' x; printf '\377\n'"),)
    result = await Programs(place).run(argv, {}, 20, nothing)
    assert "\x1b" not in result.output
    assert len(result.output) <= 64 * 1024


@pytest.mark.parametrize(("mode", "words"), [(0o757, "written by everybody"), (0o644, "not executable")])
def test_programs_that_cannot_be_trusted_are_refused(place: Path, mode: int, words: str) -> None:
    with pytest.raises(Denied, match=words):
        Programs(place).inspect((script(place, "true", mode),))


def test_a_directory_that_everybody_may_write_is_refused(place: Path) -> None:
    argv = (script(place, "true"),)
    place.chmod(0o777)
    with pytest.raises(Denied, match="written by everybody"):
        Programs(place).inspect(argv)
    os.chmod(place, 0o755)
    assert len(Programs(place).inspect(argv)) == 64


def test_a_missing_program_is_named(place: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        Programs(place).inspect(("./nowhere.sh",))
