"""The pods by colour: how many are ready, and the rows that matter, trouble first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from heapq import nsmallest
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.formatting import age, ago, pod_mark, seconds_between, track_tone
from widgets.lines import Line, Tone, ends, fit, middle, right
from widgets.pane import Pane, faded

if TYPE_CHECKING:
    from cockpit.model.cluster import Pod
    from cockpit.model.snapshot import PodsView

CROWD = 1_000
"""So many pods are counted once a second: ten times would take a tenth of the processor."""
_RANK = {Tone.BAD: 0, Tone.WARN: 1}


class PodsPane(Pane):
    """A summary a track and the first rows; the pods screen has them all."""

    TITLE = "PODS"
    NUMBER = "2"

    pods: var[PodsView | None] = var(None)

    def watch_pods(self, before: PodsView | None, pods: PodsView | None) -> None:
        """At once; when there are a thousand, new states of pods wait for the clock's next second."""
        crowded = before is not None and pods is not None and len(pods.pods) >= CROWD
        if not crowded or _face_of(before) != _face_of(pods):
            self.rewrite()

    def summary(self) -> Line:
        """Ready and wanted pods of each track."""
        if self.pods is None or not self.pods.loaded:
            return ()
        counts = track_counts(self.pods)
        return faded(counts) if self.pods.stale_since else counts

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Heading, staleness, rows."""
        if height <= 1:
            return [ends((("PODS ", Tone.TITLE), *self._face()), self.summary(), width)]
        face = self._face()
        rows: list[Line] = [self.heading(width), *([face] if face else [])]
        if self.pods is None or not self.pods.loaded:
            return rows
        room = height - len(rows)
        count = len(self.pods.pods)
        rest = [more(count - room + 1)] if count > room > 0 else []
        drawn = [pod_row(pod, width, self.now) for pod in most_urgent(self.pods.pods, room - len(rest))]
        return [*rows, *(map(faded, drawn) if self.pods.stale_since else drawn), *rest]

    def _face(self) -> Line:
        return pods_face(self.pods, self.now)


def _face_of(pods: PodsView | None) -> object:
    return pods and (pods.loaded, pods.stale_since, pods.problem, len(pods.pods))


def pods_face(pods: PodsView | None, now: datetime | None) -> Line:
    """What is not in order with the list itself: not there yet, old, or empty."""
    if pods is None or not (pods.loaded or pods.problem):
        return (("waiting for the pods …", Tone.QUIET),)
    if pods.stale_since is not None or pods.problem:
        since = f"STALE {ago(pods.stale_since, now)}".strip() if pods.stale_since else "NOT READ"
        return ((f"▲ {since}", Tone.WARN), (f"  {pods.problem}", Tone.WARN))
    return () if pods.pods else (("no pods match the runbook's selector", Tone.QUIET),)


def more(count: int) -> Line:
    """The row that says that rows are missing."""
    return ((f"… {count} more, ", Tone.QUIET), ("p", Tone.KEY), (" shows all", Tone.QUIET))


def track_counts(pods: PodsView) -> Line:
    """`blue 3/3 ✔` for each track; the number wanted is the Deployment's when it is known."""
    wanted = dict(pods.wanted)
    names = list(wanted) + sorted({pod.track for pod in pods.pods if pod.track and pod.track not in wanted})
    spans: list[tuple[str, Tone]] = []
    for name in names:
        mine = [pod for pod in pods.pods if pod.track == name]
        ready = sum(pod.healthy for pod in mine)
        total = wanted.get(name, len(mine))
        good = ready >= total
        spans += [("  " if spans else "", Tone.TEXT), (name, track_tone(name))]
        spans.append((f" {ready}/{total} {'✔' if good else '✖'}", Tone.GOOD if good else Tone.BAD))
    return tuple(spans)


def by_urgency(pods: Sequence[Pod]) -> list[Pod]:
    """Trouble first, then by track and name."""
    return sorted(pods, key=_urgency)


def most_urgent(pods: Sequence[Pod], count: int) -> list[Pod]:
    """The first ones of `by_urgency`, without sorting thousands."""
    return nsmallest(count, pods, key=_urgency)


def _urgency(pod: Pod) -> tuple[int, str, str]:
    return _RANK.get(pod_mark(pod.status, pod.healthy).tone, 2), pod.track, pod.name


def _label(pod: Pod, width: int) -> str:
    """The name; where it must be cut, what says the track stays in sight, so that colour is not all that tells."""
    if len(pod.name) <= width or not pod.track:
        return pod.name
    at = pod.name.find(pod.track)
    return pod.name[at:] if at >= 0 else f"{pod.track} {pod.name}"


def pod_row(pod: Pod, width: int, now: datetime | None) -> Line:
    """One pod: name, status, ready containers, restarts, age."""
    mark = pod_mark(pod.status, pod.healthy)
    status_width = min(20, max(10, width // 4 - 1))
    old = age(seconds_between(pod.created, now)) if pod.created else ""
    name_width = max(8, width - status_width - 16)
    restarts = Tone.WARN if pod.restarts else Tone.QUIET
    return (
        (middle(_label(pod, name_width), name_width), track_tone(pod.track) if pod.track else Tone.QUIET),
        (f" {mark.glyph} ", mark.tone),
        (fit(mark.word, status_width), mark.tone),
        (right(f"{pod.ready}/{pod.containers}", 4), Tone.TEXT),
        (right(f"{pod.restarts}r", 5), restarts),
        (right(old, 4), Tone.QUIET),
    )
