"""Programs whose output is read while they run: argv without a shell, killed with all their children."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cockpit.model.text import clean

GRACE_S = 2.0
CHUNK = 65_536
LONGEST_LINE = 16_000
AHEAD = 4
"""Chunks that are read ahead of who shows them; then the pipe fills and the program waits."""


class Piece(NamedTuple):
    """One cleaned line of output; `error` says that it came on standard error."""

    text: str
    error: bool


class RunningCommand:
    """One program in a process group of its own, without standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._pieces: asyncio.Queue[list[Piece] | None] = asyncio.Queue(AHEAD)

    @classmethod
    async def start(
        cls, argv: Sequence[str], environ: Mapping[str, str], directory: Path | None = None
    ) -> RunningCommand:
        """Start it; raises OSError when it cannot be started."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environ),
            cwd=directory,
            start_new_session=True,
        )
        return cls(process)

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    async def output(self) -> AsyncIterator[list[Piece]]:
        """Batches of lines as they come, until the program and its children have closed their output."""
        readers = [
            asyncio.create_task(self._read(stream, error=error))
            for stream, error in ((self._process.stdout, False), (self._process.stderr, True))
            if stream is not None
        ]
        over = asyncio.create_task(self._say_end(readers))
        try:
            while (pieces := await self._pieces.get()) is not None:
                yield pieces
        finally:
            for task in (*readers, over):
                task.cancel()
            await asyncio.gather(*readers, over, return_exceptions=True)

    async def _say_end(self, readers: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.gather(*readers)
        await self._process.wait()
        await self._pieces.put(None)

    async def _read(self, stream: asyncio.StreamReader, *, error: bool) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        rest = ""
        while chunk := await stream.read(CHUNK):
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], ""
            if lines:
                await self._pieces.put([Piece(cleaned(line), error) for line in lines])
        rest += decoder.decode(b"", True)
        if rest:
            await self._pieces.put([Piece(cleaned(rest), error)])

    async def kill(self) -> None:
        """End it with its whole process group: asked first, then killed."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await self._process.wait()
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def cleaned(line: str) -> str:
    """A line as a terminal would leave it: what a carriage return writes over is gone, tabs are blanks."""
    last = line.rstrip("\r").rsplit("\r", 1)[-1]
    return clean(last.expandtabs(8), LONGEST_LINE)
