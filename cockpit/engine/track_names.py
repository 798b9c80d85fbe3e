"""Pods by track and name, with the names of their tracks in place of the selector values that their labels have."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.cluster import Pod


class TrackNames:
    """Keeps what it made: a pod that did not change stays the same object, which makes thousands cheap to compare."""

    def __init__(self, by_value: Mapping[str, str]) -> None:
        """`by_value` gives the name of the track for its selector value."""
        self._by_value = {value: name for value, name in by_value.items() if value != name}
        self._before: tuple[Pod, ...] = ()
        self._order: list[int] = []
        self._named: dict[str, tuple[Pod, Pod]] = {}

    def name(self, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        """The same pods, in order; a value without a track stays as it is."""
        if not _same_places(self._before, pods):
            self._order = sorted(range(len(pods)), key=lambda at: self._place(pods[at]))
            self._named.clear()
        self._before = pods
        ordered = [pods[at] for at in self._order]
        return tuple(map(self._pod, ordered) if self._by_value else ordered)

    def _place(self, pod: Pod) -> tuple[str, str]:
        return self._by_value.get(pod.track, pod.track), pod.name

    def _pod(self, pod: Pod) -> Pod:
        name = self._by_value.get(pod.track)
        if name is None:
            return pod
        known = self._named.get(pod.name)
        if known is None or known[0] is not pod:
            known = self._named[pod.name] = pod, pod.model_copy(update={"track": name})
        return known[1]


def _same_places(before: tuple[Pod, ...], now: tuple[Pod, ...]) -> bool:
    if len(before) != len(now):
        return False
    moved = [
        new
        for old, new in zip(before, now, strict=True)
        if old is not new and (old.name, old.track) != (new.name, new.track)
    ]
    return not moved
