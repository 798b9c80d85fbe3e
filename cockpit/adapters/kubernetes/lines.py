"""The lines of an answer that does not end."""

from __future__ import annotations

import aiohttp

from cockpit.errors import BadAnswer, Unreachable
from cockpit.model.text import clean


class LineBroken(Unreachable):
    """The connection broke while nothing was half told."""


class Lines:
    """Splits a stream into lines of at most `limit` bytes. A cancelled `more` loses nothing."""

    def __init__(self, stream: aiohttp.StreamReader, limit: int, what: str) -> None:
        """`what` is watched, in words for people."""
        self._stream = stream
        self._limit = limit
        self.what = what
        self._rest = bytearray()

    async def more(self) -> list[bytes] | None:
        """The next whole lines, maybe none; None at the end.

        Raises BadAnswer for a line that is too long or cut, and LineBroken when the connection breaks between lines.
        """
        try:
            chunk = await self._stream.readany()
        except (aiohttp.ClientError, OSError) as error:
            if self._rest.strip():
                raise self._cut() from error
            words = clean(str(error) or type(error).__name__, 200)
            raise LineBroken(f"The connection broke during the watch of {self.what}: {words}") from error
        if not chunk:
            if self._rest.strip():
                raise self._cut()
            return None
        return self._split(chunk)

    def _split(self, chunk: bytes) -> list[bytes]:
        if b"\n" not in chunk:
            self._rest += chunk
            whole = []
        else:
            *whole, rest = bytes(self._rest + chunk).split(b"\n")
            self._rest = bytearray(rest)
        if len(self._rest) > self._limit:
            raise BadAnswer(f"The watch of {self.what} sent a line of more than {self._limit} bytes.")
        return [line for line in whole if line]

    def _cut(self) -> BadAnswer:
        return BadAnswer(f"The watch of {self.what} was cut in the middle of a line.")
