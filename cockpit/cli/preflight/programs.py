"""Whether the user's own programs are there and can be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from cockpit.cli.preflight.finding import Check, Note, State, ok
from cockpit.cli.preflight.ground import Ground
from cockpit.runbook.actions import Script
from cockpit.runbook.walk import actions_of

GROUP = "programs"


def checks(ground: Ground) -> list[Check]:
    """One check for each script."""
    return [
        Check(GROUP, action.id, partial(inspect, ground, action), State.WARNING if action.optional else State.FAIL)
        for _, action in actions_of(ground.book, Script)
    ]


async def inspect(ground: Ground, action: Script) -> Sequence[Note]:
    """Find the program, see who may change it, and take its hash."""
    digest = await asyncio.to_thread(ground.outside.programs.inspect, action.argv)
    return [ok(f"{action.argv[0]}, sha256 {digest[:16]}…")]
