"""The whole run as charts show it: every metric's readings, and what happened beside them.

It is made from the journal's rows, in the engine as in a front end that reads a run which is over; what an engine has
measured since the last row is added as it comes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal

from cockpit.model.base import Value
from cockpit.model.events import Event, MetricsSampled
from cockpit.model.readings import Reading, Readings, Series
from cockpit.model.verdict import CANDIDATE_SHARE, Measurement, Verdict

MARKS_KEPT = 1_000

MarkKind = Literal["start", "step", "weight", "gate", "decision", "hold", "trip", "rollback", "end", "drift", "engine"]


class Routed(Value):
    """What was commanded: the weight of the canary route, whether it is in service, and the active Service's track."""

    weight: int
    active: str
    canary: bool


class Mark(Value):
    """Something that happened at one moment. `at` is run time in seconds since the Unix epoch.

    `short` has few letters and stands above the chart, `text` says all; `grave` ones are never left out. `routed` is
    there when the traffic was moved.
    """

    seq: int
    at: float
    kind: MarkKind
    short: str
    text: str
    grave: bool = False
    routed: Routed | None = None


_KINDS: dict[str, tuple[MarkKind, bool]] = {
    "run.started": ("start", False),
    "step.started": ("step", False),
    "traffic.changed": ("weight", True),
    "gate.passed": ("gate", False),
    "gate.overridden": ("gate", True),
    "gate.gave_up": ("gate", True),
    "decision.made": ("decision", True),
    "run.held": ("hold", True),
    "run.resumed": ("hold", True),
    "trigger.tripped": ("trip", True),
    "trigger.dismissed": ("trip", True),
    "rollback.started": ("rollback", True),
    "rollback.finished": ("end", True),
    "run.closed": ("end", False),
    "drift.found": ("drift", False),
    "engine.started": ("engine", False),
}
"""The events that become marks, and whether they are grave."""


def mark_of(event: Event) -> Mark | None:
    """What a chart shows of an event; None for most."""
    found = _KINDS.get(event.type)
    if found is None:
        return None
    # The words of all events take a while to load, and the first frame needs none.
    from cockpit.model.describe import describe

    kind, grave = found
    text = f"{describe(event)} ({event.actor})"
    mark = Mark(seq=event.seq, at=event.at.timestamp(), kind=kind, short=_short(event), text=text, grave=grave)
    if event.type != "traffic.changed":
        return mark
    routed = Routed(weight=event.weight, active=event.active, canary=event.canary)
    return mark.model_copy(update={"routed": routed})


def _short(event: Event) -> str:
    if event.type == "traffic.changed":
        return f"{event.weight}%" if event.canary else "off"
    if event.type == "step.started":
        return event.step
    if event.type == "decision.made":
        return event.answer
    return _SHORT.get(event.type, "")


_SHORT = {
    "run.started": "start",
    "gate.passed": "passed",
    "gate.overridden": "override",
    "gate.gave_up": "gave up",
    "run.held": "hold",
    "run.resumed": "resume",
    "trigger.tripped": "TRIPPED",
    "trigger.dismissed": "dismissed",
    "rollback.started": "ROLLBACK",
    "rollback.finished": "back",
    "run.closed": "closed",
    "drift.found": "drift",
    "engine.started": "engine",
}


class History:
    """Readings by metric, and marks in order."""

    def __init__(self) -> None:
        self.readings: dict[str, Readings] = {}
        self.marks: deque[Mark] = deque(maxlen=MARKS_KEPT)
        self._journaled: dict[str, float] = {}

    @classmethod
    def of(cls, events: Iterable[Event]) -> History:
        """What a journal tells."""
        history = cls()
        for event in events:
            if event.type in _KINDS:
                history.heard(event)
            if event.type in _TELLING:
                for metric, reading in _told(event):
                    history._keep(metric, reading)
        history._journaled = {metric: readings[-1].at for metric, readings in history.readings.items()}
        return history

    def measured(self, measurement: Measurement) -> None:
        """Keep a measurement."""
        self._keep(measurement.metric, Reading.of(measurement))

    def _keep(self, metric: str, reading: Reading) -> None:
        readings = self.readings.get(metric)
        if readings is None:
            readings = self.readings[metric] = Readings()
        readings.add(reading)

    def heard(self, event: Event) -> None:
        """Keep what a row says happened; rows come in order and may come twice."""
        last = self.marks[-1].seq if self.marks else 0
        mark = mark_of(event) if not event.seq or event.seq > last else None
        if mark is not None:
            self.marks.append(mark)

    def series(self) -> Iterator[Series]:
        """All readings, made one metric at a time."""
        return (readings.series(metric) for metric, readings in list(self.readings.items()))

    def unjournaled(self) -> tuple[Series, ...]:
        """The readings since the last call, for the journal."""
        fresh = []
        for metric, readings in self.readings.items():
            since = readings.before(self._journaled.get(metric, 0.0)) + 1
            if since < len(readings):
                fresh.append(readings.series(metric, since))
                self._journaled[metric] = readings[-1].at
        return tuple(fresh)


_TELLING = frozenset({"metrics.sampled", "metric.verdict", "trigger.tripped"})


def _told(event: Event) -> Iterable[tuple[str, Reading]]:
    """The measurements that a row carries."""
    if event.type == "metrics.sampled":
        yield from _sampled(event)
    elif event.type == "metric.verdict":
        yield event.measurement.metric, Reading.of(event.measurement)
    elif event.type == "trigger.tripped":
        yield from ((entry.metric, Reading.of(entry)) for entry in event.evidence)


def _sampled(event: MetricsSampled) -> Iterable[tuple[str, Reading]]:
    """Every reading since the row before; rows of before there were series have the last ones alone."""
    if not event.series:
        yield from ((entry.metric, Reading.of(entry)) for entry in event.measurements)
        if event.observed_share is not None:
            yield CANDIDATE_SHARE, Reading(event.at.timestamp(), event.observed_share, Verdict.NORMAL)
    for series in event.series:
        yield from ((series.metric, reading) for reading in series.readings())
