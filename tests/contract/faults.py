"""What can become of a request on its way to the API server and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .fault_proxy import Exchange, Fault, Match, Seen

PAGE = "<html><body><h1>Bad gateway</h1></body></html>"
_BYTES_OF_A_LINE = 5 * 2**20


def a(verb: str, plural: str = "", name: str = "") -> Match:
    """Requests of that verb (`list` is a `get` without a name) for that resource."""

    def match(seen: Seen) -> bool:
        parts = seen.path.split("/")
        at = parts.index(plural) if plural in parts else None
        listing = at is not None and at == len(parts) - 1
        spoken = "list" if seen.verb == "get" and listing else seen.verb
        named = at is not None and (not name or parts[at + 1 :] == [name])
        return spoken == verb and (named or not plural)

    return match


async def lost_before(exchange: Exchange) -> web.StreamResponse:
    """The connection breaks before the API server gets anything."""
    return exchange.abort()


async def lost_answer(exchange: Exchange) -> web.StreamResponse:
    """The API server does it; the connection breaks before its answer is through."""
    async with exchange.forwarded() as response:
        await response.read()
    return exchange.abort()


async def late_answer(exchange: Exchange) -> web.StreamResponse:
    """The API server does it; its answer never comes."""
    async with exchange.forwarded() as response:
        await response.read()
    return await exchange.hang()


async def half_open(exchange: Exchange) -> web.StreamResponse:
    """The connection is accepted, and nothing is ever said on it."""
    return await exchange.hang()


async def page_in_place_of_the_answer(exchange: Exchange) -> web.StreamResponse:
    """The API server does it; a load balancer answers with a page and 200."""
    async with exchange.forwarded() as response:
        await response.read()
    return web.Response(text=PAGE, content_type="text/html")


def says(code: int, body: str | dict[str, Any] = PAGE, **headers: str) -> Fault:
    """Somebody in between answers; the API server gets nothing."""

    async def fault(_: Exchange) -> web.StreamResponse:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        if isinstance(body, str):
            return web.Response(status=code, text=body, content_type="text/html", headers=named)
        return web.json_response(body, status=code, headers=named)

    return _named(fault, f"http_{code}{'' if isinstance(body, dict) else '_page'}")


def status(code: int, reason: str, message: str = "") -> dict[str, Any]:
    """What the API server itself would say."""
    words = message or f"the proxy says {reason}"
    head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**head, "message": words, "reason": reason, "code": code}


async def drip(exchange: Exchange) -> web.StreamResponse:
    """The answer comes a byte at a time, each in time."""
    async with exchange.forwarded() as response:
        back, body = await exchange.begin(response), await response.read()
        for at in range(len(body)):
            await back.write(body[at : at + 1])
            await asyncio.sleep(0.02)
        return back


async def cut_short(exchange: Exchange) -> web.StreamResponse:
    """Half of the answer, then the connection breaks: a chunk is left unfinished."""
    async with exchange.forwarded() as response:
        back, body = await exchange.begin(response), await response.read()
        await back.write(body[: len(body) // 2])
    return exchange.abort()


def rewritten(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """The API server's answer, with a change."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        async with exchange.forwarded() as response:
            return web.json_response(change(json.loads(await response.read())), status=response.status)

    return _named(fault, "rewritten")


async def ends_at_once(exchange: Exchange) -> web.StreamResponse:
    """A watch that is accepted and closed."""
    back = await exchange.begin()
    await back.write_eof()
    return back


async def says_nothing(exchange: Exchange) -> web.StreamResponse:
    """A watch that is accepted; nothing ever comes of it."""
    await exchange.begin()
    return await exchange.hang()


async def only_bookmarks(exchange: Exchange) -> web.StreamResponse:
    """A watch that lives, but whose events are lost."""
    back = await exchange.begin()
    mark = {"kind": "Table", "metadata": {"resourceVersion": exchange.seen.query["resourceVersion"]}, "rows": []}
    while not exchange.closing.is_set():
        await back.write(_line("BOOKMARK", mark))
        await asyncio.sleep(0.02)
    return exchange.abort()


def line(data: bytes, name: str) -> Fault:
    """A watch that says just this and ends."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        back = await exchange.begin()
        await back.write(data)
        await back.write_eof()
        return back

    return _named(fault, name)


def error_event(code: int, reason: str) -> Fault:
    """A watch that ends with an ERROR event."""
    return line(_line("ERROR", status(code, reason)), f"error_event_{code}")


def cut_after(events: int, *, whole: bool) -> Fault:
    """A real watch that breaks after so many lines, or in the middle of the next one."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        async with exchange.forwarded() as response:
            back = await exchange.begin(response)
            for _ in range(events):
                await back.write(await response.content.readline())
            if not whole:
                next_one = await response.content.readline()
                await back.write(next_one[: len(next_one) // 2])
        return exchange.abort()

    return _named(fault, f"cut_after_{events}_events{'' if whole else '_in_the_next'}")


def _named(fault: Fault, name: str) -> Fault:
    """The name is what test ids and the table of cases show."""
    fault.__name__ = name
    return fault


def _line(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


oversize = line(b"x" * _BYTES_OF_A_LINE + b"\n", "oversize")
"""A watch with a line of five mebibytes."""
