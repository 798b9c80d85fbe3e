"""Which Ingresses meet a canary, and which of them ingress-nginx takes for the main one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cockpit.adapters.kubernetes.nginx_around import PREFIX, around, around_notes
from cockpit.model.cluster import Severity

EARLY, LATE = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"


def ingress(
    name: str,
    service: str = "web",
    *,
    host: str = "web.test",
    path: str = "/",
    created: str = EARLY,
    canary: str | None = None,
    klass: str = "nginx",
    **annotations: str,
) -> dict[str, Any]:
    if canary is not None:
        annotations["canary"] = canary
    backend = {"service": {"name": service, "port": {"number": 80}}}
    named = {PREFIX + key.replace("_", "-"): value for key, value in annotations.items()}
    return {
        "metadata": {"namespace": "shop", "name": name, "creationTimestamp": created, "annotations": named},
        "spec": {
            "ingressClassName": klass,
            "rules": [{"host": host, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}}],
        },
    }


CANARY = ingress("web-canary", "web-blue", canary="true", created=LATE)


@pytest.mark.parametrize(
    ("other", "meets"),
    [
        (ingress("web"), True),
        (ingress("web", klass=""), True),
        (ingress("web", klass="internal"), False),
        (ingress("web", host="other.test"), False),
        (ingress("web", path="/api"), False),
    ],
)
def test_only_the_same_host_path_and_class_meets_a_canary(other: dict[str, Any], meets: bool) -> None:
    near = around(CANARY, [CANARY, other])
    assert bool(near.primaries) is meets
    assert near.main == ("web" if meets else "")


@pytest.mark.parametrize(
    ("primary", "canary", "takes_over"),
    [
        (("web", EARLY), ("web-canary", LATE), False),
        (("web", LATE), ("web-canary", EARLY), True),
        # Created by one `kubectl apply` or one chart: the greater name counts as the older.
        (("web", EARLY), ("web-canary", EARLY), True),
        (("web-main", EARLY), ("web-canary", EARLY), False),
        (("xweb", EARLY), ("web-canary", EARLY), False),
    ],
)
def test_the_oldest_ingress_serves_the_host(
    primary: tuple[str, str], canary: tuple[str, str], takes_over: bool
) -> None:
    mine = ingress(canary[0], "web-blue", canary="true", created=canary[1])
    near = around(mine, [mine, ingress(primary[0], created=primary[1])])
    assert near.takes_over is takes_over
    said = [note for note in around_notes(near, 0) if "would serve its host itself" in note.text]
    assert bool(said) is takes_over


def test_the_oldest_primary_is_the_main_one() -> None:
    near = around(CANARY, [ingress("b", "second", created=LATE), ingress("a", "first"), CANARY])
    assert near.main == "first"


def test_a_disabled_canary_of_the_same_host_is_a_primary() -> None:
    near = around(CANARY, [CANARY, ingress("web"), ingress("old-canary", "web-old", canary="false", created=LATE)])
    assert [each["metadata"]["name"] for each in near.primaries] == ["web", "old-canary"]
    assert near.canaries == ()


def test_a_primary_with_the_canarys_service_is_a_fault() -> None:
    near = around(CANARY, [CANARY, ingress("web", "web-blue")])
    (fault,) = (note for note in around_notes(near, 10) if note.severity is Severity.FAULT)
    assert fault.text == (
        "the primary Ingress web leads to the canary's own Service web-blue: ingress-nginx ignores the canary"
    )


def test_a_candidate_without_endpoints_gets_nothing() -> None:
    near = replace(around(CANARY, [CANARY, ingress("web")]), ready={"web": 3, "web-blue": 0})
    assert [note.text for note in around_notes(near, 0)] == []
    (fault,) = around_notes(near, 10)
    assert "Service web-blue has no ready endpoints: ingress-nginx sends its share to stable" in fault.text


def test_hostile_names_are_cleaned() -> None:
    near = around(CANARY, [CANARY, ingress("web\x1b[2J", "web-blue"), ingress("b\x9b", canary="true")])
    assert all(note.text.isprintable() for note in around_notes(near, 10))
