"""Checking and copying journals, those of living runs too, without a touch of the original.

An engine keeps its file locked for itself, so the file and its write-ahead log are copied as they lie and the copy is
opened. A copy that was made while the engine moved its log into the file is made again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import JournalDamaged, JournalError
from cockpit.journal.spill import spill_place
from cockpit.journal.store import Journal
from cockpit.link.paths import RunPaths

TRIES = 5


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check found: how many rows fit, or the first that does not.

    `waiting` of the rows are in the spill alone: the journal's disk has not taken them.
    """

    run: str
    rows: int
    problem: str = ""
    waiting: int = 0

    @property
    def ok(self) -> bool:
        """Whether every row fits the one before it."""
        return not self.problem

    def line(self, width: int) -> str:
        """The finding for a person."""
        found = f"ok, {self.rows} rows{self.aside}" if self.ok else self.problem
        return f"{self.run:<{width}}  {found}"

    @property
    def aside(self) -> str:
        """Words for the rows that wait, empty when there are none."""
        return f" ({self.waiting} of them from the spill: the journal's disk took no more)" if self.waiting else ""


async def verify(paths: RunPaths) -> Verified:
    """Check the hash chain and the format of a run's journal."""
    problem = ""
    for _ in range(TRIES):
        before = _stamp(paths.journal)
        try:
            async with _copied(paths) as journal:
                return Verified(paths.run, len(await journal.replay()), waiting=journal.waiting)
        except JournalError as error:
            problem = str(error)
        if _stamp(paths.journal) == before:
            break
    return Verified(paths.run, 0, problem)


async def back_up(paths: RunPaths, target: Path) -> Verified:
    """Write a checked, compact copy of a run's journal to `target`, rows in the spill included; raises JournalError."""
    for tries_left in reversed(range(TRIES)):
        try:
            async with _copied(paths) as journal:
                found = Verified(paths.run, len(await journal.replay()), waiting=journal.waiting)
                await journal.back_up(target)
                return found
        except JournalDamaged:
            if not tries_left or paths.engine_pid is None:
                raise
    raise AssertionError("the last try returns or raises")


@asynccontextmanager
async def _copied(paths: RunPaths) -> AsyncIterator[Journal]:
    with tempfile.TemporaryDirectory(prefix="cockpit-") as name:
        copy = Path(name) / paths.run / paths.journal.name
        copy.parent.mkdir(mode=0o700)
        for suffix in ("", "-wal"):
            part = paths.journal.with_name(paths.journal.name + suffix)
            try:
                shutil.copyfile(part, copy.with_name(copy.name + suffix))
            except FileNotFoundError as error:
                if not suffix:
                    raise JournalError(f"{part} does not exist", "Is this a run's directory?") from error
            except OSError as error:
                raise JournalError(f"{part} cannot be copied: {error.strerror}", "Look at the free space.") from error
        journal = await Journal.open(copy, writer=False, spill=spill_place(paths.journal, os.environ))
        try:
            yield journal
        finally:
            await journal.close()


def _stamp(journal: Path) -> tuple[int, int]:
    """What changes when somebody writes the file itself."""
    try:
        found = journal.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
