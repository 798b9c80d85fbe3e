"""A port on 127.0.0.1 that leads into a pod, each TCP connection through a WebSocket of its own."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.loopback import HOST, is_ours, reset
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.adapters.kubernetes.tunnel import carry, connect
from cockpit.errors import Conflict, Denied, NotFound, OutsideError
from cockpit.model.text import clean


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a forward leads: a pod and one of its ports."""

    pod: str
    port: int


Choose = Callable[[], Awaitable[Goal]]
"""Finds the goal, again after the pod is gone; raises NotFound when there is none."""


class PortForward:
    """A listener on loopback. Connections of other users of this machine are refused."""

    def __init__(self, client: KubeClient, pods: Resource, choose: Choose) -> None:
        self._client = client
        self._pods = pods
        self._choose = choose
        self._goal: Goal | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.local_port = 0
        self.connections = 0
        self.problem = ""

    @property
    def url(self) -> str:
        """The base URL for a server that speaks HTTP."""
        return f"http://{HOST}:{self.local_port}"

    @property
    def pod(self) -> str:
        """The pod that the last connection went to."""
        return clean(self._goal.pod, 253) if self._goal else ""

    @property
    def listening(self) -> bool:
        """Whether new connections are accepted."""
        return self._server is not None

    async def open(self, local_port: int = 0, probe: bool = True) -> None:
        """Listen; `probe` opens and closes one connection to the pod, to find missing rights at once.

        Raises NotFound without a pod, Denied without the right, Conflict when the port is taken.
        """
        self._goal = await self._choose()
        if probe:
            await (await self._connect()).close()
        try:
            self._server = await asyncio.start_server(self._accept, HOST, local_port)
        except OSError as error:
            raise _no_port(error, local_port) from error
        self.local_port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and end all connections."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            reset(writer)
            return
        task = asyncio.create_task(self._serve(reader, writer), name="port-forward")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not await asyncio.to_thread(is_ours, writer.get_extra_info("peername")[1], self.local_port):
                self.problem = "a connection of another user of this machine was refused"
                reset(writer)
                return
            self.connections += 1
            socket = await self._connect()
            self.problem = await carry(socket, reader, writer)
            if self.problem:
                # The next connection may find a pod that can answer.
                self._goal = None
        except OutsideError as error:
            self.problem = str(error)
            reset(writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        """A connection to the pod, or to the one that has taken its place."""
        goal = self._goal
        if goal is not None:
            try:
                return await connect(self._client, self._pods, goal.pod, goal.port)
            except Denied:
                raise
            except OutsideError as error:
                self._goal = await self._choose()
                if self._goal == goal:
                    self._end_if_gone(error)
                    raise
        self._goal = self._goal or await self._choose()
        return await connect(self._client, self._pods, self._goal.pod, self._goal.port)

    def _end_if_gone(self, error: OutsideError) -> None:
        """A pod that was named and is gone does not come back; a workload may find another one."""
        if isinstance(error, NotFound) and self._server is not None:
            self._server.close()
            self._server = None


def _no_port(error: OSError, port: int) -> OutsideError:
    if error.errno == errno.EADDRINUSE:
        return Conflict(f"The local port {port} is taken.", "Choose another one, or 0 for any free port.")
    why = clean(error.strerror or str(error))
    return Denied(f"The local port {port} cannot be opened: {why}", "Choose one above 1023.")
