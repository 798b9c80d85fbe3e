"""Sends of a long list of pods only the ones that changed."""

from __future__ import annotations

from itertools import pairwise

from cockpit.link.messages import PodChanges
from cockpit.model.cluster import Pod
from cockpit.model.snapshot import PodsView


def pod_changes(before: PodsView, now: PodsView) -> PodChanges | None:
    """What makes `now` of `before`; None when the whole list is the shorter way, or is not in order."""
    same = _same_places(before.pods, now.pods)
    changed, gone = (same, ()) if same is not None else _moved(before.pods, now.pods)
    if len(changed) + len(gone) > len(now.pods) // 2 or not (same is not None or _in_order(now.pods)):
        return None
    return PodChanges(view=now.model_copy(update={"pods": changed}), gone=gone)


def with_changes(before: PodsView, changes: PodChanges) -> PodsView:
    """The list after the changes; it stays as it was ordered while pods only change."""
    pods = {pod.name: pod for pod in before.pods}
    settled = not changes.gone and all(_stays(pods.get(pod.name), pod) for pod in changes.view.pods)
    for name in changes.gone:
        pods.pop(name, None)
    pods.update({pod.name: pod for pod in changes.view.pods})
    found = tuple(pods.values()) if settled else tuple(sorted(pods.values(), key=_place))
    return changes.view.model_copy(update={"pods": found})


def _same_places(before: tuple[Pod, ...], now: tuple[Pod, ...]) -> tuple[Pod, ...] | None:
    """The changed pods when each is still where it was, which is the rule; None otherwise."""
    if len(before) != len(now):
        return None
    pairs = [(old, new) for old, new in zip(before, now, strict=True) if old is not new]
    if not all(_stays(old, new) for old, new in pairs):
        return None
    return tuple(new for old, new in pairs if old != new)


def _moved(before: tuple[Pod, ...], now: tuple[Pod, ...]) -> tuple[tuple[Pod, ...], tuple[str, ...]]:
    known = {pod.name: pod for pod in before}
    changed = tuple(pod for pod in now if (old := known.pop(pod.name, None)) is not pod and old != pod)
    return changed, tuple(known)


def _stays(old: Pod | None, new: Pod) -> bool:
    return old is not None and _place(old) == _place(new)


def _in_order(pods: tuple[Pod, ...]) -> bool:
    return all(_place(left) < _place(right) for left, right in pairwise(pods))


def _place(pod: Pod) -> tuple[str, str]:
    return pod.track, pod.name
