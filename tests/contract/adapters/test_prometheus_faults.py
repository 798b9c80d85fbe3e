"""Metrics from servers that answer with too little, too much, or nothing."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from cockpit.adapters.prometheus import PrometheusMetrics
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, OutsideError, Unreachable

from .faulty import FaultyServer, Script, always, answer, cut


def success(kind: str, result: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


def series(value: str, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [1767323045.5, value]}


@asynccontextmanager
async def opened(url: str, timeout: float = 5.0, token: str | None = None) -> AsyncIterator[PrometheusMetrics]:
    metrics = PrometheusMetrics(url, (lambda: SecretStr(token)) if token else None, timeout=timeout)
    await metrics.open()
    try:
        yield metrics
    finally:
        await metrics.close()


async def test_vector_with_labels_and_time(faulty: FaultyServer) -> None:
    faulty.script = always(200, success("vector", [series("0.25", track="blue\x1b[2J"), series("+Inf")]))

    async with opened(faulty.url + "/prometheus/", token="t0") as metrics:
        answered = await metrics.query('rate(x{a="b"}[5m]) > 0 or vector(0)')

    first, second = answered.samples
    assert (first.value, dict(first.labels)) == (0.25, {"track": "blue�[2J"})
    assert first.at == datetime.fromtimestamp(1767323045.5, UTC)
    assert second.value == math.inf
    (request,) = faulty.requests
    assert request.path == "/prometheus/api/v1/query"
    assert request.query["query"] == 'rate(x{a="b"}[5m]) > 0 or vector(0)'
    assert request.headers["Authorization"] == "Bearer t0"


async def test_not_a_number_empty_and_scalar_are_passed_on(faulty: FaultyServer) -> None:
    async with opened(faulty.url) as metrics:
        faulty.script = always(200, success("vector", [series("NaN")]))
        assert math.isnan((await metrics.query("x")).samples[0].value)
        faulty.script = always(200, success("vector", []))
        assert (await metrics.query("x")).samples == ()
        faulty.script = always(200, success("scalar", [1767323045, "2"]))
        assert [sample.value for sample in (await metrics.query("2")).samples] == [2.0]


async def test_warnings_are_not_lost(faulty: FaultyServer) -> None:
    faulty.script = always(200, success("vector", [series("1")], warnings=["store gateway down\x07"], infos=["x"]))

    async with opened(faulty.url) as metrics:
        assert (await metrics.query("x")).warnings == ("store gateway down�",)
        faulty.script = always(200, success("vector", [series("1")], isPartial=True))
        assert (await metrics.query("x")).warnings == ("a partial answer (isPartial)",)
        faulty.script = always(200, success("vector", [series("1")], isPartial=False))
        assert (await metrics.query("x")).warnings == ()


async def cut_in_the_body(request: web.Request) -> web.StreamResponse:
    """Breaks the connection after the first half of an answer, as a proxy does that is restarted."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"status": "success", ')
    return await cut(request)


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (always(200, "<html>log in</html>"), BadAnswer, "not an answer of the Prometheus API"),
        (always(200, '{"status": "success"}'), BadAnswer, "None"),
        (always(200, success("matrix", [])), BadAnswer, "matrix"),
        (always(200, success("vector", [{"metric": {}, "histogram": [1, {}]}])), BadAnswer, "cannot be read"),
        (always(200, success("vector", [series("many")])), BadAnswer, "cannot be read"),
        (always(200, success("vector", [{"metric": None, "value": [1, "1"]}])), BadAnswer, "cannot be read"),
        (
            always(400, {"status": "error", "errorType": "bad_data", "error": "parse error at char 3"}),
            BadAnswer,
            "bad_data: parse error at char 3",
        ),
        (
            always(503, {"status": "error", "errorType": "timeout", "error": "query timed out"}),
            Unreachable,
            "HTTP 503: timeout: query timed out",
        ),
        (
            always(429, {"status": "error", "errorType": "too_many_requests", "error": "slow down"}),
            Unreachable,
            "slow down",
        ),
        (always(200, "[" * 200_000), BadAnswer, "not an answer of the Prometheus API"),
        (always(503, "<html>no backend</html>"), Unreachable, "503"),
        (always(302, "", Location="https://sso.test/"), BadAnswer, "302"),
        (always(401, "no"), Denied, "credentials"),
        (always(200, "x" * (9 * 2**20)), BadAnswer, "more than"),
        (cut, Unreachable, "cannot be reached"),
        (cut_in_the_body, Unreachable, "answer broke off"),
    ],
)
async def test_failures(faulty: FaultyServer, script: Script, error: type[OutsideError], words: str) -> None:
    faulty.script = script

    async with opened(faulty.url) as metrics:
        with pytest.raises(error, match=words):
            await metrics.query("x")
    assert len(faulty.requests) == 1


async def test_refused_connection_is_unreachable_at_once() -> None:
    async with FaultyServer().serving() as server:
        pass
    async with opened(server.url) as metrics:
        started = time.monotonic()
        with pytest.raises(Unreachable):
            await metrics.query("x")
        assert time.monotonic() - started < 1.0


async def test_drip_ends_at_the_deadline_and_frees_its_thread(faulty: FaultyServer) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    faulty.script = drip
    async with opened(faulty.url, timeout=0.3) as metrics:
        with pytest.raises(DeadlineExceeded, match=r"within 0\.3 s"):
            await metrics.query("x")
    await threads_end()


async def test_hanging_server_does_not_hold_up_the_loop_or_other_queries(faulty: FaultyServer) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        if request.query["query"] == "slow":
            await asyncio.Event().wait()
        return answer(200, success("vector", [series("1")]))

    faulty.script = script
    async with opened(faulty.url, timeout=0.5) as metrics:
        slow = [asyncio.ensure_future(metrics.query("slow")) for _ in range(4)]
        assert (await metrics.query("fast")).samples[0].value == 1.0
        for failure in await asyncio.gather(*slow, return_exceptions=True):
            assert isinstance(failure, DeadlineExceeded)
    await threads_end()


async def threads_end() -> None:
    async with asyncio.timeout(5):
        while any(thread.name.startswith("prometheus") for thread in threading.enumerate()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
