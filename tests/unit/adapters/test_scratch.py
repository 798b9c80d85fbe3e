from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cockpit.adapters.kubernetes import scratch

HOLD = """
from cockpit.adapters.kubernetes.scratch import scratch_directory
with scratch_directory() as path:
    print(path, flush=True)
    input()
"""


@pytest.fixture
def left(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.Popen[str]:
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    monkeypatch.setattr(scratch, "_YOUNG", 0.0)
    return subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_a_killed_process_left_is_swept_and_what_lives_is_not(left: subprocess.Popen[str]) -> None:
    assert left.stdout
    path = Path(left.stdout.readline().strip())
    assert path.stat().st_mode & 0o777 == 0o700
    assert scratch.abandoned() == ()
    assert scratch.sweep() == 0
    os.kill(left.pid, signal.SIGKILL)
    left.communicate()
    assert scratch.abandoned() == (path,)
    assert scratch.sweep() == 1
    assert not path.exists()


def test_a_young_directory_is_left_alone(left: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> None:
    left.kill()
    left.communicate()
    monkeypatch.setattr(scratch, "_YOUNG", 60.0)
    assert scratch.abandoned() == ()


def test_an_orderly_end_leaves_nothing(left: subprocess.Popen[str]) -> None:
    assert left.stdout
    path = Path(left.stdout.readline().strip())
    left.communicate("\n")
    assert left.returncode == 0
    assert not path.exists()


def test_on_a_full_disk_it_is_in_memory(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    memory = short_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(scratch, "_MEMORY", memory)
    with scratch.scratch_directory() as path:
        assert path.parent == short_path
    monkeypatch.setattr(scratch, "_ENOUGH", 2**80)
    with scratch.scratch_directory() as path:
        assert path.parent == memory
    assert list(memory.iterdir()) == []
