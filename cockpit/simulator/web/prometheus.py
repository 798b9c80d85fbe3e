"""The Prometheus HTTP API: recognised queries over the world's history."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aiohttp import web

from cockpit.simulator.web.promql import QueryTable, literal, normalise, seconds_of
from cockpit.simulator.world.values import Obj, parse_time, rfc3339
from cockpit.simulator.world.world import World

_MAX_POINTS = 11_000


class BadQuery(Exception):
    """A request whose parameters cannot be read."""


class Prometheus:
    """Answers queries as Prometheus does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._table = QueryTable(world.spec.metrics)

    async def query(self, request: web.Request) -> web.Response:
        """An instant query, by GET or POST."""
        parameters = await _parameters(request)
        try:
            at = _time(parameters.get("time"), self._world.cluster.now)
            text = _required(parameters, "query")
        except BadQuery as error:
            return _bad(str(error))
        number = literal(text)
        if number is not None and not normalise(text).startswith("vector"):
            return _success({"resultType": "scalar", "result": [at, _number(number)]})
        return _success({"resultType": "vector", "result": self._vector(text, at)})

    async def query_range(self, request: web.Request) -> web.Response:
        """A range query, by GET or POST."""
        parameters = await _parameters(request)
        now = self._world.cluster.now
        try:
            start, end = _time(parameters.get("start"), now), _time(parameters.get("end"), now)
            step = _step(_required(parameters, "step"))
            text = _required(parameters, "query")
        except BadQuery as error:
            return _bad(str(error))
        if end < start or (end - start) / step > _MAX_POINTS:
            return _bad("exceeded maximum resolution of 11,000 points per timeseries, or end before start")
        values = []
        for number in range(int((end - start) / step) + 1):
            at = start + number * step
            value = self._value(text, at)
            if value is not None:
                values.append([at, _number(value)])
        result = [{"metric": {}, "values": values}] if values else []
        return _success({"resultType": "matrix", "result": result})

    async def alerts(self, request: web.Request) -> web.Response:
        """The alerts that fire."""
        now = self._world.cluster.now
        found = [
            {
                "labels": {"alertname": name, "severity": "critical", "namespace": self._world.spec.namespace},
                "annotations": {},
                "state": "firing",
                "activeAt": rfc3339(now),
                "value": "1e+00",
            }
            for name in self._world.signals.alerts(now)
        ]
        return _success({"alerts": found})

    async def managed_alerts(self, request: web.Request) -> web.Response:
        """The alerts that fire, as an Alertmanager lists them; nothing is silenced."""
        now = rfc3339(self._world.cluster.now)
        labels = {"severity": "critical", "namespace": self._world.spec.namespace}
        status = {"state": "active", "silencedBy": [], "inhibitedBy": []}
        names = self._world.signals.alerts(self._world.cluster.now)
        return web.json_response(
            [{"labels": {"alertname": name, **labels}, "status": status, "startsAt": now} for name in names]
        )

    async def ready(self, request: web.Request) -> web.Response:
        """Whether it serves."""
        return web.Response(text="Prometheus Server is Ready.\n")

    async def build(self, request: web.Request) -> web.Response:
        """Its version."""
        return _success({"version": "2.55.0", "revision": "simulator", "goVersion": "go1.23.0"})

    def _vector(self, text: str, at: float) -> list[Obj]:
        asked = self._table.find(text)
        if asked is not None and asked.metric.signal == "latency_buckets":
            buckets = self._world.signals.buckets(asked.metric, at, asked.window)
            return [{"metric": {"le": le}, "value": [at, _number(count)]} for le, count in buckets.items()]
        value = self._value(text, at)
        return [] if value is None else [{"metric": {}, "value": [at, _number(value)]}]

    def _value(self, text: str, at: float) -> float | None:
        number = literal(text)
        if number is not None:
            return number
        if normalise(text) in ("up", "time()"):
            return at if normalise(text) == "time()" else 1.0
        asked = self._table.find(text)
        return None if asked is None else self._world.signals.read(asked.metric, at, asked.window)


async def _parameters(request: web.Request) -> Mapping[str, str]:
    found = {key: str(value) for key, value in request.query.items()}
    if request.method == "POST":
        found.update({key: str(value) for key, value in (await request.post()).items()})
    return found


def _required(parameters: Mapping[str, str], name: str) -> str:
    if not parameters.get(name):
        raise BadQuery(f'invalid parameter "{name}": missing')
    return parameters[name]


def _time(text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parse_time(text)
    except ValueError as error:
        raise BadQuery(f'invalid parameter "time": cannot parse "{text}" to a valid timestamp') from error


def _step(text: str) -> float:
    try:
        step = float(text)
    except ValueError:
        step = seconds_of(text)
    if step <= 0:
        raise BadQuery(f'invalid parameter "step": cannot parse "{text}" to a valid duration')
    return step


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) else repr(value)


def _success(data: Obj) -> web.Response:
    return web.json_response({"status": "success", "data": data})


def _bad(message: str) -> web.Response:
    return web.json_response({"status": "error", "errorType": "bad_data", "error": message}, status=400)
