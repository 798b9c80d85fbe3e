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
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
LEAVE_SCREEN = b"\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h"


class Exits:
    """Turns SIGTERM and SIGHUP into an orderly end.

    Textual writes through a short queue: when the terminal takes no more bytes the event loop stands still and no
    asyncio signal handler runs. A Python signal handler does, and its thread ends the process when the loop cannot.
    """

    def __init__(self, leave: Callable[[int], object]) -> None:
        self._leave = leave
        self._loop = asyncio.get_running_loop()
        self._terminal = _terminal_attributes()
        self._before = {each: signal.signal(each, self._handle) for each in SIGNALS}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._leave, 128 + number)
        timer = threading.Timer(PATIENCE_S, self._force, (128 + number,))
        timer.daemon = True
        timer.start()

    def _force(self, code: int) -> None:
        fd = sys.__stdin__.fileno() if sys.__stdin__ else 0
        with contextlib.suppress(OSError):
            os.set_blocking(fd, False)
            os.write(fd, LEAVE_SCREEN)
        if self._terminal is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(fd, termios.TCSANOW, self._terminal)
        os._exit(code)

    def restore(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _terminal_attributes() -> list[int | list[bytes | int]] | None:
    try:
        return termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None
    except (termios.error, ValueError, OSError):
        return None
