"""Which deaths the crash matrix tries. `python -m tests.crash.count` prints how many."""

from __future__ import annotations

import os
from collections.abc import Iterator

CHUNKS = 24
EVERYTHING = os.environ.get("COCKPIT_CRASH_ALL") == "1"
"""All pairs of deaths and all places to roll back from, for a nightly run."""

EVERY_POINT = ("", "traffic-50", "warm-up")
"""After whose INTENT the commander rolls back in the runs that die once at every point; empty is a run to its end."""

SOME_POINTS = ("deploy-blue", "switch-blue", "canary-off", "purge-cdn", "flush-redis", "migrate")
RECOVERY_POINTS = 20
"""How far into its second life an engine is killed again: through its recovery, its claim and its first effect."""

Case = tuple[str, tuple[int, ...]]
"""Where the commander rolls back, and the point of death in each life."""


def cases(points: dict[str, int]) -> list[Case]:
    """Every case, given how many points an undisturbed run from each place passes."""
    return [*_once(points), *_twice(points)]


def _once(points: dict[str, int]) -> Iterator[Case]:
    for place in EVERY_POINT:
        yield from ((place, (at,)) for at in range(1, points[place] + 1))
    for place in SOME_POINTS:
        yield from ((place, (at,)) for at in range(1, points[place] + 1, 1 if EVERYTHING else 7))


def _twice(points: dict[str, int]) -> Iterator[Case]:
    """Deaths in the recovery of a death; a third one now and then."""
    step = 1 if EVERYTHING else 9
    for place in ("", "warm-up"):
        for number, first in enumerate(range(25, points[place] + 1, step)):
            for second in range(1 + number % (1 if EVERYTHING else 4), RECOVERY_POINTS + 1, 1 if EVERYTHING else 4):
                yield (place, (first, second))
                if second % 5 == 0:
                    yield (place, (first, second, second))
