"""Writes over a line that breaks, the same in both worlds: never twice, never blind, never a failure that was none."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.adapters.kubernetes.classify import Request, classify_status
from cockpit.errors import Conflict, DeadlineExceeded, Denied, OutsideError, Unreachable
from cockpit.model.cluster import ServiceState

from ..fault_proxy import Exchange, Fault, Seen
from ..faults import (
    PAGE,
    a,
    cut_short,
    half_open,
    late_answer,
    lost_answer,
    lost_before,
    page_in_place_of_the_answer,
    says,
    status,
)
from .front import BLUE, GREEN, Front
from .stage import CANARY, Stage

PATCH = a("patch", "services", "web")
SEEN = ServiceState("web", BLUE)


def writes(front: Front) -> list[Seen]:
    return front.proxy.asked(lambda seen: seen.verb not in ("get", "watch"))


@pytest.mark.parametrize("fault", [lost_answer, page_in_place_of_the_answer, cut_short])
async def test_write_whose_answer_is_lost_is_unknown_and_made_once(front: Front, fault: Fault) -> None:
    front.proxy.on(PATCH, fault)

    with pytest.raises(DeadlineExceeded):
        await front.through.workloads.set_selector(SEEN, GREEN)
    assert (await front.through.workloads.service("web")).selector == GREEN
    before = await front.stage.client.get(front.stage.at("", "services", "web"))
    await front.through.workloads.set_selector(SEEN, GREEN)

    assert len(front.proxy.applied()) == 1
    after = await front.stage.client.get(front.stage.at("", "services", "web"))
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_write_that_times_out_after_it_was_applied_is_made_once(front: Front) -> None:
    front.proxy.on(PATCH, late_answer)

    async with front.hasty(0.5) as hasty:
        with pytest.raises(DeadlineExceeded, match="did not answer in time"):
            await hasty.workloads.set_selector(SEEN, GREEN)
    assert (await front.through.workloads.service("web")).selector == GREEN
    await front.through.workloads.set_selector(SEEN, GREEN)

    assert len(front.proxy.applied()) == 1


async def test_weight_whose_answer_is_lost_is_set_once(front: Front) -> None:
    seen = await front.through.nginx.read()
    front.proxy.on(a("patch", "ingresses", CANARY), lost_answer)

    with pytest.raises(DeadlineExceeded):
        await front.through.nginx.set_weight(seen, 25)
    assert (await front.through.nginx.read()).weight == 25
    await front.through.nginx.set_weight(seen, 25)

    assert len(front.proxy.applied()) == 1


async def test_image_whose_answer_is_lost_is_set_once(front: Front) -> None:
    seen = await front.through.workloads.deployment("web-green")
    front.proxy.on(a("patch", "deployments", "web-green"), lost_answer)

    with pytest.raises(DeadlineExceeded):
        await front.through.workloads.set_image(seen, "web:2.0.0")
    await front.through.workloads.set_image(seen, "web:2.0.0")

    assert len(front.proxy.applied()) == 1
    assert (await front.stage.workloads.deployment("web-green")).generation == seen.generation + 1


async def test_job_whose_answer_is_lost_exists_once(front: Front) -> None:
    front.proxy.on(a("create", "jobs"), lost_answer)

    with pytest.raises(DeadlineExceeded):
        await front.through.create_job()
    await front.through.create_job()

    assert [seen.status for seen in writes(front)] == [201, 409]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lost_before, DeadlineExceeded),
        (says(500, status(500, "InternalError", "etcd leader changed")), DeadlineExceeded),
        (says(502, PAGE), DeadlineExceeded),
        (says(503, PAGE), DeadlineExceeded),
        (says(200, PAGE), DeadlineExceeded),
        (says(429, status(429, "TooManyRequests"), Retry_After="1"), Unreachable),
        (says(401, status(401, "Unauthorized")), Denied),
        (says(403, status(403, "Forbidden")), Denied),
    ],
)
async def test_write_that_never_arrives_is_sent_once_and_may_be_made_later(
    front: Front, fault: Fault, error: type[OutsideError]
) -> None:
    front.proxy.on(PATCH, fault)

    with pytest.raises(error):
        await front.through.workloads.set_selector(SEEN, GREEN)
    assert len(writes(front)) == 1
    assert await front.selector() == BLUE

    await front.through.workloads.set_selector(SEEN, GREEN)
    assert await front.selector() == GREEN
    assert len(front.proxy.applied()) == 1


async def test_write_into_a_line_that_is_half_open_is_unknown(front: Front) -> None:
    front.proxy.on(PATCH, half_open)

    async with front.hasty(0.3) as hasty:
        with pytest.raises(DeadlineExceeded) as unknown:
            await hasty.workloads.set_selector(SEEN, GREEN)

    assert "read the object" in unknown.value.hint
    assert await front.selector() == BLUE


async def test_update_between_read_and_write_is_not_lost(front: Front) -> None:
    seen = await front.through.workloads.service("web")
    other = {"app": "web", "version": "red"}

    async def overtaken(exchange: Exchange) -> Any:
        """Another writer is quicker than the patch that is under way."""
        await front.stage.write_as("kubectl-edit", front.stage.at("", "services", "web"), {"spec": {"selector": other}})
        return await exchange.relay()

    front.proxy.on(PATCH, overtaken)
    with pytest.raises(Conflict, match=r"version=red, expected .*version=blue, written by kubectl-edit"):
        await front.through.workloads.set_selector(seen, GREEN)

    assert await front.selector() == other
    assert [seen.status for seen in writes(front)] == [422]


async def test_of_two_writers_one_wins_and_the_other_is_told(front: Front) -> None:
    seen = await front.through.nginx.read()

    async def overtaken(exchange: Exchange) -> Any:
        annotation = {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "90"}}}
        await front.stage.write_as("flagger", front.stage.ingress, annotation)
        return await exchange.relay()

    front.proxy.on(a("patch", "ingresses", CANARY), overtaken)
    with pytest.raises(Conflict, match="flagger"):
        await front.through.nginx.set_weight(seen, 10)

    assert (await front.stage.nginx.read()).weight == 90


async def test_failed_test_is_told_as_unprocessable_by_the_api_server(front: Front) -> None:
    operations = [
        {"op": "test", "path": "/spec/selector", "value": {"version": "nobody"}},
        {"op": "replace", "path": "/spec/selector", "value": GREEN},
    ]
    with pytest.raises(Conflict):
        await front.through.client.patch(front.stage.at("", "services", "web"), operations)

    assert [seen.status for seen in writes(front)] == [422]
    assert await front.selector() == BLUE


async def test_object_that_exists_is_a_conflict(front: Front) -> None:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}

    with pytest.raises(Conflict, match="already exists"):
        await front.through.client.create(front.stage.at("", "services"), body)

    assert [seen.status for seen in writes(front)] == [409]


async def test_put_of_an_old_version_is_a_conflict(front: Front) -> None:
    resource = front.stage.at("", "services", "web")
    old = await front.through.client.get(resource)
    await front.stage.write_as("helm", resource, {"metadata": {"labels": {"new": "yes"}}})

    request = Request("update", resource)
    reply = await front.through.client.once("PUT", request, body=old)

    assert reply.status == 409
    assert isinstance(classify_status(reply.status, reply.body, request), Conflict)


async def test_dry_run_over_a_line_that_loses_answers_changes_nothing(front: Front) -> None:
    front.proxy.on(PATCH, lost_answer)

    with pytest.raises(DeadlineExceeded):
        await front.through.workloads.set_selector(SEEN, GREEN, dry_run=True)

    assert await front.selector() == BLUE
    assert writes(front)[0].query["dryRun"] == "All"


async def test_names_of_the_other_writer_survive_several_changes(stage: Stage) -> None:
    """Whoever wrote the field last is named, not whoever wrote another field later."""
    seen = await stage.workloads.service("web")
    resource = stage.at("", "services", "web")
    await stage.write_as("flux", resource, {"spec": {"selector": {"version": "red"}}})
    await stage.write_as("labeller", resource, {"metadata": {"labels": {"later": "yes"}}})

    with pytest.raises(Conflict, match="written by flux"):
        await stage.workloads.set_selector(seen, GREEN)
