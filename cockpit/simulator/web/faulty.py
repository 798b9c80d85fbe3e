"""Faults of the side services, applied around their handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from cockpit.simulator.world.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def faulty(world: World, surface: str, handler: Handler) -> Handler:
    """A handler that sees the present world and fails when its surface is struck."""

    async def serve(request: web.Request) -> web.StreamResponse:
        now = world.advance()
        strike = world.faults.strike(surface, now)
        if strike is None:
            return await handler(request)
        if strike.mode == "delay":
            await world.sleep(strike.delay)
            return await handler(request)
        if strike.mode == "error":
            # A server that throttles says how long, here the fault's delay in whole seconds.
            headers = {"Retry-After": str(max(1, int(strike.delay)))} if strike.status == 429 else {}
            text = f"<html>{strike.status} {surface} is unavailable</html>"
            return web.Response(status=strike.status, text=text, headers=headers)
        if strike.mode == "lose":
            await handler(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)

    return serve
