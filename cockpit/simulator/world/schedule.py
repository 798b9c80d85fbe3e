"""What will happen in the world and when: a queue of run times."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Schedule:
    """A discrete-event queue. `time` is the run time, in seconds since the epoch, the world has reached."""

    def __init__(self, start: float) -> None:
        self.time = start
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do `action` when `seconds` of run time have passed."""
        self._count += 1
        heapq.heappush(self._queue, (self.time + max(0.0, seconds), self._count, action))

    def next_time(self) -> float | None:
        """When the next action is due, or None when nothing is planned."""
        return self._queue[0][0] if self._queue else None

    def step(self, until: float) -> bool:
        """Do the next action if it is due by `until`; says whether there was one."""
        if not self._queue or self._queue[0][0] > until:
            return False
        due, _, action = heapq.heappop(self._queue)
        self.time = max(self.time, due)
        action()
        return True
