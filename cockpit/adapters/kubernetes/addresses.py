"""Where the API server is, also while no name can be resolved: a rollback needs no DNS.

The name is asked for again before each new connection, so that a server that moves is found; when the resolver is
silent or says no, the last answer does. Certificates are checked against the name all the same.
"""

from __future__ import annotations

import asyncio
import socket

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

PATIENCE = 1.0
"""Seconds for an answer where an older one is known."""


class KnownAddresses(ThreadedResolver):
    """Resolves names, and remembers the last answer for each."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, list[ResolveResult]] = {}
        self._asking: dict[str, asyncio.Task[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`, the last known ones if there is no answer in time; raises OSError without any."""
        known, asking = self._known.get(host), self._asking.get(host)
        if known and asking is not None:
            # The resolver hangs: nobody waits for it once more.
            return _at(known, port)
        if asking is None:
            asking = asyncio.create_task(super().resolve(host, port, family), name=f"resolve {host}")
            self._asking[host] = asking
            asking.add_done_callback(lambda task: self._answered(host, task))
        try:
            async with asyncio.timeout(PATIENCE if known else None):
                return _at(await asyncio.shield(asking), port)
        except (TimeoutError, OSError):
            if not known:
                raise
            return _at(known, port)

    def _answered(self, host: str, task: asyncio.Task[list[ResolveResult]]) -> None:
        del self._asking[host]
        if not task.cancelled() and task.exception() is None and task.result():
            self._known[host] = task.result()


def _at(known: list[ResolveResult], port: int) -> list[ResolveResult]:
    return [ResolveResult(**{**each, "port": port}) for each in known]
