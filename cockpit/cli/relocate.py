"""Makes a run of another bastion a run of this one: Lease, mirror, run directory, journal."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cockpit.cli.settings import ClusterPin, RunSettings, absolute
from cockpit.engine.authority import signature
from cockpit.engine.lease import LeaseKeeper, Standing
from cockpit.engine.ports import Leases, Mirror
from cockpit.errors import CommandRefused, JournalDamaged, NotFound, OutsideError, UsageError
from cockpit.journal.copying import unpack
from cockpit.journal.filesystem import private_file
from cockpit.journal.spill import spills_of
from cockpit.journal.store import Journal
from cockpit.link.paths import RunPaths, cockpit_home, create_run
from cockpit.link.peer import person_of, terminal_of
from cockpit.model.events import CommandTaken, Event
from cockpit.model.lease import DURATION_S, Command
from cockpit.model.mirror import FoundCopy
from cockpit.model.reduce import replay

LOOK_EVERY_S = 1.0
PATIENCE_S = 2 * DURATION_S
"""Seconds in which the holder must have been silent for long enough; one that renews never is."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the mirror is, and how to reach its cluster."""

    namespace: str
    name: str
    kubeconfig: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """What a takeover needs of the cluster."""

    mirror: Mirror
    leases: Leases
    pin: ClusterPin


async def relocate(source: Source, reason: str, *, at_once: bool, say: Say) -> RunPaths:
    """Take the Lease, and make a run directory here from the mirror; returns it, without an engine.

    Raises NotFound without a mirror, CommandRefused when its run is closed or its holder is alive, JournalDamaged when
    it does not hold together, and UsageError when an engine of the run lives here.
    """
    if not reason.strip():
        raise UsageError("A takeover needs a reason.", "Say why: it goes into the journal.")
    async with _reach(source) as reached:
        found = await _read(source, reached.mirror)
        _describe(found, say)
        _refuse_living(found.copy.about.run)
        person, instance = person_of(os.getpid(), os.geteuid()), secrets.token_hex(3)
        holder = signature(found.copy.about.run, person, instance)
        # Before it: whoever held the Lease is parked by its loss, and then somebody must be able to go on.
        checked(found)
        keeper = LeaseKeeper(reached.leases, holder)
        await take(keeper, at_once=at_once, say=say)
        try:
            # Once more: its engine may have gone on until the Lease was ours.
            found = await _read(source, reached.mirror)
            return await settle(found, source, reached.pin, person, instance, reason.strip())
        except BaseException:
            # Nobody else should wait for an engine that is not coming.
            with suppress(OutsideError, TimeoutError):
                await keeper.release()
            raise


async def take(keeper: LeaseKeeper, *, at_once: bool, say: Say) -> Standing:
    """Hold the Lease, at once or after its holder's silence; raises CommandRefused when the holder is alive."""
    keeper.take_silent, keeper.take_now = True, at_once
    since = keeper.clock()
    while (standing := await keeper.tick()).command is not Command.HELD:
        if standing.command is Command.LOCAL:
            if at_once:
                say(f"no Lease can be had ({standing.problem}): the stamps alone say who commands")
                return standing
            raise CommandRefused(
                f"The Lease cannot be had: {standing.problem}",
                "Apply what `cockpit rbac` prints, or use --now: then only the stamps on the objects say who commands.",
            )
        if keeper.clock() - since > PATIENCE_S:
            raise _alive(standing)
        if standing.other:
            say(f"waiting: {standing.other} silent for {standing.silent_s:.0f} of {DURATION_S} s")
        await asyncio.sleep(LOOK_EVERY_S)
    say(f"the Lease is ours, epoch {standing.epoch}")
    return standing


async def settle(
    found: FoundCopy, source: Source, pin: ClusterPin, person: str, instance: str, reason: str
) -> RunPaths:
    """Write the run's directory: pinned runbook, journal with the takeover as its last row, settings.

    The settings come last: without them no engine starts, so that one that starts has the whole journal.
    """
    about, rows = found.copy.about, checked(found)
    state = replay(event for event, _ in rows)
    _make_room(about.run)
    paths = create_run(cockpit_home(os.environ), about.run)
    with os.fdopen(private_file(paths.runbook, os.O_WRONLY), "wb") as file:
        file.write(found.copy.runbook)
    taken = CommandTaken(
        at=max(datetime.now(UTC), rows[-1][0].at),
        actor=person,
        epoch=max(state.epoch, found.epoch),
        previous=state.commander,
        reason=reason,
        terminal=terminal_of(os.getpid()),
        replaces=found.holder,
    )
    await _import(paths, rows, taken)
    RunSettings(
        run=about.run,
        runbook=about.title,
        # The run's own programs are looked for beside the place where the takeover was given.
        original=str(Path.cwd() / "runbook.yaml"),
        variables=about.variables,
        kubeconfig=absolute(source.kubeconfig or os.environ.get("KUBECONFIG")),
        context=pin.context,
        automatic=about.automatic,
        commander=person,
        instance=instance,
        cluster=pin if pin.server else None,
    ).save(paths)
    return paths


