"""The commander's lens on the cluster: opened when it is first needed, closed with the screen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError, Unreachable

if TYPE_CHECKING:
    from cockpit.model.lens import ForwardState
    from cockpit.tui.lens import Lens, OpenLens

CLOSE_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class LookSettings:
    """What a closer look needs of the run.

    `saves` is where logs and outputs are saved, `directory` where the runbook's own commands run; in a `rehearsal`
    only kubectl stays inside the simulator.
    """

    open: OpenLens
    saves: Path
    directory: Path
    rehearsal: bool = False


class Looking:
    """Holds one lens for as long as the screen lives, in a task of its own: port-forwards outlive their screens."""

    def __init__(self, settings: LookSettings | Callable[[], LookSettings]) -> None:
        """`settings` may be a function that reads them, which is called when they are first needed."""
        self._given = settings
        self._lens: asyncio.Future[Lens] | None = None
        self._task: asyncio.Task[None] | None = None
        self._leave = asyncio.Event()

    @cached_property
    def settings(self) -> LookSettings:
        """What a closer look needs; raises CockpitError when it cannot be read."""
        return self._given() if callable(self._given) else self._given

    async def lens(self) -> Lens:
        """The lens; raises CockpitError when it cannot be opened, and tries anew the next time."""
        if self._lens is None:
            self._lens = asyncio.get_running_loop().create_future()
            self._leave.clear()
            self._task = asyncio.create_task(self._hold(self._lens), name="lens")
        return await asyncio.shield(self._lens)

    async def _hold(self, found: asyncio.Future[Lens]) -> None:
        try:
            async with self.settings.open() as lens:
                found.set_result(lens)
                await self._leave.wait()
        except CockpitError as error:
            self._failed(found, error)
        except OSError as error:
            self._failed(found, Unreachable(f"The cluster cannot be looked at: {error.strerror or error}"))
        finally:
            found.cancel()

    def _failed(self, found: asyncio.Future[Lens], error: CockpitError) -> None:
        self._lens = None
        if not found.done():
            found.set_exception(error)

    def forwards(self) -> tuple[ForwardState, ...]:
        """The port-forwards of this screen; none before the lens was opened."""
        lens = self._lens
        if lens is None or not lens.done() or lens.cancelled() or lens.exception() is not None:
            return ()
        return lens.result().forwards()

    async def close(self) -> None:
        """End the lens and its port-forwards."""
        task, self._task, self._lens = self._task, None, None
        if task is None:
            return
        self._leave.set()
        with contextlib.suppress(TimeoutError, CockpitError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await task
