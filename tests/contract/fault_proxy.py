"""A proxy before a world's real API server, which breaks the requests that a test chooses, and keeps what passed."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from cockpit.adapters.kubernetes import kubeconfig
from cockpit.adapters.kubernetes.client import KubeClient, open_client

_OF_THE_HOP = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}


@dataclass
class Seen:
    """One request that came, and the status that the API server gave to it (None: it never got it)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float
    person: str = ""
    """The common name in the client's certificate, if it showed one."""
    status: int | None = None

    @property
    def verb(self) -> str:
        """In the words of RBAC, as far as tests need them."""
        if self.method == "GET":
            return "watch" if "watch" in self.query else "get"
        return {"PATCH": "patch", "POST": "create", "PUT": "update", "DELETE": "delete"}[self.method]


@dataclass
class Exchange:
    """One request under way."""

    seen: Seen
    request: web.Request
    upstream: Upstream
    closing: asyncio.Event

    @asynccontextmanager
    async def forwarded(self) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send the request on to the API server."""
        async with self.upstream.send(self.request, self.seen.body) as response:
            self.seen.status = response.status
            yield response

    async def relay(self) -> web.StreamResponse:
        """Send it on, and the answer back while it arrives."""
        async with self.forwarded() as response:
            back = await self.begin(response)
            async for chunk in response.content.iter_any():
                await back.write(chunk)
            await back.write_eof()
            return back

    async def begin(self, like: aiohttp.ClientResponse | None = None) -> web.StreamResponse:
        """Start an answer in chunks, with the status and headers of the API server's or a plain 200."""
        kept = _passed_on(like.headers) if like is not None else CIMultiDict({"Content-Type": "application/json"})
        back = web.StreamResponse(status=like.status if like is not None else 200, headers=kept)
        back.enable_chunked_encoding()
        await back.prepare(self.request)
        return back

    def abort(self) -> web.StreamResponse:
        """Reset the connection to the client."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response()

    async def hang(self) -> web.StreamResponse:
        """Say nothing until the proxy closes."""
        await self.closing.wait()
        return self.abort()


Fault = Callable[[Exchange], Awaitable[web.StreamResponse]]
Match = Callable[[Seen], bool]


@dataclass
class Upstream:
    """The API server, and a session to it. `token` replaces what the client shows of itself."""

    url: str
    session: aiohttp.ClientSession
    token: str

    def send(self, request: web.Request, body: bytes) -> Any:
        """The request, as it came, to the API server."""
        headers = _passed_on(request.headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        where = self.url + request.raw_path
        return self.session.request(request.method, where, headers=headers, data=body or None)


@dataclass
class _Rule:
    match: Match
    fault: Fault
    left: int


@dataclass
class FaultProxy:
    """`on` chooses requests and what becomes of them; all others pass unharmed. `url` is where it listens."""

    upstream: Upstream
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    rules: list[_Rule] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def on(self, match: Match, fault: Fault, times: int = 1) -> None:
        """Let the next `times` requests that match meet the fault; earlier rules come first."""
        self.rules.append(_Rule(match, fault, times))

    def heal(self) -> None:
        """Let everything pass from now on."""
        self.rules.clear()

    def asked(self, match: Match) -> list[Seen]:
        """The requests that came and match."""
        return [seen for seen in self.seen if match(seen)]

    def applied(self) -> list[Seen]:
        """The writes that the API server accepted."""
        return [seen for seen in self.seen if seen.verb not in ("get", "watch") and (seen.status or 500) < 300]

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[FaultProxy]:
        """Listen on loopback, with TLS if a context is given."""
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{tail:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self.closing.set()
            await runner.cleanup()

    def kubeconfig(self, directory: Path, user: dict[str, Any] | None = None, **cluster: str) -> Path:
        """A kubeconfig whose context `proxied` comes through here; `user` shows a token of no meaning by default."""
        path = directory / "proxied-kubeconfig"
        config = {
            "current-context": "proxied",
            "clusters": [{"name": "proxied", "cluster": {"server": self.url, **cluster}}],
            "users": [{"name": "proxied", "user": {"token": "of-the-proxy"} if user is None else user}],
            "contexts": [{"name": "proxied", "context": {"cluster": "proxied", "user": "proxied"}}],
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path

    @asynccontextmanager
    async def client(
        self, directory: Path, user: dict[str, Any] | None = None, deadline: float = 5.0
    ) -> AsyncIterator[KubeClient]:
        """A client of the product that comes through here."""
        async with open_client(str(self.kubeconfig(directory, user)), "proxied", deadline=deadline) as client:
            yield client

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(
            request.method, request.path, dict(request.query), dict(request.headers), await request.read(),
            time.monotonic(), _common_name(request),
        )  # fmt: skip
        self.seen.append(seen)
        exchange = Exchange(seen, request, self.upstream, self.closing)
        try:
            return await self._fault_for(seen)(exchange)
        except ConnectionError:
            return exchange.abort()

    def _fault_for(self, seen: Seen) -> Fault:
        for rule in self.rules:
            if rule.left and rule.match(seen):
                rule.left -= 1
                return rule.fault
        return Exchange.relay


@asynccontextmanager
async def proxy_before(
    reach: tuple[str, str], *, trusted: bool = True, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FaultProxy]:
    """A proxy before the API server of a kubeconfig's context.

    A `trusted` one is to the API server whoever the context's token names; another one passes the client's on.
    """
    context = kubeconfig.load(kubeconfig.find(reach[0]), reach[1])
    token = str(context.user.get("token", "")) if trusted else ""
    connector = aiohttp.TCPConnector(ssl=False, limit=0)
    session = aiohttp.ClientSession(connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout())
    async with session, FaultProxy(Upstream(context.cluster["server"], session, token)).serving(tls) as proxy:
        yield proxy


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    # Pairs, because a header such as Accept may come several times.
    return CIMultiDict([(name, value) for name, value in headers.items() if name.lower() not in _OF_THE_HOP])


def _common_name(request: web.Request) -> str:
    shown = request.get_extra_info("peercert") or {}
    subject = dict(pair for entry in shown.get("subject", ()) for pair in entry)
    return str(subject.get("commonName", ""))
