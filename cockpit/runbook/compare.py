"""A metric of the candidate next to the same metric of the stable track."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from cockpit.runbook.base import Document, Text


class CompareKind(StrEnum):
    """What is counted: events among requests, or requests by how long they took."""

    COUNTS = "counts"
    LATENCY = "latency"


class TrackQueries(Document):
    """PromQL for one track, with `${window}` for the time since the comparison began.

    `increase()` does not see a series' first value. Count what begins inside the window with it:
    `sum(increase(x[${window}]) and x offset ${window}) + sum(x unless x offset ${window})`, each with `or vector(0)`.
    """

    errors: Text | None = Field(None, description="For counts: how many requests failed.")
    requests: Text | None = Field(None, description="For counts: how many requests there were.")
    buckets: Text | None = Field(None, description="For latency: the increase of the histogram's buckets, by (le).")


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
