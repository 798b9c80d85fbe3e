"""A Unix socket that stays where it is."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.link.paths import LONGEST_SOCKET_PATH

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LONGEST_REQUEST = 64 * 1024
_LOOK_EVERY = 2.0
_GOODBYE = 2.0


class Listener:
    """Listens at `path` with the given mode, and again when something removes the socket from its directory."""

    def __init__(self, path: Path, mode: int, handler: Handler) -> None:
        self._path = path
        self._mode = mode
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> None:
        """Start to listen; raises JournalError when the path cannot be used."""
        listening = bind(self._path, self._mode)
        self._inode = self._path.stat().st_ino
        # Kept before anything waits: whoever is cancelled here must still close it.
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listening, limit=LONGEST_REQUEST, start_serving=False
        )
        await self._server.start_serving()

    async def stay(self) -> None:
        """Put the socket back, for ever, when a cleaner of temporary directories or a logout removed it."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if not self._in_place() and self._path.parent.is_dir():
                self._close_server()
                await self.open()

    async def close(self) -> None:
        """Let front ends read what is on its way, for two seconds, and stop."""
        self._close_server()
        if self._in_place():
            self._path.unlink(missing_ok=True)
        for writer in self._connections.values():
            writer.close()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_GOODBYE)
        for task, writer in list(self._connections.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            await self._handler(reader, writer)
            writer.close()
            await writer.wait_closed()
        except OSError:
            writer.transport.abort()
        finally:
            del self._connections[task]

    def _close_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _in_place(self) -> bool:
        try:
            return self._path.lstat().st_ino == self._inode
        except OSError:
            return False


def bind(path: Path, mode: int) -> socket.socket:
    """A socket bound at `path` with these permissions, in place of a dead engine's; raises JournalError."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise JournalError(f"{path} is too long for a socket", "Set COCKPIT_HOME to a shorter path.")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        listening.bind(str(path))
        path.chmod(mode)
    except OSError as error:
        listening.close()
        raise JournalError(f"{path} cannot be used: {error.strerror}", "Check its directory and owner.") from error
    except JournalError:
        listening.close()
        raise
    return listening


def _remove_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        raise JournalError(f"{path} is not a socket of yours", "Move it away and try again.")
    path.unlink()
