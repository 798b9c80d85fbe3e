"""A program on a pty of 160×50: how much it sends, and when it has painted something."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

SIZE = (50, 160)
Shown = Callable[[bytes], bool]


class Tty:
    """Use inside a running event loop. `sent` is the number of bytes so far."""

    def __init__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.sent = 0
        self._seen = bytearray()
        self._waiting: list[tuple[Shown, asyncio.Future[float]]] = []
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, **(environ or {}), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, *arguments], environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    async def painted(self, word: bytes, seconds: float = 60.0) -> float:
        """When the word came, by `time.monotonic`; what was sent before this call does not count."""
        return await self.shown(lambda seen: word in seen, repr(word), seconds)

    async def shown(self, holds: Shown, what: str, seconds: float = 60.0) -> float:
        """When the bytes since this call first were as asked."""
        self._seen.clear()
        found: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((holds, found))
        try:
            async with asyncio.timeout(seconds):
                return await found
        except TimeoutError:
            raise AssertionError(f"never painted {what}: …{bytes(self._seen[-3000:])!r}") from None

    @property
    def seen(self) -> bytes:
        """What came since the last wait began."""
        return bytes(self._seen)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._fd, keys)

    def close(self) -> None:
        """End the program and the terminal."""
        asyncio.get_running_loop().remove_reader(self._fd)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def _read(self) -> None:
        try:
            chunk = os.read(self._fd, 65_536)
        except OSError:
            asyncio.get_running_loop().remove_reader(self._fd)
            return
        now = time.monotonic()
        self.sent += len(chunk)
        self._seen += chunk
        del self._seen[:-400_000]
        for waiting in list(self._waiting):
            holds, found = waiting
            if found.done():
                self._waiting.remove(waiting)
            elif holds(bytes(self._seen)):
                found.set_result(now)
                self._waiting.remove(waiting)
