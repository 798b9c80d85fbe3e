"""Starts a program, follows it, and ends it with all its children."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from cockpit.adapters.programs.descendants import descendants
from cockpit.adapters.programs.output import CHUNK, Output
from cockpit.adapters.programs.trust import find, inspect
from cockpit.errors import BadAnswer, Conflict, DeadlineExceeded
from cockpit.model.outside import Emit, Program, ProgramResult
from cockpit.model.text import clean

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "KUBECONFIG", "TMPDIR", "USER")
GRACE_S = 2.0
"""Seconds between SIGTERM and SIGKILL."""

DRAIN_S = 1.0
"""How long output is waited for when the program has ended and a child of it still holds the pipe."""

_LOOK_EVERY_S = 0.05
T = TypeVar("T")


class Programs:
    """Runs programs in `directory`, where relative paths of argv are looked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def inspect(self, argv: Sequence[str]) -> str:
        """The SHA-256 of the program; raises NotFound, and Denied when others than its owner could change it."""
        return inspect(find(argv[0], self._directory)).sha256

    def left_behind(self, environ: Mapping[str, str]) -> tuple[int, ...]:
        """The processes of a program with these variables that still run, as after the engine was killed."""
        return tuple(descendants(environ))

    async def end_left_behind(self, environ: Mapping[str, str]) -> tuple[int, ...]:
        """End them: SIGTERM, and SIGKILL after the grace time; returns which they were."""
        found = left = await asyncio.to_thread(self.left_behind, environ)
        _kill(signal.SIGTERM, left)
        for _ in range(round(GRACE_S / _LOOK_EVERY_S)):
            if not left:
                break
            await asyncio.sleep(_LOOK_EVERY_S)
            left = await asyncio.to_thread(self.left_behind, environ)
        _kill(signal.SIGKILL, left)
        return found

    async def run(self, program: Program, emit: Emit) -> ProgramResult:
        """Run it and emit its output, also when it does not end well.

        Raises Conflict when the file is no longer the one that was inspected (nothing, or at most its first moment,
        was run), and DeadlineExceeded when it had to be killed.
        """
        name = clean(program.argv[0])
        inspected = await asyncio.to_thread(inspect, find(program.argv[0], self._directory))
        if inspected.sha256 != program.sha256:
            raise _changed(name, "after it was journaled; it was not started")
        output = Output(program.mask, emit)
        (process, transport), cancelled = await _whole(self._start(str(inspected.called), program))
        try:
            if cancelled:
                raise asyncio.CancelledError
            if not inspected.unchanged():
                raise _changed(name, "while it was being started; it was killed")
            async with asyncio.timeout(program.deadline):
                await _follow(process, output)
        except TimeoutError as error:
            message = f"{name} did not end within {program.deadline:.0f} s and was killed"
            raise DeadlineExceeded(message, "Look at what it has done before you go on.") from error
        finally:
            ended = process.returncode
            try:
                await _end(process, program.environ, thorough=ended is None)
            finally:
                # A stray child may hold the pipes for ever.
                transport.close()
            tail = await output.finish()
        return ProgramResult(-1 if ended is None else ended, tail)

    async def _start(
        self, path: str, program: Program
    ) -> tuple[asyncio.subprocess.Process, asyncio.SubprocessTransport]:
        """As `asyncio.create_subprocess_exec` does it, which keeps the transport to itself."""
        loop = asyncio.get_running_loop()
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        try:
            transport, protocol = await loop.subprocess_exec(
                lambda: asyncio.subprocess.SubprocessStreamProtocol(limit=CHUNK, loop=loop),
                path,
                *program.argv[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**passed, **program.environ},
                cwd=self._directory,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "an argument or variable holds a NUL byte"
            message = f"{clean(program.argv[0])} cannot be started: {why}"
            raise BadAnswer(message, "Run it by hand once.") from None
        return asyncio.subprocess.Process(transport, protocol, loop), transport


async def _whole(starting: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """Its result, and whether it was cancelled meanwhile: asyncio leaves half a process behind when a start is."""
    task, cancelled = asyncio.create_task(starting, name="start"), False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    return task.result(), cancelled


async def _follow(process: asyncio.subprocess.Process, output: Output) -> None:
    """Read until the program has ended and its output is read."""
    assert process.stdout is not None
    assert process.stderr is not None
    readers = [
        asyncio.create_task(output.follow("out", process.stdout), name="stdout"),
        asyncio.create_task(output.follow("err", process.stderr), name="stderr"),
    ]
    beat = asyncio.create_task(output.beat(), name="output")
    try:
        # asyncio's own wait() waits for the pipes as well, which a child in the background may hold for ever.
        while process.returncode is None:
            await asyncio.wait(readers, timeout=_LOOK_EVERY_S, return_when=asyncio.ALL_COMPLETED)
            if all(reader.done() for reader in readers):
                await process.wait()
        await asyncio.wait(readers, timeout=DRAIN_S)
    finally:
        for task in (*readers, beat):
            task.cancel()
        await asyncio.gather(*readers, beat, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process, environ: Mapping[str, str], *, thorough: bool) -> None:
    """End the whole process group; `thorough` also those who left it. SIGKILL comes even if this is cancelled."""
    strays: list[int] = []
    try:
        if process.returncode is None:
            strays = await asyncio.to_thread(descendants, environ) if thorough else []
            _signal(signal.SIGTERM, process.pid, strays)
            await _grace(process)
    finally:
        _signal(signal.SIGKILL, process.pid, {*strays, *(descendants(environ) if thorough else ())})
    await _grace(process)


async def _grace(process: asyncio.subprocess.Process) -> None:
    """Let it end by itself, for at most the grace time."""
    for _ in range(round(GRACE_S / _LOOK_EVERY_S)):
        if process.returncode is not None:
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def _signal(number: signal.Signals, group: int, others: Iterable[int]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
    _kill(number, others)


def _kill(number: signal.Signals, processes: Iterable[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _changed(name: str, when: str) -> Conflict:
    return Conflict(f"{name} was changed {when}", "Find out who changed it and why, then try again.")
