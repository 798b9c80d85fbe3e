"""What every test gets: state directories of its own."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time; `--hypothesis-profile=nightly` looks for new ones.
_ANY = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("ci", max_examples=100, derandomize=True, database=None, **_ANY)
settings.register_profile("nightly", max_examples=2_000, **_ANY)
settings.load_profile("ci")

# pytest-asyncio asks for the current loop; without this, Python before 3.12 makes one that nobody closes.
asyncio.set_event_loop(None)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name, which is 107 bytes at most."""
    path = Path(tempfile.mkdtemp(prefix="ck-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def _own_state(short_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(short_path / "state"))
    monkeypatch.setenv("TMPDIR", str(short_path))
    # GNU readline, which pytest imports, leaves COLUMNS and LINES to the workers of pytest-xdist. Programs that tests
    # start are compiled once, and not each time.
    strange = ("COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE")
    for name in ("XDG_RUNTIME_DIR", "COCKPIT_CRASH_AT", "KUBECONFIG", *strange):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(short_path: Path) -> Path:
    """The COCKPIT_HOME of this test."""
    return short_path / "cockpit-home"
