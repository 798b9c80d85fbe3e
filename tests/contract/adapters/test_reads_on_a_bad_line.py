"""Reads over a line that breaks, the same in both worlds: tried again as asked, and never believed when they lie."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest

from cockpit.errors import BadAnswer, DeadlineExceeded, NotFound, Unreachable

from ..fault_proxy import Fault
from ..faults import PAGE, a, cut_short, drip, half_open, lost_answer, lost_before, rewritten, says, status
from .front import BLUE, Front

READ = a("get", "services", "web")


@pytest.mark.parametrize(
    "fault",
    [
        lost_before,
        lost_answer,
        cut_short,
        says(429, status(429, "TooManyRequests"), Retry_After="0"),
        says(500, status(500, "InternalError", "etcdserver: leader changed")),
        says(502, PAGE),
        says(503, PAGE),
        says(504, PAGE),
    ],
)
async def test_read_is_tried_again(front: Front, fault: Fault) -> None:
    front.proxy.on(READ, fault, times=2)

    assert (await front.through.workloads.service("web")).selector == BLUE

    assert len(front.proxy.asked(READ)) == 3


@pytest.mark.parametrize("code", [429, 503])
async def test_wish_to_come_back_later_is_granted(front: Front, code: int) -> None:
    front.proxy.on(READ, says(code, status(code, "TooManyRequests"), Retry_After="1"), times=2)

    await front.through.workloads.service("web")

    times = [seen.at for seen in front.proxy.asked(READ)]
    assert len(times) == 3
    assert all(after - before >= 1.0 for before, after in pairwise(times))


async def test_wish_that_does_not_fit_the_deadline_is_told_and_not_overridden(front: Front) -> None:
    front.proxy.on(READ, says(429, status(429, "TooManyRequests"), Retry_After="60"), times=9)

    async with front.hasty(0.3) as hasty:
        with pytest.raises(Unreachable, match="throttling get services web"):
            await hasty.workloads.service("web")

    assert len(front.proxy.asked(READ)) == 1


async def test_read_is_not_tried_for_ever(front: Front) -> None:
    front.proxy.on(READ, says(503, PAGE), times=99)

    with pytest.raises(Unreachable, match="HTTP 503"):
        await front.through.workloads.service("web")

    assert len(front.proxy.asked(READ)) == 4


@pytest.mark.parametrize("code", [200, 404])
async def test_page_of_a_load_balancer_is_no_answer(front: Front, code: int) -> None:
    front.proxy.on(READ, says(code, PAGE), times=9)

    with pytest.raises(BadAnswer, match=r"web page|not from the API server"):
        await front.through.workloads.service("web")


@pytest.mark.parametrize("fault", [half_open, drip])
async def test_answer_that_does_not_come_whole_in_time_is_late(front: Front, fault: Fault) -> None:
    front.proxy.on(READ, fault, times=9)

    async with front.hasty(0.3) as hasty:
        with pytest.raises(DeadlineExceeded):
            await hasty.workloads.service("web")


@pytest.mark.parametrize("kinds", ["services", "pods"])
async def test_list_whose_next_page_is_gone_is_read_whole(
    front: Front, monkeypatch: pytest.MonkeyPatch, kinds: str
) -> None:
    for module in ("client", "watch"):
        monkeypatch.setattr(f"cockpit.adapters.kubernetes.{module}.PAGE", 2)
    for name in ("p0", "p1", "p2"):
        await front.add_pod(name)
    listing = a("list", kinds)
    gone = says(410, status(410, "Expired", "The provided continue parameter is too old"))
    front.proxy.on(lambda seen: listing(seen) and "continue" in seen.query, gone)

    if kinds == "services":
        names = {service.name for service in await front.through.workloads.services()}
        assert names == {"web", "web-blue", "web-green"}
    else:
        async with aclosing(front.watch()) as changes:
            async for change in changes:
                if len(change.pods) == 3:
                    break
        assert {pod.name for pod in change.pods} == {"p0", "p1", "p2"}
        assert change.problem == ""

    pages = front.proxy.asked(lambda seen: listing(seen) and "limit" in seen.query)
    assert [(seen.query["limit"], "continue" in seen.query) for seen in pages] == [
        ("2", False),
        ("2", True),
        ("0", False),
    ]


async def test_pages_of_a_list_add_up(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.adapters.kubernetes.client.PAGE", 1)

    names = [service.name for service in await front.through.workloads.services()]

    assert names == ["web", "web-blue", "web-green"]
    assert len(front.proxy.asked(a("list", "services"))) == 3


def newer(change: Callable[[dict[str, Any]], None]) -> Fault:
    def apply(body: dict[str, Any]) -> dict[str, Any]:
        change(body)
        return body

    return rewritten(apply)


async def test_server_newer_than_the_client_is_understood(front: Front) -> None:
    def service(body: dict[str, Any]) -> None:
        body["apiVersion"] = "v1"
        body["spec"]["trafficDistribution"] = {"mode": "PreferSameNode"}
        body["spec"]["type"] = "QuantumLoadBalancer"
        body["status"] = ["of another shape"]
        body["metadata"]["ownerReferences"] = None

    def deployment(body: dict[str, Any]) -> None:
        body["spec"]["strategy"] = {"type": "Telepathy"}
        body["status"] = {"terminatingReplicas": 1, "conditions": [{"type": "Enlightened", "status": "Maybe"}, 7]}
        body["spec"]["template"]["spec"]["containers"][0]["restartPolicyRules"] = [{"action": "Restart"}]

    front.proxy.on(READ, newer(service))
    front.proxy.on(a("get", "deployments", "web-blue"), newer(deployment))

    assert (await front.through.workloads.service("web")).selector == BLUE
    state = await front.through.workloads.deployment("web-blue")
    assert (state.image, state.ready) == ("web:1.0.0", 0)


async def test_absent_object_is_told_from_an_absent_api(front: Front) -> None:
    with pytest.raises(NotFound, match="services nobody in"):
        await front.through.workloads.service("nobody")

    assert len(front.proxy.asked(a("get", "services", "nobody"))) == 1
