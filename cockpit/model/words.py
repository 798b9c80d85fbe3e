"""Small words that every front end uses; nothing heavy is loaded for them."""

from __future__ import annotations

from enum import StrEnum


class Importance(StrEnum):
    """How a line should be seen: `info` is the background, `bad` must not be missed."""

    INFO = "info"
    GOOD = "good"
    NOTICE = "notice"
    WARNING = "warning"
    BAD = "bad"


def duration(seconds: float) -> str:
    """A length of time as m:ss, or h:mm:ss from an hour on; never negative."""
    total = max(0, int(seconds))
    minutes, rest = divmod(total, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def words(status: str) -> str:
    """A status as a person says it."""
    return status.replace("_", " ")
