"""`python -m tests.crash.count`: how many places an engine can die at, and how many deaths the matrix tries."""

from __future__ import annotations

import tempfile
from pathlib import Path

import looptime

from tests.crash.cases import EVERY_POINT, SOME_POINTS, cases
from tests.crash.fragile import Play


async def _points(directory: Path) -> dict[str, int]:
    plays = {place: await Play(directory, place).run() for place in (*EVERY_POINT, *SOME_POINTS)}
    return {place: len(play.lives[0].passed) for place, play in plays.items()}


def main() -> None:
    """Print the points of each undisturbed run and the number of cases."""
    loop = looptime.new_event_loop()
    with tempfile.TemporaryDirectory() as name:
        points = loop.run_until_complete(_points(Path(name)))
    loop.close()
    for place, count in points.items():
        print(f"{count:5} points, {f'rolled back from {place}' if place else 'forward to the end'}")
    print(f"{sum(points.values()):5} points in all, {len(cases(points))} deaths tried")


if __name__ == "__main__":
    main()
