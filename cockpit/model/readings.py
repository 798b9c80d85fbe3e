"""What was measured during a run, kept small: one metric's readings as columns of numbers."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, overload

from pydantic import Field

from cockpit.model.base import Value
from cockpit.model.verdict import Measurement, Verdict

KEPT = 12_000
"""Readings of one metric that are kept: more than a day at an interval of ten seconds."""
REASONS_KEPT = 2_000
"""Different reasons that are kept for one metric; those of NO_DATA count down and differ each time."""
SAME_S = 0.05
"""Two readings of a metric within so many seconds are the same measurement, told by two rows that round differently."""
SEVERITY = (Verdict.NORMAL, Verdict.WARNING, Verdict.NO_DATA, Verdict.BROKEN, Verdict.CRITICAL)
"""The verdicts, what must not be overlooked last: a critical value is known, silence only says that nothing is."""
_LETTERS = "NWDBC"
_CODE = {verdict: code for code, verdict in enumerate(SEVERITY)}
_SILENT = frozenset((_CODE[Verdict.NO_DATA], _CODE[Verdict.BROKEN]))


class Reading(NamedTuple):
    """One measurement of a metric: `at` in seconds since the Unix epoch (run time), no value when nothing is known."""

    at: float
    value: float | None
    verdict: Verdict
    reason: str = ""

    @property
    def when(self) -> datetime:
        """The run time."""
        return datetime.fromtimestamp(self.at, UTC)

    @classmethod
    def of(cls, measured: Measurement) -> Reading:
        """What a chart keeps of a measurement: a value that is not trusted is no value."""
        verdict = measured.verdict
        value = measured.value if verdict.measured else None
        return cls(measured.at.timestamp(), value, verdict, measured.reason)


class Series(Value):
    """Readings of one metric as they are journaled and sent.

    `offsets` are seconds after `start`, `verdicts` one letter a reading in the order of `SEVERITY` (N W D B C),
    `reasons` by the number of their reading. Values have six significant digits.
    """

    metric: str
    start: float
    offsets: tuple[float, ...] = ()
    values: tuple[float | None, ...] = ()
    verdicts: str = ""
    reasons: dict[int, str] = Field(default_factory=dict)

    def readings(self) -> Iterator[Reading]:
        """One by one; columns of different lengths end with the shortest, unknown letters are BROKEN."""
        columns = zip(self.offsets, self.values, self.verdicts, strict=False)
        for number, (offset, value, letter) in enumerate(columns):
            verdict = SEVERITY[_LETTERS.index(letter)] if letter in _LETTERS else Verdict.BROKEN
            yield Reading(self.start + offset, value, verdict, self.reasons.get(number, ""))


class Span(NamedTuple):
    """What was measured in a stretch of time: the numbers of the first and last reading, and the values' ends.

    `low`, `high`, `entry` and `leave` (the first and last value) are None when nothing was measured; `silent` says that
    at least one reading had no value.
    """

    begin: int
    end: int
    worst: Verdict
    silent: bool
    low: float | None = None
    high: float | None = None
    entry: float | None = None
    leave: float | None = None


class Readings(Sequence[Reading]):
    """The readings of one metric, oldest first; the oldest are forgotten beyond `KEPT`."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self._at = array("d")
        self._value = array("d")
        self._verdict = bytearray()
        self._reason = array("L")
        self._reasons: list[str] = [""]
        self._known: dict[str, int] = {"": 0}
        self.forgotten = False
        for reading in readings:
            self.add(reading)

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, index: int) -> Reading: ...
    @overload
    def __getitem__(self, index: slice) -> list[Reading]: ...

    def __getitem__(self, index: int | slice) -> Reading | list[Reading]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        value = self._value[index]
        return Reading(
            self._at[index],
            None if math.isnan(value) else value,
            SEVERITY[self._verdict[index]],
            self._reasons[self._reason[index]],
        )

    def add(self, reading: Reading) -> bool:
        """Keep a reading, an older one in its place; False when it is there already."""
        place = len(self._at)
        if place and reading.at - self._at[-1] < SAME_S:
            place = bisect_left(self._at, reading.at)
            around = self._at[max(0, place - 1) : place + 1]
            if any(abs(at - reading.at) < SAME_S for at in around):
                return False
        value = math.nan if reading.value is None or not math.isfinite(reading.value) else reading.value
        self._at.insert(place, reading.at)
        self._value.insert(place, value)
        self._verdict.insert(place, _CODE[reading.verdict])
        self._reason.insert(place, self._number(reading.reason) if reading.reason else 0)
        if len(self._at) > KEPT:
            self._forget(KEPT // 8)
        return True

    def _number(self, reason: str) -> int:
        number = self._known.get(reason)
        if number is None:
            if len(self._reasons) > REASONS_KEPT:
                return 0
            number = self._known[reason] = len(self._reasons)
            self._reasons.append(reason)
        return number

    def _forget(self, count: int) -> None:
        """Let go of the oldest, and of the reasons that only they had."""
        for column in (self._at, self._value, self._verdict, self._reason):
            del column[:count]
        used = sorted({0, *self._reason})
        self._reasons = [self._reasons[number] for number in used]
        self._known = {reason: number for number, reason in enumerate(self._reasons)}
        moved = {old: new for new, old in enumerate(used)}
        self._reason = array("L", (moved[number] for number in self._reason))
        self.forgotten = True

    @property
    def last(self) -> Reading | None:
        """The newest."""
        return self[-1] if self._at else None

    def before(self, at: float) -> int:
        """The number of the last reading at or before that time, -1 when there is none."""
        return bisect_right(self._at, at) - 1

    def range(self, start: float, end: float) -> tuple[int, int]:
        """The numbers of the readings from `start` up to, and without, `end`: the first, and the one after the last."""
        return bisect_left(self._at, start), bisect_left(self._at, end)

    def span(self, start: float, end: float) -> Span | None:
        """The readings from `start` up to, and without, `end`; None when there are none."""
        first, stop = self.range(start, end)
        if first == stop:
            return None
        codes = self._verdict[first:stop]
        worst, silent = SEVERITY[max(codes)], any(code in codes for code in _SILENT)
        values: Sequence[float] = self._value[first:stop]
        if silent:
            values = [value for value in values if not math.isnan(value)]
        if not values:
            return Span(first, stop, worst, silent)
        return Span(first, stop, worst, silent, min(values), max(values), values[0], values[-1])

    def values(self, first: int, stop: int) -> list[float]:
        """The measured values of a stretch, in order."""
        return [value for value in self._value[first:stop] if not math.isnan(value)]

    def extreme(self, first: int, stop: int, low_is_bad: bool = False) -> int:
        """The number of the highest value of a stretch that has one, or of the lowest where lower is worse."""
        known = (number for number in range(first, stop) if not math.isnan(self._value[number]))
        return max(known, key=lambda number: self._rank(number, low_is_bad))

    def worst(self, first: int, stop: int, low_is_bad: bool = False) -> int:
        """The number of the reading of a stretch that must not be overlooked; of equal verdicts the worst value."""
        return max(range(first, stop), key=lambda number: (self._verdict[number], self._rank(number, low_is_bad)))

    def _rank(self, number: int, low_is_bad: bool) -> float:
        value = self._value[number]
        return -math.inf if math.isnan(value) else -value if low_is_bad else value

    def series(self, metric: str, since: int = 0) -> Series:
        """From the reading with the number `since` on, as it is journaled and sent."""
        since = min(max(0, since), len(self))
        start = self._at[since] if since < len(self) else 0.0
        return Series(
            metric=metric,
            start=start,
            offsets=tuple(round(at - start, 3) for at in self._at[since:]),
            values=tuple(None if math.isnan(value) else float(f"{value:.6g}") for value in self._value[since:]),
            verdicts="".join(_LETTERS[code] for code in self._verdict[since:]),
            reasons={
                number: self._reasons[reason] for number, reason in enumerate(self._reason[since:]) if reason != 0
            },
        )
