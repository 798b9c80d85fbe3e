"""A terminal on a pty: what a person at the other end of an SSH line sees and types."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """Runs a command on a pty and keeps its screen."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (160, 50)) -> None:
        columns, lines = size
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.received = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, *arguments], environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def banner(self) -> str:
        """What comes next, as the screen says it at the top."""
        return "\n".join(self.text.split("\n")[:6])

    def pump(self, seconds: float) -> None:
        """Read what comes for at most so long."""
        if select.select([self._fd], [], [], seconds)[0]:
            try:
                chunk = os.read(self._fd, 65536)
            except OSError:
                return
            self.received += chunk
            self._stream.feed(chunk)

    def until(self, *words: str, seconds: float = 60) -> None:
        """Read until the screen shows all the words."""
        self.until_true(lambda: all(word in self.text for word in words), f"shows {words}", seconds)

    def until_true(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Read until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"never: {what}\n{self.text}")
            self.pump(0.05)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def answer(self, keys: str, *words: str, seconds: float = 60) -> None:
        """Type, and wait for what the screen says to it."""
        self.press(keys)
        self.until(*words, seconds=seconds)

    def end(self) -> int | None:
        """The exit status when the program has ended by itself, else None and it is killed."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            self.pump(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self._fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)
        return None
