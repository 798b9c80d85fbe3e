"""A metric of the candidate next to the same metric of the stable track."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from cockpit.runbook.base import Document, Text


class CompareKind(StrEnum):
    """What is counted: events among requests, or requests by how long they took."""

    COUNTS = "counts"
    LATENCY = "latency"


_SELECTOR = re.compile(r'[A-Za-z_:][\w:]*\s*(?:\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?', re.ASCII)


def selects_counter(text: str) -> bool:
    """Whether a text is nothing but a selector, such as `http_requests_total{job="web"}`."""
    return _SELECTOR.fullmatch(text.strip()) is not None


class TrackQueries(Document):
    """What to count of one track: the selector of a counter, or PromQL with `${window}`.

    A selector is counted since the comparison began. `increase()` alone would not do, as it does not see a series'
    first value: the first requests of a candidate, or the first error of all.
    """

    errors: Text | None = Field(None, description="For counts: the counter of the requests that failed.")
    requests: Text | None = Field(None, description="For counts: the counter of all requests.")
    buckets: Text | None = Field(None, description="For latency: the histogram's _bucket; as PromQL, by (le).")

    def asked(self, kind: CompareKind) -> tuple[str, ...]:
        """The PromQL to ask for that kind of comparison, with `${window}` for the time since it began."""
        if kind is CompareKind.LATENCY:
            return (_counted(self.buckets or "", "sum by (le)"),)
        return _counted(self.errors or "", "sum"), _counted(self.requests or "", "sum")


def _counted(text: str, total: str) -> str:
    """A selector's increase over the window, whole where a series begins inside it; PromQL as it is.

    A series begins only on a target that was scraped before the window: of a target that is new to Prometheus, or after
    an outage of Prometheus, the first value may hold days of requests.
    """
    if not selects_counter(text):
        return text
    name, then = text.strip(), "offset ${window}"
    known = f"and on (job, instance) up {then} == 1"
    return f"{total} (increase({name}[${{window}}]) and {name} {then} or {name} unless {name} {then} {known})"


class Compare(Document):
    """The candidate must not be worse than the stable track in the same time.

    Compared at every look since the weight last changed; `alpha` is the chance of a false alarm over all these looks.
    """

    kind: CompareKind
    candidate: TrackQueries
    stable: TrackQueries
    tolerance: float = Field(0, ge=0, description="In the metric's unit; a difference up to this is not worse.")
    alpha: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    at_least: int = Field(100, ge=1, description="Requests of each track, below which nothing is decided.")
    ceiling: float | None = Field(
        None, description="The candidate alone is worse above this; the metric's critical_above if left out."
    )
    rules_out: Annotated[float, Field(gt=0)] | None = Field(
        None, description="For counts: the candidate is not worse only when a rise of so many points is ruled out."
    )
    condition: bool = Field(False, description="Whether it decides in every gate of a step that shifts traffic.")
    buckets_in: Literal["s", "ms"] = Field("s", description="The unit of the histogram's `le`.")


def fewest(alpha: float) -> int:
    """The fewest requests per track in which a test could show anything at all: 1 / C(2n, n) <= alpha.

    That is the chance of the most extreme order of n against n when both are alike: 5 each for 1 %, never 4.
    """
    number = 1
    while math.comb(2 * number, number) * alpha < 1:
        number += 1
    return number
