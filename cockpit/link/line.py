"""One connection to an engine, as lines."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pydantic import ValidationError

from cockpit.errors import EngineUnreachable, NotCommander
from cockpit.link.greeting import PROTOCOL
from cockpit.link.messages import FROM_ENGINE, MAX_LINE, Attach, FromEngine, Hello
from cockpit.model.base import Value

_CONNECT_WITHIN = 5.0
NOT_THE_OWNER = "is not the owner of this engine"
"""How the reason of a `bye` ends when the control socket turns a user away."""


class Line:
    """A greeted and attached connection; `hello` is what the engine said first."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello) -> None:
        self._reader = reader
        self._writer = writer
        self.hello = hello

    @classmethod
    async def open(cls, path: Path, attach: Attach) -> Line:
        """Connect to the socket at `path`.

        Raises EngineUnreachable when nothing answers and NotCommander when this user may not use the socket.
        """
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
        except PermissionError as error:
            raise NotCommander(f"{path} is not yours to use", "Watch the run instead: cockpit observe") from error
        except OSError as error:
            raise _unreachable(f"nothing listens at {path}") from error
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                hello = await _receive(reader)
            if not isinstance(hello, Hello) or hello.protocol != PROTOCOL:
                raise EngineUnreachable(
                    "the engine speaks another protocol than this program",
                    "Use the cockpit that started the run.",
                )
            line = cls(reader, writer, hello)
            line.send(attach)
            return line
        except TimeoutError as error:
            writer.transport.abort()
            raise _unreachable(f"the engine at {path} says nothing") from error
        except BaseException:
            writer.transport.abort()
            raise

    async def receive(self) -> FromEngine:
        """The engine's next message; raises EngineUnreachable when the connection ends."""
        return await _receive(self._reader)

    def send(self, message: Value) -> None:
        """Queue a message to the engine."""
        self._writer.write(message.model_dump_json().encode() + b"\n")

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            self._writer.transport.abort()


def farewell(reason: str) -> NotCommander | EngineUnreachable:
    """The error that a `bye` with this reason means to somebody who waits for something else."""
    if reason.endswith(NOT_THE_OWNER):
        return NotCommander(f"{reason}.", "Watch the run instead: cockpit observe")
    return EngineUnreachable(f"The engine ended the connection: {reason}.", "Look at it: cockpit runs")


async def _receive(reader: asyncio.StreamReader) -> FromEngine:
    try:
        raw = await reader.readline()
    except (OSError, ValueError) as error:
        raise _unreachable("the connection to the engine broke") from error
    if not raw.endswith(b"\n"):
        raise _unreachable("the engine ended the connection")
    try:
        return FROM_ENGINE.validate_json(raw)
    except ValidationError as error:
        raise EngineUnreachable(
            "the engine sent something this program does not know", "Use the cockpit that started the run."
        ) from error


def _unreachable(what: str) -> EngineUnreachable:
    return EngineUnreachable(f"{what[0].upper()}{what[1:]}.", "Attach to start the engine again: cockpit attach")
