"""The end of the terminal or of the session: leave with the terminal as it was, even when the screen is stuck."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType

PATIENCE_S = 3.0
JOIN_S = 0.1
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
MODES = (1000, 1002, 1003, 1015, 1006, 1016, 1004, 2004, 2048)
"""What a screen may switch on: mouse, focus, bracketed paste, sizes in band."""
LEAVE_SCREEN = b"\x18\x1b[<u" + b"".join(b"\x1b[?%dl" % mode for mode in MODES) + b"\x1b[?1049l\x1b[?25h\x1b[0m"
"""CAN ends a sequence that was cut off; `CSI < u` gives the keyboard back (kitty's protocol)."""


Attributes = list[int | list[bytes | int]]


class Exits:
    """Turns SIGTERM and SIGHUP into an orderly end.

    Textual writes through a short queue: when the terminal takes no more bytes the event loop stands still and no
    asyncio signal handler runs. A Python signal handler does, and its thread ends the process when the loop cannot.
    """

    def __init__(self, leave: Callable[[int], object], terminal: Attributes | None) -> None:
        """`terminal` is what `terminal_attributes` gave before the screen took the terminal."""
        self._leave = leave
        self._loop = asyncio.get_running_loop()
        self._terminal = terminal
        self._before = {each: signal.signal(each, self._handle) for each in SIGNALS}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._leave, 128 + number)
        timer = threading.Timer(PATIENCE_S, self._force, (128 + number,))
        timer.daemon = True
        timer.start()

    def _force(self, code: int) -> None:
        fd = sys.__stdin__.fileno() if sys.__stdin__ else 0
        with contextlib.suppress(OSError, termios.error):
            os.set_blocking(fd, False)
            _interrupt_writers()
            # A terminal that is not read has no room for these last words.
            termios.tcflush(fd, termios.TCOFLUSH)
            os.write(fd, LEAVE_SCREEN)
            # The shell has the same open file.
            os.set_blocking(fd, True)
        if self._terminal is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(fd, termios.TCSANOW, self._terminal)
        os._exit(code)

    def restore(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _interrupt_writers() -> None:
    """Let a thread that is blocked in a write to the terminal fail, so that nothing comes after the last words.

    The signal ends the system call, and the same call made again (PEP 475) finds that the terminal does not wait.
    """
    threading.excepthook = lambda _: None
    others = [
        each for each in threading.enumerate() if each not in (threading.current_thread(), threading.main_thread())
    ]
    for thread in others:
        if thread.ident is not None:
            signal.pthread_kill(thread.ident, SIGNALS[0])
    for thread in others:
        thread.join(JOIN_S)


def terminal_attributes() -> Attributes | None:
    """How the terminal is set, None where there is none."""
    try:
        return termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None
    except (termios.error, ValueError, OSError):
        return None
