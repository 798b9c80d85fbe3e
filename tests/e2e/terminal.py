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

    def end(self, seconds: float = 10) -> int | None:
        """The exit status when the program has ended by itself in time, else None and it is killed."""
        if self._ended:
            return None
        self._ended = True
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.pump(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.cooked = bool(termios.tcgetattr(self._fd)[3] & termios.ICANON)
                self._drain()
                self._close()
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._close()
        return None

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self.end(0)

    def signalled(self, number: int) -> int | None:
        """The exit status after a signal."""
        os.kill(self.pid, number)
        return self.end()

    def signalled_unread(self, number: int, seconds: float = 15) -> int:
        """The exit status after a signal to a program whose terminal is read only when it has ended."""
        os.kill(self.pid, number)
        deadline = time.monotonic() + seconds
        while not os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            assert time.monotonic() < deadline, "it goes on"
            time.sleep(0.02)
        return self.end() or 0

    def hang_up(self, seconds: float = 15) -> int:
        """Close the terminal under the program; returns its exit status, raises AssertionError if it goes on."""
        self._ended = True
        self._close()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("it goes on without its terminal")

    @property
    def unread(self) -> int:
        """Bytes that the terminal has been sent and nobody has read."""
        return int(struct.unpack("i", fcntl.ioctl(self._fd, termios.FIONREAD, b"\0" * 4))[0])

    @property
    def cpu(self) -> int:
        """Clock ticks that the program's first thread, its event loop, has worked: a blocked one does not."""
        fields = Path(f"/proc/{self.pid}/task/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    @property
    def restored(self) -> bool:
        """Whether the last words to the terminal leave it as a shell needs it."""

        def last(on: bytes, off: bytes) -> bool:
            return self.received.rfind(off) > self.received.rfind(on)

        modes = (1000, 1002, 1003, 1004, 1006, 2004)
        return (
            b"\x1b[?1049h" in self.received
            and last(b"\x1b[?1049h", b"\x1b[?1049l")
            and last(b"\x1b[?25l", b"\x1b[?25h")
            and all(
                last(b"\x1b[?%dh" % mode, b"\x1b[?%dl" % mode) for mode in modes if b"\x1b[?%dh" % mode in self.received
            )
        )

    def _drain(self) -> None:
        """Read what a program that has ended left."""
        before = -1
        while before < len(self.received):
            before = len(self.received)
            self.pump(0.1)

    def _close(self) -> None:
        os.close(self._fd)
