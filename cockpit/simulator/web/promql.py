"""Recognises the queries of a spec by their text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cockpit.simulator.blueprint import MetricQuery
from cockpit.simulator.world.signals import DEFAULT_WINDOW

_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")')
_RANGE = re.compile(r"\[[^\]]*\]")
_VARIABLE = re.compile(r"\$\{\w+\}")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_LITERAL = re.compile(r"^(?:vector\()?(-?\d+(?:\.\d+)?)\)?$")


@dataclass(frozen=True, slots=True)
class Asked:
    """A recognised query and its window in seconds."""

    metric: MetricQuery
    window: float


def normalise(text: str) -> str:
    """A query without the white space that has no meaning."""
    parts = _QUOTED.split(text.strip())
    return "".join(part if at % 2 else re.sub(r"\s+", "", part) for at, part in enumerate(parts))


def seconds_of(duration: str) -> float:
    """The seconds of a PromQL duration such as `1m30s`; 0 when it is none."""
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))


def literal(query: str) -> float | None:
    """The number of a query that is a number or `vector(number)`, or None."""
    found = _LITERAL.match(normalise(query))
    return float(found[1]) if found else None


class QueryTable:
    """The metric queries of a spec."""

    def __init__(self, metrics: tuple[MetricQuery, ...]) -> None:
        self._known = [(_pattern(metric.query), metric) for metric in metrics]

    def find(self, query: str) -> Asked | None:
        """The metric that a query asks for, or None for one that is not known."""
        text = normalise(query)
        for pattern, metric in self._known:
            if pattern.fullmatch(text):
                return Asked(metric, self._window(text))
        return None

    def _window(self, text: str) -> float:
        found = _RANGE.search(_QUOTED.sub('""', text))
        seconds = seconds_of(found[0]) if found else 0.0
        return seconds or DEFAULT_WINDOW


def _pattern(query: str) -> re.Pattern[str]:
    """A query as a pattern in which ranges and variables may be anything."""
    parts = _QUOTED.split(normalise(query))
    text = "".join(part if at % 2 else _RANGE.sub("\0", part) for at, part in enumerate(parts))
    text = _VARIABLE.sub("\1", text)
    return re.compile(re.escape(text).replace("\0", r"\[[^\]]*\]").replace("\1", ".*?"))
