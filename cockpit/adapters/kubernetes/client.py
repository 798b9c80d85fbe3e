"""The API client: raw requests over the Kubernetes library's session, each with a total deadline of its own.

Only raw answers are used: the library's models refuse what a newer server says and parse 5,000 pods in seconds.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp

from cockpit.adapters.echoes import masked, shown_by
from cockpit.adapters.kubernetes.classify import (
    FAILURES,
    Gone,
    Request,
    Throttled,
    classify_failure,
    classify_status,
    parse,
)
from cockpit.adapters.kubernetes.fence import Fence
from cockpit.adapters.kubernetes.login import Login, open_login
from cockpit.adapters.kubernetes.resource import Json, Resource, items, text
from cockpit.errors import BadAnswer, Conflict, OutsideError, Unreachable
from cockpit.model.text import clean

FIELD_MANAGER = "deployment-cockpit"
DEADLINE = 5.0
"""Seconds for a whole request, retries included."""

PAGE = 500
_JSON = "application/json"
_JSON_PATCH = "application/json-patch+json"
_READ_TRIES = 4
_GROUPS_KEPT = 600.0

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of any status; `date` is the server's clock as its Date header tells it."""

    status: int
    body: bytes
    retry_after: float | None = None
    date: str = ""


class KubeClient:
    """Requests to one API server as one user. Every method raises OutsideError alone."""

    def __init__(self, login: Login, deadline: float = DEADLINE) -> None:
        self._login = login
        self._deadline = deadline
        self._groups: tuple[float, dict[str, list[str]]] | None = None
        self.fence: Fence | None = None
        """Tested by every guarded write once the objects are stamped."""
        self.refusal: Callable[[], str] | None = None
        """Asked before every change: a reason means that it is not sent."""

    @property
    def context(self) -> str | None:
        """The name of the kubeconfig context, or None inside a cluster."""
        return self._login.context

    @property
    def server(self) -> str:
        """The API server's address."""
        return clean(self._login.api.configuration.host)

    async def get(self, resource: Resource, query: Query | None = None) -> Json:
        """One object or one page; reads are tried again while the server asks for it and time remains."""
        request = Request("get" if resource.name else "list", resource)
        return parse((await self.read(request, query)).body, request)

    async def json(self, request: Request, query: Query, accept: str) -> Json:
        """The object that answers a GET in another form than the usual one, such as a Table."""
        return parse((await self.read(request, query, accept)).body, request)

    async def all_of(self, resource: Resource, query: Query | None = None) -> list[Json]:
        """All objects of a collection, page by page."""
        try:
            return await self._pages(resource, query or {}, PAGE)
        except Gone:
            # What the next page continues is no longer kept; a whole list needs no next page.
            return await self._pages(resource, query or {}, 0)

    async def _pages(self, resource: Resource, query: Query, limit: int) -> list[Json]:
        found: list[Json] = []
        token = ""
        while True:
            page = await self.get(resource, {**query, "limit": str(limit), **_continue(token)})
            found += [item for item in items(page, "items") if isinstance(item, dict)]
            token = text(page, "metadata", "continue")
            if not token:
                return found

    async def patch(
        self, resource: Resource, operations: Sequence[Json], dry_run: bool = False, *, own: bool = False
    ) -> Json:
        """Apply a JSON Patch; raises Conflict when a `test` fails and DeadlineExceeded when the outcome is unknown.

        `own` is for the cockpit's own objects (Lease, mirror), which are written whoever commands.
        """
        request = Request("patch", resource)
        if not dry_run and not own:
            self.check(request)
        return parse((await self._write("PATCH", request, list(operations), _JSON_PATCH, dry_run)).body, request)

    async def create(self, resource: Resource, body: Json, dry_run: bool = False, *, own: bool = False) -> Json:
        """Create an object in a collection; raises Conflict when it exists. `own` as for `patch`."""
        request = Request("create", resource)
        if not dry_run and not own:
            self.check(request)
        return parse((await self._write("POST", request, body, _JSON, dry_run)).body, request)

    async def read(self, request: Request, query: Query | None = None, accept: str = _JSON) -> Reply:
        """The 2xx answer to a GET; 429 and 5xx are tried again within the deadline."""
        error: OutsideError | None = None
        try:
            async with asyncio.timeout(self._deadline):
                for attempt in range(_READ_TRIES):
                    try:
                        reply = await self.once("GET", request, query, accept=accept)
                        if reply.status < 300:
                            return reply
                        raise classify_status(reply.status, reply.body, request, reply.retry_after)
                    except Unreachable as lost:
                        error = lost
                    await asyncio.sleep(_pause(attempt, error))
        except TimeoutError as late:
            raise error or classify_failure(late, request) from late
        raise error or BadAnswer(f"No answer to {request}")

    async def once(
        self,
        method: str,
        request: Request,
        query: Query | None = None,
        *,
        body: Any = None,
        accept: str = _JSON,
        content: str = _JSON,
        deadline: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """One request and its answer of any status; a 401 renews the credentials and is asked once more."""
        headers = {"Accept": accept, "Content-Type": content}
        seconds = self._deadline if deadline is None else deadline
        reply = await self._exchange(method, request, query, body, headers, seconds, limit)
        if reply.status == 401 and await self._login.renew(force=True):
            reply = await self._exchange(method, request, query, body, headers, seconds, limit)
        return reply

    @asynccontextmanager
    async def stream(
        self, request: Request, query: Query, accept: str, seconds: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer that is read while it arrives, for at most `seconds`; its head must come within the deadline."""
        await self._login.renew()
        headers = {"Accept": accept, "Content-Type": _JSON}
        response = await self._head(request, query, headers, seconds)
        if response.status == 401 and await self._login.renew(force=True):
            response.close()
            response = await self._head(request, query, headers, seconds)
        try:
            if response.status >= 300:
                refusal = _without_credentials(response, await response.content.read(65_536))
                raise classify_status(response.status, refusal, request)
            yield response
        except FAILURES as error:
            raise classify_failure(error, request) from error
        finally:
            response.close()

    async def _head(
        self, request: Request, query: Query, headers: dict[str, str], seconds: float
    ) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._send("GET", request, query, None, headers, seconds)
        except FAILURES as error:
            raise classify_failure(error, request) from error

    async def websocket(
        self, request: Request, query: Sequence[tuple[str, str]], protocols: Sequence[str]
    ) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket to a subresource; raises aiohttp's errors, which only its caller can judge."""
        await self._login.renew()
        api = self._login.api
        _, url, headers, _, _ = await api.param_serialize("GET", request.resource.path, auth_settings=["BearerToken"])
        session: aiohttp.ClientSession = api.rest_client.pool_manager
        return await session.ws_connect(
            f"{url}?{urlencode(query, quote_via=quote)}",
            headers=headers,
            protocols=protocols,
            timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
            proxy=api.configuration.proxy,
            server_hostname=api.configuration.tls_server_name or None,
        )

    async def versions(self, group: str) -> list[str]:
        """The versions of an API group that the server offers, its favourite first; none when it has no such group."""
        if self._groups is None or time.monotonic() - self._groups[0] > _GROUPS_KEPT:
            request = Request("get", Resource("", "", "apis"))
            self._groups = time.monotonic(), _versions(parse((await self.read(request)).body, request))
        return self._groups[1].get(group, [])

    def check(self, request: Request) -> None:
        """Raise Conflict for a change that this engine may not make now."""
        reason = self.refusal() if self.refusal else ""
        if reason:
            raise Conflict(f"Not sent: {request}; {reason}", "Nothing was changed. A rollback works all the same.")

    async def _write(self, method: str, request: Request, body: Any, content: str, dry_run: bool) -> Reply:
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        reply = await self.once(method, request, query, body=body, content=content)
        if reply.status >= 300:
            raise classify_status(reply.status, reply.body, request, reply.retry_after)
        return reply

    async def _exchange(
        self,
        method: str,
        request: Request,
        query: Query | None,
        body: Any,
        headers: dict[str, str],
        deadline: float,
        limit: int | None,
    ) -> Reply:
        await self._login.renew()
        try:
            async with asyncio.timeout(deadline):
                response = await self._send(method, request, query, body, headers, deadline)
                async with response:
                    data = await (response.read() if limit is None else _read_at_most(response, limit))
                    if response.status >= 300:
                        data = _without_credentials(response, data)
                    said = response.headers
                    return Reply(response.status, data, _seconds(said.get("Retry-After")), said.get("Date", ""))
        except FAILURES as error:
            raise classify_failure(error, request) from error

    async def _send(
        self, method: str, request: Request, query: Query | None, body: Any, headers: dict[str, str], seconds: float
    ) -> aiohttp.ClientResponse:
        api = self._login.api
        _, url, headers, _, _ = await api.param_serialize(
            method, request.resource.path, header_params=headers, auth_settings=["BearerToken"]
        )
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        answer = await api.call_api(method, url, headers, body, _request_timeout=seconds)
        response: aiohttp.ClientResponse = answer.response
        return response


@asynccontextmanager
async def open_client(
    path: str | None, context: str | None, trust_env: bool = False, deadline: float = DEADLINE
) -> AsyncIterator[KubeClient]:
    """A client for a kubeconfig and context, or for the cluster this process runs in.

    `trust_env` lets proxy variables and ~/.netrc take part; `deadline` is the total time of one request in seconds.
    Raises UsageError when there is no such file or context, and Denied when its credentials do not load; nothing is
    sent to the server yet.
    """
    async with open_login(path, context, trust_env) as login:
        yield KubeClient(login, deadline)


def _without_credentials(response: aiohttp.ClientResponse, refusal: bytes) -> bytes:
    """What is said to a request that failed, which people will read, without what the request said of us."""
    return masked(refusal, shown_by(response.request_info.headers))


async def _read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) >= limit:
            break
    return bytes(data[:limit])


def _versions(groups: Json) -> dict[str, list[str]]:
    return {
        text(group, "name"): [
            text(group, "preferredVersion", "version"),
            *(text(version, "version") for version in items(group, "versions")),
        ]
        for group in items(groups, "groups")
    }


def _pause(attempt: int, error: OutsideError) -> float:
    wish = error.retry_after if isinstance(error, Throttled) else None
    seconds = 0.1 * 2**attempt if wish is None else wish
    return seconds * random.uniform(1.0, 1.2)


def _continue(token: str) -> dict[str, str]:
    return {"continue": token} if token else {}


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
