"""Whether somebody commands this deployment already: the Lease, seen by this machine's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cockpit.cli.preflight.finding import Check, Note, State, fail, ok, warning
from cockpit.cli.preflight.ground import Ground
from cockpit.errors import Denied, OutsideError
from cockpit.model.lease import RENEW_S, LeaseState, lease_name
from cockpit.runbook.permissions import COORDINATION, Permission

if TYPE_CHECKING:
    from cockpit.engine.ports import Leases

GROUP = "one commander"
WATCH_S = RENEW_S + 1.5
"""Seconds in which a living holder renews."""


def checks(ground: Ground) -> list[Check]:
    """The checks of this group."""
    return [
        Check(GROUP, "lease", partial(holder, ground), State.WARNING),
        Check(GROUP, "mirror", partial(mirror, ground), State.WARNING),
    ]


async def holder(ground: Ground) -> Sequence[Note]:
    """Read the Lease, and look for a while whether its holder renews it."""
    place = f"{ground.namespace}/{lease_name(ground.book.metadata.name)}"
    leases = ground.outside.leases
    try:
        first, last = await watch(leases, asyncio.sleep)
    except Denied as error:
        return [warning(f"no right to the Lease {place}: local lock only ({error})", _RIGHTS)]
    creating = Permission("create", COORDINATION, "leases", ground.namespace, "the Lease")
    if first is None and (await ground.outside.access.may(creating)).allowed:
        return [ok(f"there is no {place} yet; the run creates it")]
    return [judge(place, first, last)]


async def watch(
    leases: Leases, sleep: Callable[[float], Awaitable[object]]
) -> tuple[LeaseState | None, LeaseState | None]:
    """The Lease now, and when its holder renewed it or the time was up."""
    first = await leases.read()
    if first is None or not first.holder:
        return first, first
    waited = 0.0
    while waited < WATCH_S:
        await sleep(0.5)
        waited += 0.5
        if (last := await leases.read()) != first:
            return first, last
    return first, first


def judge(place: str, first: LeaseState | None, last: LeaseState | None) -> Note:
    """Whoever holds the Lease keeps a second run from starting, alive or silent. Pure."""
    if first is None:
        return warning(f"there is no Lease {place}, and no right to create it: local lock only", _RIGHTS)
    if not first.holder or last is None or not last.holder:
        return ok(f"nobody holds {place}")
    run = last.holder.partition(" ")[0]
    fix = (
        f"Watch it on its bastion: cockpit observe {run}. Command it instead of them: cockpit takeover {run} "
        f"--reason TEXT, on another bastion: cockpit takeover --from {place} --reason TEXT"
    )
    if last != first:
        return fail(f"{last.holder} commands this deployment: it renews {place}", fix)
    return fail(f"{last.holder} holds {place} and was silent for {WATCH_S:g} s: its run is not closed", fix)


async def mirror(ground: Ground) -> Sequence[Note]:
    """Whether the copy of the run can be kept in the cluster."""
    place = f"{ground.namespace}/{lease_name(ground.book.metadata.name)}"
    try:
        found = await ground.outside.mirror.read()
    except Denied as error:
        return [warning(f"no right to the ConfigMap {place}: no other bastion could take over ({error})", _RIGHTS)]
    except OutsideError as error:
        return [warning(f"{place} cannot be read: {error}", "The run replaces it when it may.")]
    if found is None:
        return [ok(f"{place} holds no run")]
    about = found.copy.about
    return [ok(f"{place} holds {about.run} ({about.status}{', closed' if about.closed else ''})")]


_RIGHTS = "Apply what `cockpit rbac RUNBOOK --role commander` prints."
