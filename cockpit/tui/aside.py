"""A program that has the terminal for itself while the screen stands aside; the run's alarms still get through."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import termios
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cockpit.model.text import clean
from cockpit.tui.alarms import alarms

if TYPE_CHECKING:
    from cockpit.tui.app import CockpitApp

LOOK_EVERY_S = 0.25
SHORT_S = 3.0
GRACE_S = 2.0
CLEAN_UP = (
    "\x0f\x1b(B\x1b[0m\x1b[?1l\x1b>\x1b[?7h\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[r"
)
"""Ends what a program that was cut off may have left on: character sets, keypad and mouse modes, a scroll region."""


class Ended(NamedTuple):
    """How it ended: the exit code, real seconds, and the alarms that were written onto its terminal."""

    code: int
    took_s: float
    alarms: tuple[str, ...]


async def run_aside(
    app: CockpitApp, title: str, argv: Sequence[str], environ: Mapping[str, str], directory: Path | None = None
) -> Ended:
    """Lend the terminal to a program until it ends.

    Raises textual.app.SuspendNotSupported without a terminal, and OSError when the program cannot be started.
    The event loop goes on: snapshots are taken, port-forwards work, and a new alarm rings and writes one line.
    """
    with app.suspend():
        task = asyncio.create_task(_lent(app, title, argv, environ, directory), name="aside")
        # Textual would not take the terminal back if the body raised (Textualize/textual#6692): ask for errors later.
        try:
            await asyncio.wait({task})
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
    return task.result()


async def _lent(
    app: CockpitApp, title: str, argv: Sequence[str], environ: Mapping[str, str], directory: Path | None
) -> Ended:
    terminal = Terminal()
    watch = asyncio.create_task(_ring(app, terminal), name="alarms")
    started = time.monotonic()
    try:
        with _no_interrupts():
            terminal.say(f"cockpit: {title}. Leave it to come back; alarms ring and are written here.")
            with terminal.kept():
                code = await _run(argv, environ, directory)
            took = time.monotonic() - started
            if code != 0 and took < SHORT_S:
                await terminal.enter(f"It ended with exit code {code}. Enter: back to the cockpit.")
    finally:
        watch.cancel()
        rung = await asyncio.gather(watch, return_exceptions=True)
        terminal.close()
    said = rung[0] if isinstance(rung[0], tuple) else ()
    return Ended(code, took, said)


async def _run(argv: Sequence[str], environ: Mapping[str, str], directory: Path | None) -> int:
    """In the screen's own process group, so that the terminal's keys and its end reach the program."""
    process = await asyncio.create_subprocess_exec(*argv, env=dict(environ), cwd=directory)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGHUP)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _ring(app: CockpitApp, terminal: Terminal) -> tuple[str, ...]:
    """Write each new alarm until it is cancelled; returns what was written."""
    known = set(alarms(app.main))
    said: list[str] = []
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = alarms(app.main)
            for text in (text for key, text in now.items() if key not in known):
                said.append(text)
                terminal.alarm(text)
            known = set(now)
    return tuple(said)


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl+C and Ctrl+\\ are the program's: a handler that does nothing is not inherited as an ignored signal is."""
    before = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Terminal:
    """The controlling terminal by a descriptor of its own that never blocks: a stalled line must not stop the loop."""

    def __init__(self) -> None:
        try:
            self._fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def say(self, text: str) -> None:
        """Write one line."""
        self._write(f"\r\n\x1b[0;7m {clean(text)} \x1b[0m\r\n")

    def alarm(self, text: str) -> None:
        """Ring, and write one line."""
        self._write(f"\a\r\n\x1b[0;1;7m cockpit ▲ {clean(text)} \x1b[0m\r\n")

    async def enter(self, text: str) -> None:
        """Wait for Enter."""
        self.say(text)
        async for typed in self._typed():
            if b"\n" in typed or b"\r" in typed or not typed:
                return

    async def _typed(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        if self._fd < 0:
            return
        loop.add_reader(self._fd, news.set)
        try:
            while True:
                await news.wait()
                news.clear()
                try:
                    yield os.read(self._fd, 1024)
                except BlockingIOError:
                    continue
                except OSError:
                    return
        finally:
            loop.remove_reader(self._fd)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Have the terminal afterwards as it was: a shell that is killed leaves it raw, and to a group that is gone."""
        try:
            before = termios.tcgetattr(self._fd) if self._fd >= 0 else None
        except termios.error:
            before = None
        try:
            yield
        finally:
            self._take_back()
            self._write(CLEAN_UP)
            if before is not None:
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(self._fd, termios.TCSANOW, before)

    def _take_back(self) -> None:
        """Be the terminal's foreground again; from the background that would stop this process."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            with contextlib.suppress(OSError):
                os.tcsetpgrp(self._fd, os.getpgrp())
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._fd, text.encode())
