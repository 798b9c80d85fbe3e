"""Connections on loopback: who is at the other end, and how to break one.

A bastion is shared, but what a port-forward gives access to is not.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
_WORD = int.from_bytes(socket.inet_aton(HOST), sys.byteorder)
_MAPPED = int.from_bytes(b"\0\0\xff\xff", sys.byteorder)
_PLACES = {"tcp": f"{_WORD:08X}", "tcp6": f"{0:016X}{_MAPPED:08X}{_WORD:08X}"}


def is_ours(peer_port: int, port: int, proc: Path = Path("/proc/net")) -> bool:
    """Whether this user, or root, opened the connection from `peer_port`; yes where that cannot be told.

    Source: proc(5), /proc/net/tcp and tcp6, whose addresses are words of the machine's own byte order.
    """
    owner = next(_owners(peer_port, port, proc), None)
    return owner is None or owner in (0, os.getuid())


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection so that the other end notices: without this option, closing looks like a regular end."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _owners(peer_port: int, port: int, proc: Path) -> Iterator[int]:
    for name, address in _PLACES.items():
        ends = [f"{address}:{peer_port:04X}", f"{address}:{port:04X}"]
        with suppress(OSError, ValueError, IndexError):
            for line in (proc / name).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[1:3] == ends:
                    yield int(fields[7])
