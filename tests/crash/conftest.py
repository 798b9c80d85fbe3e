from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real thread in fake time, so that each run takes the same course."""

    async def directly(function: Callable[..., T], *arguments: Any) -> T:
        return function(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", directly)
