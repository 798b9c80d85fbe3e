"""One thread that does all the work of one journal, in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class WriterThread:
    """Runs closures one after another; each is a whole transaction, so a cancelled caller leaves none open."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[], T]) -> T:
        """Do `job` in the thread and return its result or raise its error; it is done even if the caller leaves."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def tell(settle: Callable[..., None], outcome: object) -> None:
            # A loop that is closed has nobody left to tell.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, outcome)

        def work() -> None:
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - the edge of the thread; it is raised in the caller's task
                tell(future.set_exception, error)
            else:
                tell(future.set_result, result)

        self._jobs.put(work)
        return await asyncio.shield(future)

    def stop(self) -> None:
        """End the thread when the jobs before this call are done."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
