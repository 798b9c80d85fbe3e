from __future__ import annotations

from cockpit.engine.track_names import TrackNames
from cockpit.model.cluster import Pod


def pod(name: str, value: str) -> Pod:
    return Pod(name=name, track=value, ready=1, containers=1, status="Running", restarts=0)


def test_values_become_names_and_unknown_ones_stay() -> None:
    names = TrackNames({"v2": "blue", "v1": "green"})

    named = names.name((pod("b", "v2"), pod("a", "v1"), pod("c", "canary")))

    assert [(each.name, each.track) for each in named] == [("b", "blue"), ("c", "canary"), ("a", "green")]


def test_pods_that_did_not_change_stay_the_same_objects() -> None:
    names = TrackNames({"v2": "blue"})
    one, two = pod("one", "v2"), pod("two", "v2")

    before = names.name((one, two))
    after = names.name((one, pod("two", "v2").model_copy(update={"restarts": 1})))

    assert after[0] is before[0]
    assert (after[1].track, after[1].restarts) == ("blue", 1)


def test_pods_come_by_track_and_name_also_when_names_are_values() -> None:
    pods = (pod("b", "green"), pod("z", "blue"), pod("a", "green"))

    named = TrackNames({"blue": "blue", "green": "green"}).name(pods)

    assert [each.name for each in named] == ["z", "a", "b"]
