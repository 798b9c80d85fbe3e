"""When the gateways have put a route in force."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.adapters.kubernetes.route_status import Standing, standing


def route(refs: list[dict[str, Any]], parents: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "generation": 7},
        "spec": {"parentRefs": refs},
        "status": {"parents": parents},
    }


def entry(ref: dict[str, Any], accepted: str = "True", resolved: str = "True", seen: int | None = 7) -> dict[str, Any]:
    conditions = [
        {"type": kind, "status": value} for kind, value in (("Accepted", accepted), ("ResolvedRefs", resolved))
    ]
    for condition in conditions:
        condition |= {"message": "words"} | ({} if seen is None else {"observedGeneration": seen})  # type: ignore[dict-item]
    return {"parentRef": ref, "controllerName": "test", "conditions": conditions}


EDGE = {"name": "edge"}
FULL = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "shop", "name": "edge"}
HTTPS = {"name": "edge", "sectionName": "https"}


@pytest.mark.parametrize(
    ("refs", "parents", "pending", "rejected"),
    [
        ([EDGE], [entry(EDGE)], "", ""),
        ([EDGE], [entry(FULL)], "", ""),
        ([EDGE], [entry(EDGE, seen=8)], "", ""),
        ([EDGE], [entry(EDGE, seen=None)], "", ""),
        ([EDGE], [], "gateway edge has not taken", ""),
        ([EDGE], [entry({"name": "other"}, "False")], "gateway edge has not taken", ""),
        ([EDGE], [entry({**FULL, "namespace": "infra"})], "gateway edge has not taken", ""),
        ([HTTPS], [entry(EDGE)], "gateway edge (https) has not taken", ""),
        ([EDGE], [entry(EDGE, seen=6)], "has not looked at the newest route yet (Accepted)", ""),
        ([EDGE], [entry(EDGE, "False", seen=6)], "has not looked at the newest route yet (Accepted)", ""),
        ([EDGE], [entry(EDGE, "Unknown")], "does not know yet whether the route is Accepted", ""),
        ([EDGE], [{"parentRef": EDGE, "conditions": []}], "has not looked at the newest route yet (Accepted)", ""),
        ([EDGE], [entry(EDGE, "False")], "", "gateway edge does not accept the route: words"),
        ([EDGE], [entry(EDGE, resolved="False")], "", "gateway edge cannot resolve the route's backends: words"),
        ([EDGE], [entry(EDGE), entry(EDGE, "False")], "", "gateway edge does not accept the route: words"),
        ([EDGE, HTTPS], [entry(EDGE), entry(HTTPS, seen=6)], "gateway edge (https) has not looked", ""),
        ([EDGE, HTTPS], [entry(EDGE, seen=6), entry(HTTPS, "False")], "", "gateway edge (https) does not accept"),
        ([], [], "", "the route names no parent"),
    ],
)
def test_every_parent_must_have_accepted_the_newest_route(
    refs: list[dict[str, Any]], parents: list[dict[str, Any]], pending: str, rejected: str
) -> None:
    found = standing(route(refs, parents))
    assert pending in found.pending
    assert rejected in found.rejected
    assert (bool(found.pending), bool(found.rejected)) == (bool(pending), bool(rejected))


def test_a_hostile_message_is_cleaned() -> None:
    parents = [entry({"name": "edge\x1b]0;x\x07"}, "False")]
    assert standing(route([{"name": "edge\x1b]0;x\x07"}], parents)).rejected.isprintable()
    assert standing(route([EDGE], [entry(EDGE)])) == Standing()
