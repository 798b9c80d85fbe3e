"""Named places at which a test may have the process killed, as a power cut would."""

from __future__ import annotations

import os
import signal
from collections import Counter

VARIABLE = "COCKPIT_CRASH_AT"
"""`NAME` kills the process the first time it passes that point, `NAME#3` the third time."""

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Die here by SIGKILL if `COCKPIT_CRASH_AT` names this point; otherwise do nothing."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    _passed[name] += 1
    point, _, count = wanted.partition("#")
    if point == name and _passed[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
