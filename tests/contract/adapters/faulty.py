"""An HTTP server that answers as a test scripts it, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from cockpit.adapters.kubernetes.client import KubeClient, open_client

Script = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultyServer:
    """`script` answers every request; assign another one at any time."""

    def __init__(self) -> None:
        self.script: Script = _not_found
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FaultyServer]:
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{tail:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    @asynccontextmanager
    async def client(self, directory: Path, deadline: float = 5.0) -> AsyncIterator[KubeClient]:
        async with open_client(str(self.kubeconfig(directory)), "it", deadline=deadline) as client:
            yield client

    def kubeconfig(self, directory: Path, user: dict[str, Any] | None = None) -> Path:
        path = directory / "kubeconfig"
        config = {
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": self.url}}],
            "users": [{"name": "it", "user": {"token": "t0"} if user is None else user}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        }
        path.write_text(json.dumps(config))
        return path

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self.script(request)


def always(status: int, body: Any, **headers: str) -> Script:
    """The same answer to everything; text stays text, all else becomes JSON."""

    async def script(_: web.Request) -> web.StreamResponse:
        return answer(status, body, **headers)

    return script


def in_turn(*scripts: Script) -> Script:
    """One script after the other; the last one for ever."""
    left = list(scripts)

    async def script(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return script


async def cut(request: web.Request) -> web.StreamResponse:
    """Breaks the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def answer(status: int, body: Any, **headers: str) -> web.Response:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    if isinstance(body, str):
        kind = "text/html" if body.startswith("<") else "text/plain"
        return web.Response(status=status, text=body, content_type=kind, headers=named)
    return web.json_response(body, status=status, headers=named)


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": code,
    }


async def _not_found(_: web.Request) -> web.StreamResponse:
    return answer(404, status(404, "NotFound", "nothing here"))
