"""Keeps a copy of the run in the cluster, so that another bastion can take over when this one is gone."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from cockpit.engine.core import Core
from cockpit.errors import Denied, NotFound, OutsideError
from cockpit.journal.copying import LEAST, Packing
from cockpit.model.describe import describe
from cockpit.model.events import Event, Noted
from cockpit.model.mirror import LARGEST, About, Copy
from cockpit.runbook.load import LoadedRunbook

EVERY_S = 2.0
"""Real seconds between two writes, at least, of what does not press."""
SOON_S = 0.25
"""Real seconds after which what presses is written."""
AGAIN_S = 30.0
"""Real seconds until a write without the right to it is tried again."""
LAST_S = 4.0
_SHARE = 10
"""Packing may take one part in so many of the engine's time."""


class Mirroring:
    """One run's mirror. A run never waits for it, and goes on without it."""

    def __init__(self, core: Core, holder: str, runbook: LoadedRunbook) -> None:
        """`holder` is how this engine signs."""
        self._core = core
        self._holder = holder
        self._runbook = runbook
        self._packing = Packing.empty()
        self._mirrored = 0
        self._told = False
        self._too_large = False
        self._keeping = asyncio.Lock()
        self._urgent: set[asyncio.Task[float]] = set()

    async def run(self) -> None:
        """Write the copy after every change that matters, for ever."""
        version = -1
        while True:
            version = await self._core.changed(version)
            started = time.monotonic()
            self._core.pressing.clear()
            pause = await self._keep()
            await self._rest(max(EVERY_S, pause, _SHARE * (time.monotonic() - started)))

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until something presses: then a moment, in which its own effect goes first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._core.pressing.wait()
                await asyncio.sleep(SOON_S)

    async def hand_over(self, seconds: float) -> None:
        """Write the copy now, and wait for that at most so long: what is not in it another bastion would do again."""
        writing = asyncio.create_task(self._keep(), name="hand over")
        self._urgent.add(writing)
        writing.add_done_callback(self._urgent.discard)
        done, _ = await asyncio.wait((writing,), timeout=seconds)
        for task in done:
            task.result()

    async def finish(self) -> None:
        """Write the run's last word."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_S):
                await self._keep()

    def _due(self) -> bool:
        """Only who has claimed the guarded objects, and still commands them, has something to hand over."""
        state = self._core.state
        ours = bool(state.guarded) and state.fenced is None and not state.taken_from
        return self._core.setting.outside.mirror is not None and ours and state.seq > self._packing.last

    async def _keep(self) -> float:
        """Write the copy when something that matters is new; returns the seconds to wait at least."""
        async with self._keeping:
            return await self._keep_what_is_new() if self._due() else 0.0

    async def _keep_what_is_new(self) -> float:
        rows = await self._core.store.read(self._packing.last, self._core.state.seq)
        self._packing.add(rows)
        if all(row.type in LEAST for row in rows) and self._mirrored:
            return 0.0
        return await self._write(rows[-1])

    async def _write(self, last: Event) -> float:
        core, mirror = self._core, self._core.setting.outside.mirror
        epoch, text = core.state.epoch, self._runbook.text.encode()
        if mirror is None or self._too_large:
            return AGAIN_S
        packed = await asyncio.to_thread(self._packing.pack, LARGEST - len(text))
        try:
            # Without room for it all there is no copy: from an older one somebody would do again what was done since.
            await mirror.write(Copy(self._about(last), text, packed or b""), epoch, self._holder)
        except (Denied, NotFound) as error:
            await self._failed(str(error), once=True)
            return AGAIN_S
        except OutsideError as error:
            await self._failed(str(error), once=False)
            return EVERY_S
        if packed is None:
            self._too_large = True
            await self._failed("the journal has become too large for a ConfigMap", once=True)
            return AGAIN_S
        self._mirrored = self._packing.last
        core.seen.mirrored_at, core.seen.mirror_problem = core.now(), ""
        return 0.0

    def _about(self, last: Event) -> About:
        core, state = self._core, self._core.state
        return About(
            run=core.setting.run,
            title=core.setting.book.metadata.title,
            commander=state.commander,
            status=state.status.value,
            closed=state.closed,
            at=core.now(),
            last=describe(last),
            sha256=self._runbook.sha256,
            variables=dict(self._runbook.variables),
            automatic=state.automatic,
            rows=self._packing.last,
            dropped=self._packing.dropped,
        )

    async def _failed(self, problem: str, *, once: bool) -> None:
        """Mark the run; what lasts is said in the journal, once. The next copy is due with the next row of any kind."""
        core = self._core
        self._mirrored = 0
        core.seen.mirror_problem = problem
        if once and not self._told:
            self._told = True
            text = f"No other bastion can take this run over: it is not mirrored to the cluster. {problem}"
            await core.record(Noted(at=core.now(), actor="engine", text=text, level="warning"))
        await core.touch()
