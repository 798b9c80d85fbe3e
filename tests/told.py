"""What a run's journal tells, for the words of a failure."""

from __future__ import annotations

from cockpit.journal.store import Journal
from cockpit.link.paths import RunPaths
from cockpit.model.describe import describe

LAST = 12


async def told(paths: RunPaths) -> str:
    """The last rows in words; its engine must be dead."""
    journal = await Journal.open(paths.journal, writer=False)
    try:
        return "\n".join(f"{event.seq} {describe(event)}" for event in (await journal.replay())[-LAST:])
    finally:
        await journal.close()
