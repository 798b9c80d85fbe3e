"""Who is at the other end of a Unix socket, as the kernel knows it."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
_UNSET = 2**32 - 1
_CONSOLE, _FIRST_PTS = 4, 136


@dataclass(frozen=True, slots=True)
class Peer:
    """A process and its user; `name` is the person's login name, `terminal` such as `pts/3` or empty."""

    pid: int
    uid: int
    name: str
    terminal: str = ""

    @property
    def may_command(self) -> bool:
        """Whether this user owns the engine, or is root."""
        return self.uid in (os.geteuid(), 0)


def peer_of(connection: socket.socket) -> Peer:
    """The process that connected, by SO_PEERCRED."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid, person_of(pid, uid), terminal_of(pid))


def person_of(pid: int, uid: int) -> str:
    """Who is behind a process: the one who logged in, where the audit system knows, or the owner of the process.

    On a shared account this tells two people apart. Source: loginuid(5) of the kernel's audit, 2^32-1 when not set.
    """
    login = _number(f"/proc/{pid}/loginuid")
    return user_name(login if login is not None and login != _UNSET else uid)


def terminal_of(pid: int) -> str:
    """The controlling terminal of a process, empty when it has none. Source: proc(5), `tty_nr` in /proc/PID/stat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        number = int(fields[4])
    except (OSError, ValueError, IndexError):
        return ""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    if _FIRST_PTS <= major < _FIRST_PTS + 8:
        return f"pts/{minor + ((major - _FIRST_PTS) << 8)}"
    return f"tty{minor}" if major == _CONSOLE and minor < 64 else ""


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def user_name(uid: int) -> str:
    """The login name of a user, or `uid N` when the system has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
