"""What stands between the cockpit and a real Prometheus, and spoils the answers as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from aiohttp import web

HOUR = 3600.0


class Proxy:
    """Passes queries on. `mode` is one of the methods' names below, or empty for an honest proxy."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.mode = ""
        self.url = ""
        self.queries: list[str] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        """Serve on loopback."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = request.query.get("query", "")
        self.queries.append(query)
        if self.mode == "tarpit":
            await asyncio.sleep(HOUR)
        if self.mode == "html":
            return web.Response(text="<html>Please log in</html>", content_type="text/html")
        if self.mode == "series":
            query = query.replace("sum(", "sum by (service, pod) (")
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                found = await client.get(f"{self.behind}/{request.match_info['path']}", params={"query": query})
        except httpx.TransportError:
            # What an ingress says of a Prometheus that is down.
            return web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")
        return web.Response(status=found.status_code, text=self._spoilt(found.text), content_type="application/json")

    def _spoilt(self, text: str) -> str:
        body: dict[str, Any] = json.loads(text)
        for series in body.get("data", {}).get("result", []):
            if isinstance(series, dict) and self.mode in ("behind", "ahead"):
                series["value"][0] += HOUR if self.mode == "ahead" else -HOUR
        if self.mode == "warnings":
            body["warnings"] = ["store gateway 2 did not answer"]
        return json.dumps(body)
