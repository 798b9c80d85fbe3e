"""Servers for the tests that stand beside the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.adapters.faulty import FaultyServer


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyServer]:
    """A server on loopback that answers as the test says."""
    async with FaultyServer().serving() as server:
        yield server
