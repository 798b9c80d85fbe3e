"""The Lease and the mirror against both API servers: what a race, a later claim and missing rights answer."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes.leases import KubeLease
from cockpit.adapters.kubernetes.mirror import KubeMirror
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.engine.lease import LeaseKeeper
from cockpit.errors import BadAnswer, Conflict, Denied, Fenced
from cockpit.model.lease import Command, LeaseState
from cockpit.model.mirror import LARGEST, About, Copy

from ..fault_proxy import Exchange, Fault
from ..faults import a, late_answer, lost_answer, says
from .faulty import FaultyServer, always, status
from .front import Front
from .stage import Stage

NAME = "cockpit-web"
AT = "2026-11-26T08:00:00.000001Z"


def a_copy(journal: bytes = b"packed", run: str = "web-1") -> Copy:
    about = About(
        run=run, title="Web", commander="ada", status="running", closed=False, at=datetime(2026, 11, 26, tzinfo=UTC),
        last="Gate opened", sha256="0" * 64, variables={"VERSION": "2"}, automatic=False, rows=7,
    )  # fmt: skip
    return Copy(about, "name: Web – ü\n".encode(), journal)


def lease(stage: Stage) -> KubeLease:
    return KubeLease(stage.client, stage.namespace, NAME)


def mirror(stage: Stage) -> KubeMirror:
    return KubeMirror(stage.client, stage.namespace, NAME)


async def prepare(stage: Stage) -> None:
    """The empty objects that `cockpit rbac` prints."""
    for version, kind, group, plural in (
        ("coordination.k8s.io/v1", "Lease", "coordination.k8s.io", "leases"),
        ("v1", "ConfigMap", "", "configmaps"),
    ):
        made = {"apiVersion": version, "kind": kind, "metadata": {"name": NAME}}
        await stage.client.create(stage.at(group, plural), made)


@pytest.mark.parametrize("prepared", [False, True])
async def test_a_lease_is_taken_renewed_and_released(stage: Stage, prepared: bool) -> None:
    if prepared:
        await prepare(stage)
    keeper = LeaseKeeper(lease(stage), "run-1 ada@here")
    assert (await keeper.tick()).command is Command.HELD
    first = await lease(stage).read()
    assert (await keeper.tick()).command is Command.HELD
    second = await lease(stage).read()
    assert first is not None
    assert second is not None
    assert (second.holder, second.epoch) == ("run-1 ada@here", first.epoch)
    assert second.version != first.version
    await keeper.release()
    free = await lease(stage).read()
    assert free is not None
    assert (free.holder, free.epoch) == ("", first.epoch)
    assert (await LeaseKeeper(lease(stage), "run-2 eve@there").tick()).epoch == first.epoch + 1


@pytest.mark.parametrize("fault", [late_answer, lost_answer, says(504)], ids=["late", "lost", "504"])
async def test_a_renewal_whose_answer_is_lost_is_read_back(
    front: Front, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.engine.lease.REQUEST_S", 1.0)
    clock = [1000.0]
    keeper = LeaseKeeper(lease(front.through), "run-1 ada@here", lambda: clock[0])
    assert (await keeper.tick()).command is Command.HELD

    async def nine_seconds_later(exchange: Exchange) -> web.StreamResponse:
        clock[0] += 9.0
        return await fault(exchange)

    clock[0] = 1005.0
    front.proxy.on(a("patch", "leases", NAME), nine_seconds_later)
    standing = await keeper.tick()
    happened = fault in (late_answer, lost_answer)
    assert (standing.command, bool(standing.problem)) == (Command.HELD if happened else Command.LAPSED, not happened)
    clock[0] = 1014.9
    assert keeper.lapsed() is not happened
    clock[0] = 1015.0
    assert keeper.lapsed()
    assert (await keeper.tick()).command is Command.HELD


async def test_a_race_for_a_lease_has_one_winner(stage: Stage) -> None:
    seen = await lease(stage).write(None, LeaseState("", 1, AT))
    await lease(stage).write(seen, LeaseState("run-1 ada@here", 2, AT))
    with pytest.raises(Conflict):
        await lease(stage).write(seen, LeaseState("run-2 eve@there", 2, AT))
    with pytest.raises(Conflict):
        await lease(stage).write(None, LeaseState("run-3 bob@nowhere", 1, AT))
    now = await lease(stage).read()
    assert now is not None
    assert now.holder == "run-1 ada@here"


async def test_a_lease_deleted_by_hand_is_lost(stage: Stage) -> None:
    keeper = LeaseKeeper(lease(stage), "run-1 ada@here")
    await keeper.tick()
    await stage.delete(stage.at("coordination.k8s.io", "leases", NAME))
    assert (await keeper.tick()).command is Command.LOST
    assert await lease(stage).read() is None


async def test_without_rights_there_is_a_local_lock_and_no_mirror(stage: Stage) -> None:
    async with stage.as_observer() as observer:
        standing = await LeaseKeeper(lease(observer), "run-1 ada@here").tick()
        assert standing.command is Command.LOCAL
        assert "leases.coordination.k8s.io" in standing.problem
        with pytest.raises(Denied):
            await mirror(observer).write(a_copy(), 2, "run-1 ada@here")


@pytest.mark.parametrize("prepared", [False, True])
async def test_what_is_mirrored_is_read_back(stage: Stage, prepared: bool) -> None:
    if prepared:
        await prepare(stage)
        assert await mirror(stage).read() is None
    copy = a_copy(os.urandom(LARGEST))
    ours = mirror(stage)
    await ours.write(copy, 2, "run-1 ada@here")
    found = await mirror(stage).read()
    assert found is not None
    assert (found.copy, found.epoch, found.holder) == (copy, 2, "run-1 ada@here")
    await ours.write(a_copy(b"small"), 2, "run-1 ada@here")
    again = await mirror(stage).read()
    assert again is not None
    assert again.copy.journal == b"small"


async def test_a_mirror_that_somebody_deleted_or_edited_is_made_again(stage: Stage) -> None:
    ours = mirror(stage)
    await ours.write(a_copy(), 2, "run-1 ada@here")
    await stage.delete(stage.at("", "configmaps", NAME))
    await ours.write(a_copy(b"again"), 2, "run-1 ada@here")
    gone = [{"op": "remove", "path": "/binaryData"}, {"op": "remove", "path": "/metadata/annotations"}]
    await stage.client.patch(stage.at("", "configmaps", NAME), gone, own=True)
    await ours.write(a_copy(b"and again"), 2, "run-1 ada@here")
    found = await mirror(stage).read()
    assert found is not None
    assert (found.copy.journal, found.epoch) == (b"and again", 2)


async def test_a_replaced_engine_cannot_overwrite_the_mirror(stage: Stage) -> None:
    old, new = mirror(stage), mirror(stage)
    await old.write(a_copy(), 2, "run-1 ada@here")
    with pytest.raises(Fenced):
        await new.write(a_copy(), 2, "run-1 eve@there")
    await new.write(a_copy(b"new"), 3, "run-1 eve@there")
    for engine in (old, mirror(stage)):
        with pytest.raises(Fenced) as refused:
            await engine.write(a_copy(b"old"), 2, "run-1 ada@here")
        assert (refused.value.by, refused.value.epoch) == ("run-1 eve@there", 3)
    await new.write(a_copy(b"newer"), 3, "run-1 eve@there")
    found = await mirror(stage).read()
    assert found is not None
    assert found.copy.journal == b"newer"


async def test_what_is_no_copy_is_said(stage: Stage) -> None:
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "binaryData": {"x": "AAAA"}}
    await stage.client.create(stage.at("", "configmaps"), made)
    with pytest.raises(BadAnswer, match="holds no copy of a run"):
        await mirror(stage).read()


async def test_a_client_without_authority_sends_no_change(faulty: FaultyServer, tmp_path: Path) -> None:
    """It is asked at the moment of sending; dry runs and the cockpit's own objects go on."""
    faulty.script = always(200, {"kind": "Deployment"})
    async with faulty.client(tmp_path) as client:
        client.refusal = lambda: "the Lease could not be renewed for 10 s"
        where = Resource("apps", "v1", "deployments", "shop", "web")
        for change in (client.patch(where, []), client.create(where.named(""), {})):
            with pytest.raises(Conflict, match=r"Not sent: .*; the Lease could not be renewed"):
                await change
        assert faulty.requests == []
        await client.patch(where, [], dry_run=True)
        await client.patch(where, [], own=True)
        await client.get(where)
        assert len(faulty.requests) == 3
        client.refusal = lambda: ""
        await client.patch(where, [])
        assert len(faulty.requests) == 4


async def test_a_hanging_or_broken_lease_api_is_no_standing(faulty: FaultyServer, tmp_path: Path) -> None:
    async with faulty.client(tmp_path, deadline=0.3) as client:
        for body in ("<html>502 Bad Gateway</html>", status(500, "InternalError", "etcd"), "not json"):
            code = 500 if isinstance(body, dict) else 200
            faulty.script = always(code, body)
            keeper = LeaseKeeper(KubeLease(client, "shop", NAME), "run-1 ada@here")
            standing = await keeper.tick()
            assert standing.command is Command.UNKNOWN
            assert standing.problem
