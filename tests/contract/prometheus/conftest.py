"""Servers for the tests that stand beside the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.adapters.faulty import FaultyServer
from tests.contract.prometheus.servers import Server, prometheus


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A Prometheus that scrapes nothing."""
    async with prometheus(tmp_path / "prometheus", {}) as found:
        yield found


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyServer]:
    """A server on loopback that answers as the test says."""
    async with FaultyServer().serving() as server:
        yield server
