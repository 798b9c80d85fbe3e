"""What was commanded for the candidate over the run, and how that which was measured stands to it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from cockpit.model.readings import Reading, Readings
from cockpit.model.verdict import Verdict

if TYPE_CHECKING:
    from cockpit.model.history import Mark


def share_of(weight: int, canary: bool, active: str, candidate: str) -> int:
    """The candidate's whole share in percent: everything when the active Service points at it."""
    return 100 if active == candidate else weight if canary else 0


class Commanded(NamedTuple):
    """What was commanded from `at` (seconds since the Unix epoch, run time) on.

    `share` is the candidate's in percent, `tolerance` the accepted difference in points, and `routed` says whether the
    canary route was in service.
    """

    at: float
    share: int
    routed: bool
    tolerance: int


@dataclass(frozen=True)
class Course:
    """All that was commanded, in order."""

    steps: tuple[Commanded, ...] = ()

    def at(self, moment: float) -> Commanded | None:
        """What was commanded then; None before anything was known."""
        number = bisect_right(self.steps, moment, key=attrgetter("at")) - 1
        return self.steps[number] if number >= 0 else None

    def settling(self, moment: float, settles_s: float) -> bool:
        """Whether the traffic was moved so shortly before that what is measured still holds requests of before."""
        step = self.at(moment)
        return step is not None and moment - step.at < settles_s

    def off(self, moment: float) -> bool:
        """Whether the canary route was out of service: nobody is sent to the candidate by its weight then."""
        step = self.at(moment)
        return step is not None and not step.routed

    def deviation(self, reading: Reading) -> float | None:
        """Points between what was observed and what was commanded; None where one of them is unknown."""
        step = self.at(reading.at)
        return None if step is None or reading.value is None else reading.value - step.share

    def beyond(self, reading: Reading) -> bool:
        """Whether that is known to be more than the tolerance of then."""
        deviation, step = self.deviation(reading), self.at(reading.at)
        return deviation is not None and step is not None and abs(deviation) > step.tolerance


NOTHING_KNOWN = Course()


def course(marks: Iterable[Mark], candidate: str, tolerances: Mapping[str, int], usual: int) -> Course:
    """What the marks of a run tell; a step has its own tolerance or the `usual` one."""
    found: list[Commanded] = []
    tolerance = usual
    for mark in marks:
        if mark.kind == "step":
            tolerance = tolerances.get(mark.short, usual)
        routed = mark.routed
        if routed is not None:
            share = share_of(routed.weight, routed.canary, routed.active, candidate)
            found.append(Commanded(mark.at, share, routed.canary, tolerance))
    return Course(tuple(found))


def share_reading(reading: Reading, commanded: Course, settles_s: float) -> Reading | None:
    """A reading of the share as it is judged: WARNING beyond the tolerance, once the traffic has settled.

    None while the canary route is out of service: what is counted then is not what its weight sends.
    """
    if commanded.off(reading.at):
        return None
    if (
        commanded.beyond(reading)
        and reading.verdict is Verdict.NORMAL
        and not commanded.settling(reading.at, settles_s)
    ):
        return reading._replace(verdict=Verdict.WARNING)
    return reading


def residual_reading(reading: Reading, commanded: Course, settles_s: float, at_most: float) -> Reading:
    """A reading of what still reaches the route: WARNING while that is more than none, once the traffic has settled."""
    some = reading.value is not None and reading.value > at_most
    if some and reading.verdict is Verdict.NORMAL and not commanded.settling(reading.at, settles_s):
        return reading._replace(verdict=Verdict.WARNING)
    return reading


class Judged:
    """Readings with other verdicts, made as they come: none is judged twice by the same rule."""

    def __init__(self) -> None:
        self._source: Readings | None = None
        self._rule: Hashable = None
        self._taken = 0
        self._newest = 0.0
        self._readings = Readings()

    def take(self, source: Readings, rule: Hashable, judge: Callable[[Reading], Reading | None]) -> Readings:
        """The readings as `judge` sees them, without those that it drops; another `rule` judges all of them anew."""
        if not (source is self._source and rule == self._rule and self._follows(source)):
            self._source, self._rule, self._taken, self._readings = source, rule, 0, Readings()
        for reading in source[self._taken :]:
            seen = judge(reading)
            if seen is not None:
                self._readings.add(seen)
            self._newest = reading.at
        self._taken = len(source)
        return self._readings

    def _follows(self, source: Readings) -> bool:
        """Whether readings were added at the end alone."""
        return self._taken == 0 or (len(source) >= self._taken and source[self._taken - 1].at == self._newest)
