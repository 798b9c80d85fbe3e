"""The very patches of the run, asked for with dryRun=All: authorisation, admission and preconditions prove them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cockpit.cli.preflight.finding import Check, Note, ok
from cockpit.cli.preflight.ground import Ground
from cockpit.runbook.actions import CanaryOff, Deploy, Switch, Traffic
from cockpit.runbook.walk import actions

GROUP = "changes (dry run)"


def checks(ground: Ground) -> list[Check]:
    """One check for each change that the runbook makes to a guarded object, each once."""
    found: dict[str, Check] = {}
    for _, action, _ in actions(ground.book):
        check = _check(ground, action)
        if check is not None:
            found.setdefault(check.name, check)
    return list(found.values())


def _check(ground: Ground, action: object) -> Check | None:
    match action:
        case Deploy():
            deployment = ground.book.cluster.tracks[action.track].deployment
            return Check(GROUP, f"image of {deployment}", partial(image, ground, action))
        case Switch():
            name = f"{ground.book.cluster.active_service.name} to {action.to}"
            return Check(GROUP, name, partial(switch, ground, action.to))
        case Traffic():
            return Check(GROUP, f"weight {action.weight} %", partial(weight, ground, action.weight))
        case CanaryOff():
            return Check(GROUP, "canary off", partial(canary_off, ground))
    return None


async def image(ground: Ground, action: Deploy) -> Sequence[Note]:
    """Set the image."""
    track = ground.book.cluster.tracks[action.track]
    workloads = ground.outside.workloads
    seen = await workloads.deployment(track.deployment, track.container)
    await workloads.set_image(seen, action.image, dry_run=True)
    return [ok(f"{seen.container}: {seen.image} → {action.image} would be accepted")]


async def switch(ground: Ground, to: str) -> Sequence[Note]:
    """Point the active Service at a track."""
    active, workloads = ground.book.cluster.active_service, ground.outside.workloads
    seen = await workloads.service(active.name)
    value = ground.book.cluster.tracks[to].selector_value
    await workloads.set_selector(seen, {**seen.selector, active.selector_key: value}, dry_run=True)
    return [ok(f"selector {active.selector_key}={value} would be accepted")]


async def weight(ground: Ground, percent: int) -> Sequence[Note]:
    """Give the candidate its share."""
    traffic = ground.outside.traffic
    seen = await traffic.read()
    await traffic.set_weight(seen, percent, dry_run=True)
    return [ok(f"{seen.name} would be accepted")]


async def canary_off(ground: Ground) -> Sequence[Note]:
    """Take the canary route out of service."""
    traffic = ground.outside.traffic
    seen = await traffic.read()
    await traffic.disable(seen, dry_run=True)
    return [ok(f"{seen.name} would be accepted")]
