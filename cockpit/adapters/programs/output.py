"""What a program prints: lines, masked and cleaned, the first ones and the last ones of however many there are."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from itertools import groupby
from typing import Literal

from cockpit.model.masking import Mask
from cockpit.model.outside import Emit, Printed
from cockpit.model.text import clean

Name = Literal["out", "err"]

HEAD_LINES = 200
HEAD_BYTES = 32 * 1024
"""Both streams together, as they come; after that only the end of each is kept."""

TAIL_LINES = 50
LINE = 500
"""Characters of a line that are kept."""

FLUSH_S = 0.5
BATCH = 50
CHUNK = 64 * 1024
_TAIL_BYTES = 16 * 1024
_COLOURS = re.compile(r"\x1b\[[0-9;]*[mK]")


class Output:
    """Both streams of one program. Reading never waits for `emit`: a slow journal does not stop the program."""

    def __init__(self, mask: Mask, emit: Emit) -> None:
        self._emit = emit
        self._pending: list[tuple[Name, str]] = []
        self._streams: dict[Name, Stream] = {"out": Stream(mask), "err": Stream(mask)}
        self._left = [HEAD_LINES, HEAD_BYTES]

    async def follow(self, name: Name, reader: asyncio.StreamReader) -> None:
        """Take a stream to its end."""
        while data := await reader.read(CHUNK):
            self.feed(name, data)

    def feed(self, name: Name, data: bytes) -> None:
        """Take what was printed; after the head it is only counted, which costs next to nothing."""
        stream = self._streams[name]
        while data and min(self._left) > 0:
            line, data = stream.next_line(data)
            if line is not None:
                self._keep(name, line)
        if data:
            stream.skip(data)

    def _keep(self, name: Name, line: str) -> None:
        self._pending.append((name, line))
        self._left[0] -= 1
        self._left[1] -= len(line)

    async def beat(self) -> None:
        """Emit what has come, again and again."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._flush()

    async def finish(self) -> tuple[str, ...]:
        """Emit the rest; returns the last lines of stderr, or of stdout when stderr was silent."""
        for name, stream in self._streams.items():
            if not stream.skipped and (line := stream.last_line()) is not None:
                self._keep(name, line)
        await self._flush()
        for name, stream in self._streams.items():
            if stream.skipped:
                left_out, lines = stream.tail()
                await self._emit(Printed(name, lines, left_out))
        return next((tuple(self._streams[name].latest) for name in ("err", "out") if self._streams[name].latest), ())

    async def _flush(self) -> None:
        pending, self._pending = self._pending, []
        for name, group in groupby(pending, key=lambda item: item[0]):
            lines = [line for _, line in group]
            for start in range(0, len(lines), BATCH):
                await self._emit(Printed(name, tuple(lines[start : start + BATCH])))


class Stream:
    """One stream: cut into lines while the head has room, afterwards a count and a tail. Memory is bounded."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._most = 4 * LINE + mask.longest
        self._tail_most = _TAIL_BYTES + mask.longest
        self._rest = bytearray()
        self._cut = False
        self._tail = bytearray()
        self._trimmed = False
        self._newlines = 0
        self.latest: deque[str] = deque(maxlen=3)

    @property
    def skipped(self) -> bool:
        """Whether the head was full before the stream ended."""
        return bool(self._tail)

    def next_line(self, data: bytes) -> tuple[str | None, bytes]:
        """The next whole line, or None when its end has not come yet, and what follows it."""
        part, newline, data = data.partition(b"\n")
        room = self._most - len(self._rest)
        self._rest += part[:room]
        self._cut = self._cut or len(part) > room
        return (self._take(), data) if newline else (None, b"")

    def last_line(self) -> str | None:
        """What came after the last line end."""
        return self._take() if self._rest else None

    def skip(self, data: bytes) -> None:
        """Count the lines, keep the end."""
        self._newlines += data.count(b"\n")
        joined = self._tail + self._rest + data
        self._rest.clear()
        self._trimmed = self._trimmed or len(joined) > self._tail_most
        self._tail = joined[-self._tail_most :]

    def tail(self) -> tuple[int, tuple[str, ...]]:
        """How many lines are left out before the last ones, and those; a line whose beginning is gone is left out."""
        *lines, unfinished = bytes(self._tail).split(b"\n")
        total = self._newlines + bool(unfinished)
        lines += [unfinished] if unfinished else []
        kept = lines[1:] if self._trimmed else lines
        shown = tuple(self._words(line) for line in kept[-TAIL_LINES:])
        return total - len(shown), shown

    def _take(self) -> str:
        line = self._words(self._rest, self._cut)
        self._rest.clear()
        self._cut = False
        return line

    def _words(self, line: bytes | bytearray, cut: bool = False) -> str:
        text = self._mask(_COLOURS.sub("", line.decode("utf-8", "replace"))).rstrip("\r")
        if cut and self._mask.longest:
            # The end may be the beginning of a secret, which is not masked.
            text = text[: -self._mask.longest] + "…"
        # What a terminal would show of a progress bar is what follows its last carriage return.
        words = clean(text.rpartition("\r")[2].replace("\t", "    "), LINE)
        if words.strip():
            self.latest.append(words)
        return words
