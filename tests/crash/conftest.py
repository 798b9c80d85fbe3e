from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real thread in fake time, so that each run takes the same course."""

    async def directly(function: Callable[..., T], *arguments: Any) -> T:
        return function(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", directly)


@pytest.fixture(autouse=True)
def quiet_deaths() -> Iterator[None]:
    """Nobody retrieves what killed the tasks of a dead engine.

    Telling of it formats tracebacks from within the garbage collector, which in CPython 3.11 breaks an `ast.parse` that
    is under way, such as the one by which pytest shows a failure.
    """
    logger = logging.getLogger("asyncio")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before
