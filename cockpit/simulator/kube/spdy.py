"""SPDY/3.1 frames, as far as kubectl's port-forward needs them.

Source: SPDY Protocol draft 3.1, sections 2.2 and 2.6. The end of flow control is left out, as in the Go library that
kubectl uses.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
_CONTROL = 0x8003_0000
_NAMES = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie"
    " keep-alive origin"
)
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    words = (word.replace("_", " ").encode() for word in _NAMES.split(" "))
    return b"".join(struct.pack(">I", len(word)) + word for word in words) + _REST.encode()


DICTIONARY = _dictionary()
"""What the compression of headers begins with; its Adler-32 is 0xe3c6a7c2."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was read: `kind` is None for data."""

    kind: int | None
    stream: int
    fin: bool
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Framer:
    """Reads the frames of one connection and writes those of its other direction."""

    def __init__(self) -> None:
        self._buffer = b""
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, 0, DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The whole frames so far; raises zlib.error or struct.error for what is none."""
        self._buffer += data
        while len(self._buffer) >= 8:
            first, second = struct.unpack(">II", self._buffer[:8])
            length = second & 0xFF_FFFF
            if len(self._buffer) < 8 + length:
                return
            body, self._buffer = self._buffer[8 : 8 + length], self._buffer[8 + length :]
            yield self._frame(first, second >> 24 & FIN == FIN, body)

    def _frame(self, first: int, fin: bool, body: bytes) -> Frame:
        if not first & 0x8000_0000:
            return Frame(None, first, fin, body)
        kind = first & 0xFFFF
        number = struct.unpack(">I", body[:4])[0] if len(body) >= 4 else 0
        if kind == SYN_STREAM:
            return Frame(kind, number, fin, headers=_headers(self._inflate.decompress(body[10:])))
        return Frame(kind, number, fin, body)

    def reply(self, stream: int) -> bytes:
        """Accepts a stream."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, struct.pack(">I", stream) + block)


def data_frame(stream: int, data: bytes, fin: bool = False) -> bytes:
    """Data on a stream; `fin` says that no more follows."""
    return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(data)) + data


def reset_frame(stream: int) -> bytes:
    """Refuses a stream."""
    return _control(RST_STREAM, struct.pack(">II", stream, 3))


def ping_frame(body: bytes) -> bytes:
    """Answers a ping."""
    return _control(PING, body)


def _control(kind: int, body: bytes) -> bytes:
    return struct.pack(">II", _CONTROL | kind, len(body)) + body


def _headers(block: bytes) -> dict[str, str]:
    """The name/value block of a SYN_STREAM; raises struct.error when it is cut."""
    (count,), place = struct.unpack_from(">I", block), 4
    words: list[str] = []
    for _ in range(2 * count):
        (length,) = struct.unpack_from(">I", block, place)
        words.append(block[place + 4 : place + 4 + length].decode("utf-8", "replace"))
        place += 4 + length
    return dict(zip(words[::2], words[1::2], strict=True))
