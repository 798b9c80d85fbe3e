from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from cockpit.link.messages import FROM_ENGINE
from cockpit.link.pods import pod_changes, with_changes
from cockpit.link.publisher import encode
from cockpit.model.cluster import Pod
from cockpit.model.snapshot import PodsView


def pod(name: str, restarts: int = 0, track: str = "blue") -> Pod:
    return Pod(name=name, track=track, ready=1, containers=1, status="Running", restarts=restarts)


def view(pods: Iterable[Pod], **more: object) -> PodsView:
    return PodsView(pods=tuple(pods), loaded=True).model_copy(update=more)


MANY = [pod(f"web-{number:04d}") for number in range(100)]


@pytest.mark.parametrize(
    ("now", "sent", "gone"),
    [
        (view([*MANY[:50], pod("web-0050", 1), *MANY[51:]]), ["web-0050"], ()),
        (view(MANY[1:]), [], ("web-0000",)),
        (view([*MANY, pod("web-9999")]), ["web-9999"], ()),
        (view([pod("a"), *MANY[:20], *MANY[21:]]), ["a"], ("web-0020",)),
        (view(MANY, stale_since=datetime(2026, 1, 8, tzinfo=UTC), problem="the watch broke"), [], ()),
    ],
)
def test_only_changed_pods_travel(now: PodsView, sent: list[str], gone: tuple[str, ...]) -> None:
    before = view(MANY)
    changes = pod_changes(before, now)
    assert changes is not None
    assert ([one.name for one in changes.view.pods], changes.gone) == (sent, gone)
    received = FROM_ENGINE.validate_json(encode(changes))
    assert received == changes
    assert with_changes(before, changes) == now


@pytest.mark.parametrize(
    "now",
    [view([]), view(pod(one.name, 1) for one in MANY), view(reversed(MANY)), view([pod("other")])],
    ids=["none", "all new", "unordered", "another list"],
)
def test_the_whole_list_travels_when_that_is_shorter(now: PodsView) -> None:
    assert pod_changes(view(MANY), now) is None


def test_tracks_come_before_names() -> None:
    mixed = [*(pod(f"z-{number}") for number in range(5)), *(pod(f"a-{number}", track="green") for number in range(5))]
    before = view(mixed)
    now = view([*mixed[:5], *mixed[6:], pod("b", track="green")])
    changes = pod_changes(before, now)
    assert changes is not None
    assert ([one.name for one in changes.view.pods], changes.gone) == (["b"], ("a-0",))
    assert with_changes(before, changes) == now


def test_pods_that_only_change_stay_where_they_are() -> None:
    before = view(reversed(MANY))
    now = view([pod("web-0099", 5), *reversed(MANY[:99])])
    changes = pod_changes(before, now)
    assert changes is not None
    assert with_changes(before, changes) == now


def test_a_pod_that_changes_its_track_moves() -> None:
    before = view(MANY)
    now = view([*MANY[1:], pod("web-0000", track="green")])
    changes = pod_changes(before, now)
    assert changes is not None
    assert with_changes(before, changes) == now
