from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.world import MemoryStore, Stage, World


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage that has not started; what runs at the end is ended."""
    made = Stage(World(), MemoryStore(), tmp_path)
    yield made
    if made.task is not None:
        await made.kill()
