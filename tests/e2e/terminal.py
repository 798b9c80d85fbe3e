"""A terminal on a pty: what a person at the other end of an SSH line sees and types."""

from __future__ import annotations

import fcntl
import os
import pty
import re
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
_ALTERNATE = re.compile(rb"(\x1b\[\?1049[hl])")
_SWITCH = re.compile(rb"\x1b\[\?1049([hl])")


class Terminal:
    """Runs a command on a pty and keeps its screen."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (160, 50)) -> None:
        columns, lines = size
        self.screen = self._normal = pyte.Screen(columns, lines)
        self._alternate = pyte.Screen(columns, lines)
        self._streams = {screen: pyte.ByteStream(screen) for screen in (self._normal, self._alternate)}
        self._rest = b""
        self.received = b""
        self.cooked = False
        self._ended = False
        self.pid, self._fd = pty.fork()
        window = struct.pack("HHHH", lines, columns, 0, 0)
        if self.pid == 0:
            # Before the program starts: a change that it is told of in its first moments can be missed.
            fcntl.ioctl(0, termios.TIOCSWINSZ, window)
            os.chdir(ROOT)
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, *arguments], environment)

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
            self._feed(chunk)

    def _feed(self, chunk: bytes) -> None:
        """Pyte has no alternate screen: a full-screen program would never leave it."""
        *whole, self._rest = _ALTERNATE.split(self._rest + chunk)
        for part in whole:
            switch = _SWITCH.fullmatch(part)
            if switch is None:
                self._streams[self.screen].feed(part)
            elif switch.group(1) == b"h":
                self.screen = self._alternate
                self.screen.reset()
            else:
                self.screen = self._normal
        start = self._rest.rfind(b"\x1b")
        cut = start if 0 <= len(self._rest) - start < 8 and start >= 0 else len(self._rest)
        self._streams[self.screen].feed(self._rest[:cut])
        self._rest = self._rest[cut:]

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
        if self._ended:
            return None
        self._ended = True
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            self.pump(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.cooked = bool(termios.tcgetattr(self._fd)[3] & termios.ICANON)
                os.close(self._fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)
        return None
