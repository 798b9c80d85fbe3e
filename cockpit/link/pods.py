"""Sends of a long list of pods only the ones that changed."""

from __future__ import annotations

from itertools import pairwise

from cockpit.link.messages import PodChanges
from cockpit.model.cluster import Pod
from cockpit.model.snapshot import PodsView


def pod_changes(before: PodsView, now: PodsView) -> PodChanges | None:
    """What makes `now` of `before`; None when the whole list is the shorter way, or is not in the order of names."""
    if not _in_order(now.pods):
        return None
    known = {pod.name: pod for pod in before.pods}
    changed = tuple(pod for pod in now.pods if (old := known.pop(pod.name, None)) is not pod and old != pod)
    if len(changed) + len(known) > len(now.pods) // 2:
        return None
    view = now.model_copy(update={"pods": changed})
    return PodChanges(view=view, gone=tuple(known))


def with_changes(before: PodsView, changes: PodChanges) -> PodsView:
    """The list after the changes."""
    pods = {pod.name: pod for pod in before.pods}
    for name in changes.gone:
        pods.pop(name, None)
    pods.update({pod.name: pod for pod in changes.view.pods})
    return changes.view.model_copy(update={"pods": tuple(sorted(pods.values(), key=_name))})


def _in_order(pods: tuple[Pod, ...]) -> bool:
    return all(left.name < right.name for left, right in pairwise(pods))


def _name(pod: Pod) -> str:
    return pod.name