def checked(found: FoundCopy) -> tuple[tuple[Event, bytes], ...]:
    """The rows of a copy that holds together; raises JournalDamaged."""
    about = found.copy.about
    if sha256(found.copy.runbook).hexdigest() != about.sha256:
        raise JournalDamaged("The mirrored runbook is not the one that the run was started with.", "Do not go on.")
    rows = unpack(found.copy.journal)
    state = replay(event for event, _ in rows)
    if not rows or state.run != about.run or state.sha256 != about.sha256:
        raise JournalDamaged("The mirrored journal is that of another run.", "Do not go on.")
    return rows


async def _import(paths: RunPaths, rows: tuple[tuple[Event, bytes], ...], taken: CommandTaken) -> None:
    journal = await Journal.open(paths.journal)
    try:
        await journal.adopt(rows)
        await journal.append([taken])
    finally:
        await journal.close()


@asynccontextmanager
async def _reach(source: Source) -> AsyncIterator[Reached]:
    from cockpit.adapters.kubernetes import hygiene
    from cockpit.adapters.kubernetes.access import KubeAccess
    from cockpit.adapters.kubernetes.client import open_client
    from cockpit.adapters.kubernetes.leases import KubeLease
    from cockpit.adapters.kubernetes.mirror import KubeMirror

    path = absolute(source.kubeconfig or os.environ.get("KUBECONFIG"))
    config = hygiene.inspect(path, source.context)
    async with open_client(path, source.context) as client:
        uid = ""
        with suppress(OutsideError):
            uid = await KubeAccess(client).cluster_uid()
        pin = ClusterPin(
            server=config.server if config else client.server,
            ca_sha256=config.ca_sha256 if config else "",
            uid=uid,
            context=client.context or "",
        )
        mirror = KubeMirror(client, source.namespace, source.name)
        yield Reached(mirror, KubeLease(client, source.namespace, source.name), pin)


async def _read(source: Source, mirror: Mirror) -> FoundCopy:
    found = await mirror.read()
    if found is None:
        raise NotFound(
            f"There is no copy of a run in configmap {source.name} of {source.namespace}",
            "A run is mirrored from its first change on. Is it the right cluster? kubectl get configmaps",
        )
    if found.copy.about.closed:
        raise CommandRefused(f"{found.copy.about.run} is closed; there is nothing to take over.", "Start a new run.")
    return found


def _describe(found: FoundCopy, say: Say) -> None:
    about = found.copy.about
    age = (datetime.now(UTC) - about.at).total_seconds()
    say(f"found {about.run} ({about.title}): {about.status}, commanded by {about.commander}, epoch {found.epoch}")
    say(f"its engine: {found.holder}")
    say(f"its last event, {age:.0f} s ago by that machine's clock: {about.last}")
    if about.dropped:
        say(f"{about.dropped} rows of samples had no room in the mirror; every decision and action is there")


def _refuse_living(run: str) -> RunPaths:
    paths = RunPaths(cockpit_home(os.environ) / "runs" / run)
    if paths.directory.exists() and paths.engine_pid is not None:
        raise UsageError(
            f"An engine of {run} lives on this bastion.",
            f"Watch it: cockpit attach {run}. A replaced one is closed first: cockpit close {run} --reason TEXT",
        )
    return paths


def _make_room(run: str) -> None:
    """An older directory of the same run is moved aside, when no engine lives in it, and rows that it spilled too."""
    paths, mark = _refuse_living(run), secrets.token_hex(2)
    for spill in spills_of(paths.journal, os.environ):
        # They follow the older journal's last row, not the copy's.
        spill.rename(spill.with_name(f"{spill.name}.replaced-{mark}"))
    if paths.directory.exists():
        aside = cockpit_home(os.environ) / "replaced"
        aside.mkdir(mode=0o700, exist_ok=True)
        paths.directory.rename(aside / f"{run}-{mark}")


def _alive(standing: Standing) -> CommandRefused:
    if not standing.other:
        return CommandRefused(f"The Lease could not be taken: {standing.problem}", "Look at it: kubectl get leases")
    return CommandRefused(
        f"{standing.other} is alive: it renews its Lease.",
        "Ask its commander to detach or close; in need, use --now, which replaces it in the middle of its work.",
    )
