"""Metrics from a server that speaks the Prometheus HTTP API.

The client library is synchronous and drops the answer's warnings and type, so its session is read here, in threads.
Source: Prometheus HTTP API v1, "Instant queries" and "Format overview".
"""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, OutsideError, Unreachable
from cockpit.model.outside import QueryAnswer, Sample
from cockpit.model.text import clean

_THREADS = 8
_BODY = 2**23
_CHUNK = 2**16


@dataclass(frozen=True, slots=True)
class _Libraries:
    requests: Any
    connect: Any
    retry: Any


class PrometheusMetrics:
    """See `cockpit.engine.ports.Metrics`. Use `close` at the end."""

    def __init__(
        self, url: str, token: Callable[[], SecretStr] | None = None, *, timeout: float = 5.0, trust_env: bool = False
    ) -> None:
        """`url` is the API's base URL; `timeout` is the total time of a query in seconds."""
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._trust_env = trust_env
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prometheus")
        self._connection: Any = None
        self._session: Any = None
        self._libraries: _Libraries | None = None

    async def open(self) -> None:
        """Import the libraries and make the session; nothing is sent."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._connect)

    async def close(self) -> None:
        """End the session; does not wait for queries that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._connection is not None:
            self._connection.close()

    async def query(self, expression: str) -> QueryAnswer:
        """The instant value. Raises BadAnswer with the server's own words when the query is wrong."""
        if self._connection is None:
            await self.open()
        token = self._token() if self._token is not None else None
        query = asyncio.get_running_loop().run_in_executor(self._threads, self._ask, expression, token)
        try:
            async with asyncio.timeout(self._timeout):
                status, body = await query
        except TimeoutError:
            raise DeadlineExceeded(f"Prometheus did not answer within {self._timeout:g} s.") from None
        return _answer(status, body)

    def _connect(self) -> None:
        if self._connection is not None:
            return
        requests = importlib.import_module("requests")
        library = importlib.import_module("prometheus_api_client")
        retry = importlib.import_module("urllib3.util.retry").Retry
        # `read=False`: a read that times out is to be told from a connection that breaks.
        no_retry = retry(0, read=False)
        session = requests.Session()
        session.trust_env = self._trust_env
        self._session = session
        self._libraries = _Libraries(requests, library.PrometheusConnect, retry)
        self._connection = library.PrometheusConnect(self._url, session=session, retry=no_retry, timeout=self._timeout)

    def _ask(self, expression: str, token: SecretStr | None) -> tuple[int, bytes]:
        assert self._libraries is not None
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        deadline = time.monotonic() + self._timeout
        failures = (self._libraries.requests.RequestException, OSError, ValueError)
        try:
            with self._session.get(
                f"{self._url}/api/v1/query",
                params={"query": expression},
                headers=headers,
                timeout=self._timeout,
                stream=True,
                allow_redirects=False,
            ) as response:
                return response.status_code, _read(response, deadline)
        except failures as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> OutsideError:
        assert self._libraries is not None
        if isinstance(error, self._libraries.requests.Timeout | TimeoutError):
            return DeadlineExceeded(f"Prometheus did not answer within {self._timeout:g} s.")
        return Unreachable(
            f"Prometheus cannot be reached: {type(error).__name__}", f"Check {clean(self._url, 200)} and the network."
        )


def _read(response: Any, deadline: float) -> bytes:
    data = bytearray()
    # The library's timeout is for one read; a slow drip must not hold this thread for ever.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        data += chunk
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(data) > _BODY:
            raise BadAnswer(f"Prometheus answered more than {_BODY} bytes.", "Narrow the query.")
    return bytes(data)


def _answer(status: int, body: bytes) -> QueryAnswer:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    said = value if isinstance(value, dict) else {}
    if status >= 300 or said.get("status") != "success":
        raise _refused(status, said)
    data = said.get("data")
    kind, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    warnings = said.get("warnings")
    lines = tuple(clean(str(line)) for line in warnings) if isinstance(warnings, list) else ()
    try:
        return QueryAnswer(_samples(kind, result), lines)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, OSError) as error:
        raise BadAnswer(f"Prometheus answered a {clean(str(kind), 40)} that cannot be read.") from error


def _samples(kind: Any, result: Any) -> tuple[Sample, ...]:
    if kind == "scalar":
        return (_sample(result, {}),)
    if kind == "vector":
        return tuple(_sample(series["value"], series.get("metric", {})) for series in result)
    raise BadAnswer(
        f"Prometheus answered a {clean(str(kind), 40)}.", "The query must give an instant vector or a scalar."
    )


def _sample(pair: Any, labels: dict[str, Any]) -> Sample:
    at, value = pair
    named = {clean(str(key), 200): clean(str(label), 200) for key, label in labels.items()}
    return Sample(float(value), datetime.fromtimestamp(float(at), UTC), named)


def _refused(status: int, said: dict[str, Any]) -> OutsideError:
    words = clean(f"{said.get('errorType') or 'error'}: {said.get('error')}") if said.get("error") else ""
    if status in (401, 403):
        return Denied(
            f"Prometheus does not accept the credentials (HTTP {status}). {words}".strip(), "Check the token."
        )
    if words:
        return BadAnswer(f"Prometheus refused the query: {words}")
    if status >= 500:
        return Unreachable(f"Prometheus answered HTTP {status}.")
    return BadAnswer(
        f"HTTP {status} is not an answer of the Prometheus API.", "A proxy or login page may answer in its place."
    )
