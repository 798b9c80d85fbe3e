"""Pods by the names of their tracks, in place of the selector values that their labels have."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from cockpit.model.cluster import Pod

_PLACE = attrgetter("track", "name")


class TrackNames:
    """Keeps what it made: a pod that did not change stays the same object, which makes thousands cheap to compare."""

    def __init__(self, by_value: Mapping[str, str]) -> None:
        """`by_value` gives the name of the track for its selector value."""
        self._by_value = {value: name for value, name in by_value.items() if value != name}
        self._made: dict[str, tuple[Pod, Pod]] = {}

    def name(self, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        """The same pods by track and name; a value without a track stays as it is."""
        if self._by_value:
            self._made = {pod.name: self._pair(pod) for pod in pods}
            pods = tuple(named for _, named in self._made.values())
        return tuple(sorted(pods, key=_PLACE))

    def _pair(self, pod: Pod) -> tuple[Pod, Pod]:
        known = self._made.get(pod.name)
        if known is not None and known[0] is pod:
            return known
        name = self._by_value.get(pod.track)
        return pod, pod if name is None else pod.model_copy(update={"track": name})
