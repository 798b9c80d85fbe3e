# ruff: noqa: ASYNC240
"""A takeover from another bastion: what it leaves when it goes wrong on the way."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from cockpit.cli import relocate
from cockpit.cli.settings import ClusterPin, RunSettings, load_settings
from cockpit.errors import CockpitError, JournalDamaged, JournalError
from cockpit.journal.copying import Packing
from cockpit.journal.spill import spill_name, spill_place
from cockpit.journal.store import Journal
from cockpit.link.paths import RunPaths
from cockpit.model.events import Event, Noted, RunOpened
from cockpit.model.lease import LeaseState
from cockpit.model.mirror import About, Copy, FoundCopy

AT = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)
RUNBOOK = b"the runbook"
RUN = "web-20260108-0800-aaaa"
SOURCE = relocate.Source("shop", "cockpit-web")


@dataclass
class Cluster:
    """A copy and a free Lease."""

    copy: FoundCopy
    lease: LeaseState | None = None

    async def read(self) -> LeaseState | None:
        return self.lease

    async def write(self, seen: LeaseState | None, wanted: LeaseState) -> LeaseState:
        self.lease = replace(wanted, version=f"{wanted.epoch}{wanted.holder}")
        return self.lease


@dataclass
class Mirror:
    cluster: Cluster

    async def read(self) -> FoundCopy:
        return self.cluster.copy

    async def write(self, copy: Copy, epoch: int, holder: str) -> None:
        raise AssertionError("a takeover writes no copy")


def rows() -> tuple[Event, ...]:
    opened = RunOpened(
        seq=1, at=AT, actor="ada", epoch=1, run=RUN, runbook="web", version="1", namespace="shop", context="x",
        sha256=sha256(RUNBOOK).hexdigest(), automatic=False,
    )  # fmt: skip
    return opened, Noted(seq=2, at=AT, actor="ada", text="so far")


def a_copy(events: Sequence[Event]) -> FoundCopy:
    packing = Packing.empty()
    packing.add(events)
    about = About(
        run=RUN, title="Web", commander="ada", status="running", closed=False, at=AT, last="x", rows=len(events),
        sha256=sha256(RUNBOOK).hexdigest(), variables={}, automatic=True,
    )  # fmt: skip
    packed = packing.pack(100_000)
    assert packed is not None
    return FoundCopy(Copy(about, RUNBOOK, packed), 4, "run ada@a/1")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster(a_copy(rows()))

    @asynccontextmanager
    async def reach(source: relocate.Source) -> AsyncIterator[relocate.Reached]:
        yield relocate.Reached(Mirror(made), made, ClusterPin(server=""))

    monkeypatch.setattr(relocate, "_reach", reach)
    return made


async def take_over() -> RunPaths:
    return await relocate.relocate(SOURCE, "it is gone", at_once=False, say=lambda line: None)


@pytest.mark.parametrize(
    "change", [{"journal": b"damaged"}, {"journal": b""}, {"runbook": b"another"}], ids=["journal", "none", "runbook"]
)
async def test_a_copy_that_does_not_hold_together_parks_nobody(cluster: Cluster, change: dict[str, bytes]) -> None:
    cluster.copy = replace(cluster.copy, copy=replace(cluster.copy.copy, **change))
    with pytest.raises(JournalDamaged):
        await take_over()
    assert cluster.lease is None


async def test_a_takeover_that_fails_lets_the_next_one_have_the_lease(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(home: Path, run: str) -> RunPaths:
        raise JournalError("the disk is full", "")

    monkeypatch.setattr(relocate, "create_run", no_room)
    with pytest.raises(JournalError):
        await take_over()
    assert cluster.lease is not None
    assert cluster.lease.holder == ""


async def killed(*arguments: object) -> None:
    raise KeyboardInterrupt


def killed_at_once(*arguments: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["journal", "settings"])
async def test_a_takeover_that_is_killed_halfway_leaves_no_run_that_begins_anew(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, home: Path, at: str
) -> None:
    with monkeypatch.context() as patch:
        if at == "journal":
            patch.setattr(relocate, "_import", killed)
        else:
            patch.setattr(RunSettings, "save", killed_at_once)
        with pytest.raises(KeyboardInterrupt):
            await take_over()
    half = RunPaths(home / "runs" / RUN)
    with pytest.raises(CockpitError, match=r"settings\.json cannot be read"):
        load_settings(half)
    paths = await take_over()
    assert load_settings(paths).run == RUN
    journal = await Journal.open(paths.journal)
    assert [event.type for event in await journal.replay()] == ["run.opened", "note", "command.taken"]
    await journal.close()


async def test_rows_that_an_engine_here_spilled_do_not_stop_the_next(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cockpit.journal.spill.spill_directories", lambda environ: (tmp_path,))
    monkeypatch.setattr("cockpit.journal.spill._device", lambda path: 1 if path == tmp_path.parent else 2)
    tmp_path.chmod(0o700)
    spill = tmp_path / f"{RUN}.spill.jsonl"
    spill.write_text('{"hash": "00", "body": "of another course of the run"}\n')
    paths = await take_over()
    assert spill_name(paths.journal) == spill.name
    assert spill_place(paths.journal, os.environ) == spill
    assert not spill.exists()
    assert len(list(tmp_path.glob(f"{spill.name}.replaced-*"))) == 1
