"""Whether the images are in their registry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cockpit.cli.preflight.finding import Check, Note, State, ok
from cockpit.cli.preflight.ground import Ground
from cockpit.runbook.actions import Deploy, Job
from cockpit.runbook.walk import actions

GROUP = "images"


def checks(ground: Ground) -> list[Check]:
    """One check for each image; what no action looks up itself is only warned about."""
    found: dict[str, State] = {}
    for _, action, _ in actions(ground.book):
        if isinstance(action, Deploy | Job) and action.image:
            looked_up = isinstance(action, Deploy) and action.verify_image
            state = State.FAIL if looked_up else State.WARNING
            found[action.image] = State.FAIL if State.FAIL in (state, found.get(action.image)) else state
    return [Check(GROUP, image, partial(exists, ground, image), state) for image, state in found.items()]


async def exists(ground: Ground, image: str) -> Sequence[Note]:
    """Ask for its digest."""
    return [ok(await ground.outside.registry.digest(image))]
