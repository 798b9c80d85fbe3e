"""Who is at the other end of a Unix socket, as the kernel knows it."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass

_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Peer:
    """A process and its user; `name` is the user's login name, or `uid N` without one."""

    pid: int
    uid: int
    name: str

    @property
    def may_command(self) -> bool:
        """Whether this user owns the engine, or is root."""
        return self.uid in (os.geteuid(), 0)


def peer_of(connection: socket.socket) -> Peer:
    """The process that connected, by SO_PEERCRED."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid, user_name(uid))


def user_name(uid: int) -> str:
    """The login name of a user, or `uid N` when the system has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
