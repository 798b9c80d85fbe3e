"""Metrics from servers that speak the Prometheus HTTP API.

The client library drops the answer's warnings and type, so answers are read here.
Source: Prometheus HTTP API v1, "Instant queries" and "Format overview".
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cockpit.adapters.lazily import library
from cockpit.adapters.monitoring_access import Credentials, Requests, Secret
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, OutsideError, Unreachable
from cockpit.model.address import shown
from cockpit.model.outside import QueryAnswer, Sample
from cockpit.model.text import clean

_BACK_AFTER_S = 30.0
"""How long a server that did not answer is passed over before it is asked first again."""


class NotTheApi(BadAnswer):
    """Something else answered at the address, such as a proxy's page."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How many alerting rules there are, and those that cannot be evaluated and so never fire."""

    loaded: int
    broken: tuple[str, ...] = ()


class PrometheusMetrics:
    """See `cockpit.engine.ports.Metrics`. Use `close` at the end."""

    def __init__(
        self,
        url: str | Sequence[str],
        token: Secret | None = None,
        *,
        timeout: float = 5.0,
        trust_env: bool = False,
        credentials: Credentials | None = None,
    ) -> None:
        """`url` is the API's base URL, or several that are asked in order; each has `timeout` seconds in all."""
        self.urls = tuple(each.rstrip("/") for each in ([url] if isinstance(url, str) else url))
        who = credentials or Credentials(token)
        self._requests = Requests("Prometheus", who, timeout=timeout, trust_env=trust_env)
        self._silent: dict[str, float] = {}
        self._library: Any = None
        self._connections: list[Any] = []

    async def open(self) -> None:
        """Import the libraries and make the session; nothing is sent."""
        session = await self._requests.open()
        if self._library is None:
            self._library = await asyncio.to_thread(library, "prometheus_api_client")
            for url in self.urls:
                ours = session.get_adapter(url)
                self._connections.append(self._library.PrometheusConnect(url, session=session))
                # The library mounts an adapter that retries for six seconds, with few connections.
                session.mount(url, ours)

    async def close(self) -> None:
        """End the session; does not wait for queries that hang."""
        await self._requests.close()

    async def query(self, expression: str) -> QueryAnswer:
        """The instant value, of the first server that answers.

        Raises BadAnswer with the server's own words when the query is wrong, and what the servers said if none answers.
        """
        failures: list[OutsideError] = []
        for url in self._in_order():
            try:
                found = await self.query_at(url, expression)
            except (Unreachable, DeadlineExceeded, NotTheApi) as error:
                self._silent[url] = time.monotonic()
                failures.append(error)
                continue
            self._silent.pop(url, None)
            return found
        raise _none_answers(failures)

    async def query_at(self, url: str, expression: str) -> QueryAnswer:
        """The instant value, of the server at one of `urls`."""
        found = _answer(*await self._requests.get(f"{url}/api/v1/query", {"query": expression}))
        return replace(found, source=shown(url))

    async def alerting_rules(self) -> Rules | None:
        """What the first server can let fire; None where it does not say, as not every server knows of its rules.

        Source: Prometheus HTTP API v1, "Rules".
        """
        try:
            status, body = await self._requests.get(f"{self.urls[0]}/api/v1/rules", {"type": "alert"})
            if status != 200:
                return None
            rules = [rule for group in json.loads(body)["data"]["groups"] for rule in group["rules"]]
            broken = {clean(str(rule["name"]), 100) for rule in rules if rule.get("health") == "err"}
        except (OutsideError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return Rules(len(rules), tuple(sorted(broken)))

    def _in_order(self) -> list[str]:
        """As declared, with those at the end that were silent a moment ago, so that not every query waits for them."""
        now = time.monotonic()
        silent = {url for url in self.urls if now - self._silent.get(url, now - _BACK_AFTER_S) < _BACK_AFTER_S}
        return sorted(self.urls, key=lambda url: url in silent)


def _none_answers(failures: list[OutsideError]) -> OutsideError:
    first = failures[0]
    if len(failures) == 1:
        return first
    words = " ".join(dict.fromkeys(str(error) for error in failures))
    return type(first)(f"None of {len(failures)} servers answers: {words}", first.hint)


def _answer(status: int, body: bytes) -> QueryAnswer:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    said = value if isinstance(value, dict) else {}
    if status >= 300 or said.get("status") != "success":
        raise _refused(status, said)
    data = said.get("data")
    kind, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    try:
        return QueryAnswer(_samples(kind, result), _warnings(said))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, OSError) as error:
        raise BadAnswer(f"Prometheus answered a {clean(str(kind), 40)} that cannot be read.") from error


def _warnings(said: dict[str, Any]) -> tuple[str, ...]:
    """What the server says may be missing; VictoriaMetrics says so by `isPartial` alone (its cluster's query API)."""
    warnings = said.get("warnings")
    lines = tuple(clean(str(line)) for line in warnings) if isinstance(warnings, list) else ()
    return (*lines, "a partial answer (isPartial)") if said.get("isPartial") is True else lines


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
    # Not the query's fault: another server may answer it.
    if words and (status >= 500 or status == 429):
        return Unreachable(f"Prometheus answered HTTP {status}: {words}")
    if words:
        return BadAnswer(f"Prometheus refused the query: {words}")
    if status >= 500:
        return Unreachable(f"Prometheus answered HTTP {status}.")
    return NotTheApi(
        f"HTTP {status} is not an answer of the Prometheus API.", "A proxy or login page may answer in its place."
    )
