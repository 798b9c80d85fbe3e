"""A log's bytes as lines of text, and the place to go on from after a broken connection.

Source: the kubelet's container logs with `timestamps=true`: every line begins with an RFC 3339 time with up to nine
digits of a second, then a space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from cockpit.model.text import clean

LINE = 4096
"""Characters of a line that are kept."""

_KEPT_BYTES = 4 * LINE + 64
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)\Z")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_SECOND = 1_000_000_000


class Splitter:
    """Cuts bytes into lines; a line without an end waits for the rest of it, in bounded memory."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes; what is longer than a line may be is cut."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[:_KEPT_BYTES]
        return [line[:_KEPT_BYTES] for line in lines]

    def take_rest(self) -> bytes:
        """The line without an end, which is forgotten."""
        rest, self._rest = self._rest, b""
        return rest


class Cursor:
    """Knows which lines were shown, so that none is shown twice when a log is asked for again.

    The API goes on from a whole second (`sinceTime`), so lines of that second come again. They are told apart by their
    time and, where several have the same, by their number; lines of one log come in the order of time.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._same = 0
        self._again = 0
        self._resuming = False

    @property
    def since(self) -> str:
        """The `sinceTime` to go on from, empty before the first line."""
        if self._last is None:
            return ""
        return datetime.fromtimestamp(self._last // _SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def resume(self) -> None:
        """The log comes again from `since`."""
        self._resuming, self._again = self._last is not None, self._same

    def takes(self, at: int) -> bool:
        """Whether a line of that time, in nanoseconds since the epoch, is new."""
        last = self._last
        if self._resuming and last is not None:
            if at < last:
                return False
            if at == last and self._again:
                self._again -= 1
                return False
            self._resuming = False
        if last is None or at > last:
            self._last, self._same = at, 1
        elif at == last:
            self._same += 1
        return True


def shown(lines: Iterable[bytes], cursor: Cursor, timestamps: bool) -> tuple[str, ...]:
    """The new ones among lines with times, cleaned; a line without a time is the kubelet's own and always new."""
    found = []
    for line in lines:
        stamp, _, text = line.partition(b" ")
        at = nanoseconds(stamp)
        if at is None or cursor.takes(at):
            found.append(readable(line if timestamps or at is None else text))
    return tuple(found)


def readable(line: bytes) -> str:
    """One line for a terminal: colours are dropped, all other control characters made visible."""
    text = line.decode("utf-8", "replace").rstrip("\r").replace("\t", "    ")
    return clean(_COLOUR.sub("", text) if "\x1b" in text else text, LINE)


def nanoseconds(stamp: bytes) -> int | None:
    """An RFC 3339 time in nanoseconds since the epoch, or None."""
    match = _STAMP.match(stamp)
    if match is None:
        return None
    whole = _seconds(match[1] + match[3])
    return None if whole is None else whole * _SECOND + int((match[2] or b"0").ljust(9, b"0"))


@lru_cache(maxsize=64)
def _seconds(stamp: bytes) -> int | None:
    try:
        return int(datetime.fromisoformat(stamp.decode()).timestamp())
    except ValueError:
        return None
