"""What every test gets: state directories of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

# pytest-asyncio asks for the current loop; without this, Python before 3.12 makes one that nobody closes.
asyncio.set_event_loop(None)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "cockpit-home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("XDG_RUNTIME_DIR", "COCKPIT_CRASH_AT", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The COCKPIT_HOME of this test."""
    return tmp_path / "cockpit-home"
