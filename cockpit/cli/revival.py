"""Starts the engine of a run again after it died, and says what it left and what became of that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cockpit.cli.spawn import comes_up, says_the_last_word, start_engine
from cockpit.cli.status import read_state
from cockpit.cli.status_json import under_way
from cockpit.errors import JournalDamaged, JournalLocked
from cockpit.link.client import SocketConnection
from cockpit.link.feed import Recorded
from cockpit.link.paths import RunPaths
from cockpit.model.events import ActionAmbiguous, ActionFailed, ActionReoffered, ActionSkipped, ActionSucceeded, Event
from cockpit.model.run import RunState

SETTLED_WITHIN = 5.0
"""Real seconds to wait for what the new engine finds; then it is said that it still looks."""
_OUTCOMES: Mapping[type[Event], str] = {
    ActionSucceeded: "done",
    ActionFailed: "failed",
    ActionAmbiguous: "unknown, look at it",
    ActionReoffered: "read back, it goes on",
    ActionSkipped: "skipped",
}


@dataclass(frozen=True, slots=True)
class Left:
    """What a dead engine left: how many events, and the actions that were under way."""

    events: int
    open: tuple[str, ...]


def left_by(state: RunState) -> Left:
    """What the state at the end of a journal leaves open."""
    return Left(state.seq, under_way(state))


def take_up(paths: RunPaths) -> str:
    """Start the engine again; returns a line about what it found.

    Raises JournalError when the journal cannot be read and EngineUnreachable when the engine does not start.
    """
    if not paths.journal.exists():
        _refuse_begun(paths)
        start_engine(paths)
        return "The engine was started: there was no journal yet."
    try:
        state = asyncio.run(read_state(paths))
    except JournalLocked:
        if comes_up(paths):
            return "The engine had died; somebody else has just started it again."
        raise
    left = left_by(state)
    start_engine(paths)
    if state.closed:
        # It was killed between the last row and the last word.
        says_the_last_word(paths)
        return ""
    return said(left, asyncio.run(_outcomes(paths, left)) if left.open else {})


def _refuse_begun(paths: RunPaths) -> None:
    """A run that had begun is not begun once more because its record is gone."""
    if (paths.directory / "break-glass.txt").exists():
        raise JournalDamaged(
            f"The journal of {paths.run} is gone ({paths.journal}): what the run has done is not known here.",
            "Put it back from a backup, or go on from the copy in the cluster: cockpit takeover --from "
            "NAMESPACE/cockpit-NAME --reason TEXT.",
        )


def said(left: Left, outcomes: Mapping[str, str]) -> str:
    """A line for the person who comes back."""
    head = f"The engine had died; a new one took up the run: {left.events} events replayed"
    if not left.open:
        return f"{head}, no action was under way."
    fates = ", ".join(f"{action}: {outcomes.get(action, 'still being looked at')}" for action in left.open)
    return f"{head}, under way was {fates}."


def fates(events: Iterable[Event], actions: Iterable[str]) -> dict[str, str]:
    """What became of these actions, the latest word of each."""
    wanted = frozenset(actions)
    return {
        action: word
        for event in events
        if (word := _OUTCOMES.get(type(event), "")) and (action := getattr(event, "action", "")) in wanted
    }


async def _outcomes(paths: RunPaths, left: Left) -> dict[str, str]:
    connection = SocketConnection(paths.sockets().watch, since=left.events, observer=True)
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(SETTLED_WITHIN):
            async for update in connection.updates():
                if isinstance(update, Recorded):
                    found |= fates(update.rows, left.open)
                if found.keys() >= set(left.open):
                    break
    except TimeoutError:
        return found
    finally:
        await connection.close()
    return found
