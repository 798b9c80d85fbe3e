from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

VALID = (Path(__file__).parents[2] / "data" / "runbook.yaml").read_text()

Edited = Callable[..., Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    """Writes the valid runbook with pieces replaced, each of which must occur exactly once."""

    def write(*edits: tuple[str, str]) -> Path:
        text = VALID
        for old, new in edits:
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
            text = text.replace(old, new)
        path = tmp_path / "runbook.yaml"
        path.write_text(text)
        return path

    return write
